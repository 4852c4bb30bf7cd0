import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { McpError } from '../errors.ts'
import type { JsonObject } from './frame.ts'
import { UPSTREAM_LIMITS } from './limits.ts'
import { without } from './members.ts'
import { outlineResult } from './outline.ts'
import { hasList, mayHoldMark, opened, Relayed, toPieces, toText, withMember } from './relayed.ts'

const LONG = 'long '.repeat(500)

/** A result as it comes, from its text. */
function relayed(result: string): Relayed {
  const bytes = new TextEncoder().encode(`{"jsonrpc":"2.0","id":1,"result":${result}}`)
  const pieces = [bytes.subarray(0, 50), bytes.subarray(50, 51), bytes.subarray(51)]
  const outline = outlineResult(pieces, 64, 'resource')
  if (outline === undefined) throw new Error(`Not taken: ${result.slice(0, 80)}`)
  return Relayed.from(pieces, outline.result, UPSTREAM_LIMITS)
}

function written(object: Relayed, first = ''): string {
  return toText(toPieces(object, first, ''))
}

const value: fc.Arbitrary<unknown> = fc
  .oneof(
    fc.jsonValue({ maxDepth: 3 }),
    fc.constantFrom(LONG, [LONG], { text: LONG, é: [1] }, [{ text: LONG }, { n: 1, é: null }], [{ a: LONG }, 1]),
  )
  .map((given) => JSON.parse(JSON.stringify(given))) // without negative zeros

const result = fc
  .dictionary(fc.constantFrom('content', '_meta', 'isError', '__proto__', 'toString', 'resultType', 'x'), value)
  .filter((object) => !/\\ud[89a-f]/i.test(JSON.stringify(object)))

describe('a relayed object', () => {
  test('is the object that parsing gives: read, spread, written, compared key by key', () => {
    fc.assert(
      fc.property(result, (given) => {
        const text = JSON.stringify(given)
        const parsed = JSON.parse(text) as JsonObject
        const object = relayed(text)
        expect(Object.keys(object).sort()).toEqual(Object.keys(parsed).sort())
        expect({ ...object }).toEqual({ ...parsed })
        expect(opened(object)).toEqual(parsed)
        expect(JSON.parse(JSON.stringify(object))).toEqual(parsed)
        expect(JSON.parse(written(object))).toEqual(parsed)
        for (const key of Object.keys(parsed)) expect(Object.hasOwn(object, key)).toBe(true)
      }),
    )
  })

  test('is changed as any other, and written as it was changed', () => {
    fc.assert(
      fc.property(result, value, (given, put) => {
        const text = JSON.stringify(given)
        const parsed = JSON.parse(text) as JsonObject
        const changed = withMember(without(relayed(text), ['resultType', 'x']), '_meta', put)
        const expected = JSON.parse(JSON.stringify({ ...without(parsed, ['resultType', 'x']), _meta: put }))
        expect(changed).toBeInstanceOf(Relayed)
        expect(JSON.parse(written(changed as Relayed))).toEqual(expected)
        expect({ ...changed }).toEqual({ ...expected })
      }),
    )
  })

  test('is written as it came, numbers of any size included', () => {
    const text = `{"n":12345678901234567890,"structuredContent":{"id":9007199254740993,"text":"${LONG}"}}`
    expect(written(relayed(text))).toBe(text)
    expect(written(relayed(text), '"a":1,')).toBe(`{"a":1,${text.slice(1)}`)
    expect(written(relayed('{}'), '"a":1,')).toBe('{"a":1}')
  })

  test('keeps what is large unread until somebody reads it', () => {
    const twice = `{"content":[{"text":"${LONG}"}],"structuredContent":{"a":1,"a":2,"text":"${LONG}"},"isError":true}`
    const object = relayed(twice)
    expect(object.isError).toBe(true)
    expect(hasList(object, 'content')).toBe(true)
    expect(hasList(object, 'structuredContent')).toBe(false)
    expect(hasList(object, 'nothing')).toBe(false)
    expect(object.content).toEqual([{ text: LONG }])
    expect(object.content).toBe(object.content)
    // Who reads it gets what a parser that judges it would have said.
    expect(() => object.structuredContent).toThrow(McpError)
    expect(() => opened(object)).toThrow(/names the key "a" twice/)
    expect(written(object)).toBe(twice)
  })

  test('a list is read object by object, each of which is relayed as well', () => {
    const items = `[{"type":"text","text":"${LONG}"}, {"uri":"a:b","n":9007199254740993}]`
    const object = relayed(`{"content":${items},"isError":false}`)
    const [first, second] = object.content as JsonObject[]
    expect(object.content).toEqual(JSON.parse(items))
    expect(first).toBeInstanceOf(Relayed)
    const changed = withMember(object, 'content', [first, withMember(second as JsonObject, 'uri', 'c:d')])
    expect(written(changed as Relayed)).toBe(
      `{"content":[{"type":"text","text":"${LONG}"},{"uri":"c:d","n":9007199254740993}],"isError":false}`,
    )
    const mixed = `[{"a":"${LONG}"},"${LONG}",1]`
    expect(relayed(`{"content":${mixed}}`).content).toEqual(JSON.parse(mixed))
    const many = `[${Array.from({ length: 70 }, () => `{"a":"${LONG}"}`).join()}]`
    expect(relayed(`{"content":${many}}`).content).toEqual(JSON.parse(many))
    expect(() => relayed(`{"content":[{"a":1,"a":"${LONG}"}]}`).content).toThrow(/"a" twice/)
  })

  test('says whether a mark is in a member without reading it; any other object may hold it', () => {
    const object = relayed(`{"content":[{"type":"text","text":"${LONG}"}],"messages": [{"type":"resource"},"${LONG}"]}`)
    expect(mayHoldMark(object, 'content')).toBe(false)
    expect(mayHoldMark(object, 'messages')).toBe(true)
    expect(hasList(object, 'messages')).toBe(true)
    expect(mayHoldMark({ content: [] }, 'content')).toBe(true)
  })

  test('a small member that the limits do not allow is found out at once', () => {
    expect(() => relayed(`{"_meta":{"a":1,"a":2},"content":["${LONG}"]}`)).toThrow(McpError)
  })
})

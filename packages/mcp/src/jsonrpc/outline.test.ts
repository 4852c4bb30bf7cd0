import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { type Outline, outlineResult } from './outline.ts'

const encoder = new TextEncoder()

function outline(text: string, cuts: readonly number[] = [], maxDepth = 64): Outline | undefined {
  return outlineResult(inPieces(encoder.encode(text), cuts), maxDepth, 'resource')
}

/** Each at an offset of its own, so that words begin anywhere. */
function inPieces(bytes: Uint8Array, cuts: readonly number[]): Uint8Array[] {
  const ends = [...cuts.map((at) => at % (bytes.length + 1)), bytes.length].sort((a, b) => a - b)
  return ends.map((end, at) => {
    const piece = bytes.subarray(ends[at - 1] ?? 0, end)
    const room = new Uint8Array(piece.length + 8)
    room.set(piece, at % 5)
    return room.subarray(at % 5, (at % 5) + piece.length)
  })
}

/** What the spans say, read. */
function read(text: string, found: Outline | undefined): unknown {
  const bytes = encoder.encode(text)
  return found?.result.map(({ key, from, to }) => [key, JSON.parse(new TextDecoder().decode(bytes.subarray(from, to)))])
}

const json = fc
  .jsonValue({ maxDepth: 5 })
  .filter((value) => !/\\ud[89a-f]/i.test(JSON.stringify(value)))
  .map((value): unknown => JSON.parse(JSON.stringify(value))) // without negative zeros
const key = fc.constantFrom('content', 'structuredContent', '_meta', 'isError', '__proto__', 'a b', 'x'.repeat(40))
const text = fc.oneof(
  fc.string({ unit: 'grapheme' }),
  fc.constantFrom('plain '.repeat(200), '"\\\n\t'.repeat(50), 'žluťoučký '.repeat(30), 'resource_link'),
)
const result = fc.dictionary(key, fc.oneof(json, text, fc.array(fc.record({ type: text, text }), { maxLength: 5 })))
const cuts = fc.array(fc.nat({ max: 5_000 }), { maxLength: 12 })

describe('outlineResult', () => {
  test('finds the members of any result, wherever its bytes are cut', () => {
    fc.assert(
      fc.property(result, cuts, fc.boolean(), (value, at, isLoose) => {
        const spaced = (part: unknown) =>
          isLoose ? JSON.stringify(part, undefined, 1).replaceAll('\n', ' ') : JSON.stringify(part)
        const message = `{"jsonrpc": "2.0","id":7 ,"result":${spaced(value)}}\n`
        const found = outline(message, at)
        expect(read(message, found)).toEqual(Object.entries(value))
        expect(found?.message.map(({ key: name }) => name)).toEqual(['jsonrpc', 'id', 'result'])
      }),
      { numRuns: 500 },
    )
  })

  test('takes nothing that JSON.parse does not take, and nothing on more than one line', () => {
    const byte = fc.oneof(fc.constantFrom(...encoder.encode('{}[]",:\\u0 1-+.eEtrfalsn/')), fc.nat({ max: 127 }))
    const change = fc.record({ at: fc.nat(), remove: fc.nat({ max: 2 }), put: fc.array(byte, { maxLength: 2 }) })
    let taken = 0
    fc.assert(
      fc.property(result, fc.array(change, { minLength: 1, maxLength: 2 }), cuts, (value, changes, at) => {
        const bytes = [...encoder.encode(`{"jsonrpc":"2.0","id":7,"result":${JSON.stringify(value)}}`)]
        for (const { at: where, remove, put } of changes) bytes.splice(where % bytes.length, remove, ...put)
        const changed = Uint8Array.from(bytes)
        const found = outlineResult(inPieces(changed, at), 64, 'resource')
        if (found === undefined) return
        taken++
        const message = new TextDecoder().decode(changed)
        const parsed = JSON.parse(message) as { result: object }
        expect(message.trim()).not.toMatch(/[\n\r]/)
        expect(Object.keys(parsed.result).sort()).toEqual(found.result.map(({ key: name }) => name).sort())
      }),
      { numRuns: 3_000 },
    )
    expect(taken).toBeGreaterThan(50)
  })

  test.each([
    ['a message behind it', '{"jsonrpc":"2.0","id":1,"result":{"a":1}}{"jsonrpc":"2.0","id":2,"result":{}}'],
    ['a brace too many', '{"jsonrpc":"2.0","id":1,"result":{"a":1}},"id":2}}'],
    ['a list closed as an object', '{"jsonrpc":"2.0","id":1,"result":{"a":[1}}}'],
    ['a line break between values', '{"jsonrpc":"2.0","id":1,"result":{"a":\n1}}'],
    ['a line break in a string', '{"jsonrpc":"2.0","id":1,"result":{"a":"b\nc"}}'],
    ['a carriage return in a string', `{"jsonrpc":"2.0","id":1,"result":{"a":"${'b'.repeat(40)}\r${'c'.repeat(40)}"}}`],
    ['a key of the result that is named twice', '{"jsonrpc":"2.0","id":1,"result":{"a":1,"a":2}}'],
    ['a key of the result with an escape', '{"jsonrpc":"2.0","id":1,"result":{"\\u0061":1}}'],
    ['a second result', '{"jsonrpc":"2.0","id":1,"result":{},"result":{}}'],
    ['a result that is a list', '{"jsonrpc":"2.0","id":1,"result":[{"a":1}]}'],
    ['a batch', '[{"jsonrpc":"2.0","id":1,"result":{}}]'],
    ['half a surrogate pair', '{"jsonrpc":"2.0","id":1,"result":{"a":"\\ud83d"}}'],
    ['the other half', '{"jsonrpc":"2.0","id":1,"result":{"a":"\\ude00"}}'],
    ['a first half in front of something else', '{"jsonrpc":"2.0","id":1,"result":{"a":"\\ud83d\\u0041"}}'],
    ['an end in the middle', '{"jsonrpc":"2.0","id":1,"result":{"a":"b'],
    ['a comma at the end', '{"jsonrpc":"2.0","id":1,"result":{"a":1,}}'],
    ['a number with a zero in front', '{"jsonrpc":"2.0","id":1,"result":{"a":01}}'],
    ['a number without digits', '{"jsonrpc":"2.0","id":1,"result":{"a":1.}}'],
    ['a word that is none', '{"jsonrpc":"2.0","id":1,"result":{"a":nul}}'],
    ['an escape behind a string', '{"jsonrpc":"2.0","id":1,"result":{"a":"b"u0041 "}}'],
    ['an escape in place of a value', '{"jsonrpc":"2.0","id":1,"result":{"a":u0041"}}'],
    ['half an escape behind a whole one', '{"jsonrpc":"2.0","id":1,"result":{"a":"\\u00e9"ud83d\\ude00"}}'],
    ['an escape that is none', '{"jsonrpc":"2.0","id":1,"result":{"a":"\\x41"}}'],
    ['nothing at all', ''],
  ])('abuse: leaves %s to the parser', (_, message) => {
    for (let at = 0; at <= message.length; at++) expect(outline(message, [at])).toBeUndefined()
  })

  test('takes whole pairs of surrogates, and numbers of any length', () => {
    const message = '{"jsonrpc":"2.0","id":1,"result":{"a":"\\uD83D\\uDE00","b":-12345678901234567890.5E+30}}'
    for (let at = 0; at <= message.length; at++) expect(outline(message, [at])?.result).toHaveLength(2)
  })

  test('counts depth as the parser does', () => {
    const deep = (levels: number) =>
      `{"jsonrpc":"2.0","id":1,"result":{"a":${'['.repeat(levels)}${']'.repeat(levels)}}}`
    expect(outline(deep(3), [], 5)).toBeDefined()
    expect(outline(deep(4), [], 5)).toBeUndefined()
    expect(outline(deep(100_000))).toBeUndefined()
  })

  test('tells where a string begins with the mark, wherever it is cut', () => {
    const isMarked = (value: string, at: number) =>
      outline(`{"jsonrpc":"2.0","id":1,"result":{"a":${value},"b":"no"}}`, [at])?.result.map((span) => span.isMarked)
    for (let at = 0; at < 70; at++) {
      expect(isMarked('[{"type":"resource_link"}]', at)?.[0]).toBe(true)
      expect(isMarked('[{"resource":{}}]', at)?.[0]).toBe(true)
    }
    expect(isMarked('[{"type":"text","text":"a resource, re"}]', 0)).toEqual([false, false])
  })

  test('is not impressed by many members', () => {
    const many = Object.fromEntries(Array.from({ length: 65 }, (_, at) => [`k${at}`, at]))
    expect(outline(`{"jsonrpc":"2.0","id":1,"result":${JSON.stringify(many)}}`)).toBeUndefined()
  })
})

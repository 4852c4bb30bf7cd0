import { describe, expect, it } from 'vitest'
import type { JsonObject } from '../jsonrpc/frame.ts'
import { readMirroredParams, withoutInvalidMirrors } from './mirrored-params.ts'

/** What a schema says apart from annotations. */
const withoutAnnotations = (schema: unknown) =>
  JSON.stringify(schema, (key, value: unknown) => (key === 'x-mcp-header' ? undefined : value))

describe('the annotations of a schema', () => {
  const at = (schema: unknown) => ({ type: 'object', properties: { a: schema } })
  const marked = (type: unknown, header: unknown = 'A') => ({ type, 'x-mcp-header': header })

  it('are found along plain properties, at any depth', () => {
    const inner = { type: 'object', properties: { deep: marked('boolean', 'Deep') } }
    expect(readMirroredParams({ type: 'object', properties: { a: marked('string'), inner } })).toEqual([
      { header: 'Mcp-Param-A', path: ['a'] },
      { header: 'Mcp-Param-Deep', path: ['inner', 'deep'] },
    ])
  })

  it('are not to be confused with a property of that name, or with examples', () => {
    expect(readMirroredParams({ type: 'object', properties: { 'x-mcp-header': { type: 'string' } } })).toEqual([])
    expect(readMirroredParams(at({ type: 'object', default: marked('number'), enum: [marked('number')] }))).toEqual([])
  })

  const wrong: [string, JsonObject][] = [
    ['an empty name', at(marked('string', ''))],
    ['a name with a blank', at(marked('string', 'A B'))],
    ['a name with a colon', at(marked('string', 'A:'))],
    ['a name beyond ASCII', at(marked('string', 'Ä'))],
    ['a name that is no string', at(marked('string', 7))],
    ['a name that no text can be made of', at(marked('string', { toString: 7 }))],
    [
      'the same name in another case',
      { type: 'object', properties: { a: marked('string', 'A'), b: marked('string', 'a') } },
    ],
    ['a number', at(marked('number'))],
    ['an object', at(marked('object'))],
    ['an array', at(marked('array'))],
    ['a property without a type', at({ 'x-mcp-header': 'A' })],
    ['a property of several types', at(marked(['string', 'integer']))],
    ['the root', { ...marked('object'), properties: {} }],
    ['items', at({ type: 'array', items: marked('string') })],
    ['oneOf', at({ oneOf: [marked('string')] })],
    ['a definition that is referred to', { ...at({ $ref: '#/$defs/x' }), $defs: { x: marked('string') } }],
    ['properties below items', at({ type: 'array', items: { type: 'object', properties: { b: marked('string') } } })],
    ['additionalProperties', at({ type: 'object', additionalProperties: marked('string') })],
  ]
  for (const [where, schema] of wrong) {
    it(`are not valid on ${where}`, () => expect(readMirroredParams(schema)).toBeTypeOf('string'))

    it(`abuse-20: are taken out where they are not valid on ${where}, and nothing else is`, () => {
      const before = JSON.stringify(schema)
      const { schema: mended, problem } = withoutInvalidMirrors(schema)
      expect(problem).toBe(readMirroredParams(schema))
      expect(readMirroredParams(mended)).not.toBeTypeOf('string')
      expect(withoutAnnotations(mended)).toBe(withoutAnnotations(schema))
      expect(JSON.stringify(schema)).toBe(before)
    })
  }

  it('are not looked for without end', () => {
    let schema: unknown = marked('string')
    for (let depth = 0; depth < 200; depth++) schema = at(schema)
    expect(readMirroredParams(schema)).toBe('the schema is nested too deeply')
  })

  it('that are valid stay beside those that are not, the first of two with one name among them', () => {
    const properties = { a: marked('string', 'A'), b: marked('number', 'B'), c: marked('integer', 'a') }
    const { schema } = withoutInvalidMirrors({ type: 'object', properties })
    expect(schema.properties).toEqual({ a: marked('string', 'A'), b: { type: 'number' }, c: { type: 'integer' } })
  })

  it('leave a schema as that very object where all are valid, or where it is too deep to say', () => {
    const fine = at(marked('string'))
    expect(withoutInvalidMirrors(fine)).toEqual({ schema: fine, problem: undefined })
    let deep = at(marked('string'))
    for (let depth = 0; depth < 200; depth++) deep = at(deep)
    expect(withoutInvalidMirrors(deep).schema).toBe(deep)
  })

  it('are taken out beside properties with names of objects', () => {
    const text = '{"type":"object","properties":{"__proto__":{"type":"string"},"a":{"type":"number"'
    const { schema } = withoutInvalidMirrors(JSON.parse(`${text},"x-mcp-header":"A"}}}`) as JsonObject)
    expect(JSON.stringify(schema)).toBe(`${text}}}}`)
  })
})

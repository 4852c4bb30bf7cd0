import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { encodeHeaderValue, MirroredTools, readMirroredParams } from './mirror.ts'
import { decodeMirrored } from './mirrored.ts'

describe('a header value', () => {
  const rows: [string | number | boolean, string][] = [
    ['plain', 'plain'],
    ['with inner  blank\tand tab', 'with inner  blank\tand tab'],
    ['', ''],
    [42, '42'],
    [-1.5, '-1.5'],
    [true, 'true'],
    [' leading', '=?base64?IGxlYWRpbmc=?='],
    ['trailing ', '=?base64?dHJhaWxpbmcg?='],
    ['größe', '=?base64?Z3LDtsOfZQ==?='],
    ['a\r\nHost: evil', '=?base64?YQ0KSG9zdDogZXZpbA==?='],
    ['=?base64?YQ==?=', '=?base64?PT9iYXNlNjQ/WVE9PT89?='],
    ['=?BASE64?YQ==?=', '=?BASE64?YQ==?='],
  ]
  for (const [value, header] of rows) {
    it(`of ${JSON.stringify(value)} is ${header === '' ? 'empty' : header}`, () => {
      expect(encodeHeaderValue(value)).toBe(header)
    })
  }

  it('trap-6: is always one a header may have, and reads back as what it was', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (text) => {
        const header = encodeHeaderValue(text)
        expect(header).toMatch(/^[\x20-\x7e\t]*$/)
        expect(header.trim()).toBe(header)
        expect(decodeMirrored(header)).toBe(Buffer.from(text, 'utf8').toString('utf8'))
      }),
    )
  })
})

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

  const wrong: [string, unknown][] = [
    ['an empty name', at(marked('string', ''))],
    ['a name with a blank', at(marked('string', 'A B'))],
    ['a name with a colon', at(marked('string', 'A:'))],
    ['a name beyond ASCII', at(marked('string', 'Ä'))],
    ['a name that is no string', at(marked('string', 7))],
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
  }

  it('are not looked for without end', () => {
    let schema: unknown = marked('string')
    for (let depth = 0; depth < 200; depth++) schema = at(schema)
    expect(readMirroredParams(schema)).toBe('the schema is nested too deeply')
  })
})

describe('abuse-20: a list of tools', () => {
  it('loses those with annotations that are not valid, and what it knew about them', () => {
    const left: string[] = []
    const tools = new MirroredTools((reason) => left.push(reason))
    const tool = (header: unknown) => ({
      name: 'x',
      inputSchema: { type: 'object', properties: { a: { type: 'string', 'x-mcp-header': header } } },
    })
    const other = { name: 'y', inputSchema: { type: 'object' } }
    const call = { name: 'x', arguments: { a: '1' } }
    expect(tools.learn({ tools: [tool('A'), other], nextCursor: 'n' })).toEqual({
      tools: [tool('A'), other],
      nextCursor: 'n',
    })
    expect(tools.headers(call)).toEqual(['Mcp-Param-A', '1'])
    expect(tools.learn({ tools: [tool('B B'), other], nextCursor: 'n' })).toEqual({ tools: [other], nextCursor: 'n' })
    expect(tools.headers(call)).toEqual([])
    expect(left).toEqual(['Left out the tool "x": "x-mcp-header" is not a header name'])
  })

  it('that is no list passes untouched', () => {
    const tools = new MirroredTools(() => expect.unreachable())
    for (const result of [{}, { tools: 'x' }, { tools: [null, 1, { name: 7 }] }])
      expect(tools.learn(result)).toBe(result)
  })
})

import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { encodeHeaderValue, MirroredTools } from './mirror.ts'
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

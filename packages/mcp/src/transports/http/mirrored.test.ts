import { sendEnveloped, type WireOptions } from '@crosspoint/testkit'
import { describe, expect, it } from 'vitest'
import type { JsonObject } from '../../jsonrpc/frame.ts'
import { createOpen, createRecording } from './fixtures/recording.ts'

const open = createOpen()
const echo = { name: 'echo', arguments: { text: 'hi' } }

describe('abuse-17: headers that mirror the body', () => {
  const mismatches: [string, JsonObject, WireOptions['headers']][] = [
    ['trap-5: no Mcp-Method', echo, { 'mcp-method': undefined }],
    ['trap-5: another Mcp-Method', echo, { 'mcp-method': 'tools/list' }],
    ['Mcp-Method in capitals', echo, { 'mcp-method': 'TOOLS/CALL' }],
    ['Mcp-Method twice', echo, { 'mcp-method': ['tools/call', 'tools/call'] }],
    ['trap-5: no Mcp-Name', echo, { 'mcp-name': undefined }],
    ['trap-5: another Mcp-Name', echo, { 'mcp-name': 'other' }],
    ['Mcp-Name in capitals', echo, { 'mcp-name': 'ECHO' }],
    ['Mcp-Name twice', echo, { 'mcp-name': ['echo', 'echo'] }],
    ['Mcp-Name where the body has none', { arguments: {} }, { 'mcp-name': 'echo' }],
    ['broken base64', echo, { 'mcp-name': '=?base64?ZWNob?=' }],
    ['trap-6: base64 of something else', echo, { 'mcp-name': '=?base64?b3RoZXI=?=' }],
    ['base64 that is not UTF-8', echo, { 'mcp-name': '=?base64?/w==?=' }],
    ['trap-6: a marker in capitals', echo, { 'mcp-name': '=?BASE64?ZWNobw==?=' }],
    ['a version twice', echo, { 'mcp-protocol-version': ['2026-07-28', '2026-07-28'] }],
  ]
  it.each(mismatches)('%s gets 400 and -32020', async (_what, params, headers) => {
    const { handle, calls } = createRecording()
    const url = await open(handle)
    const answer = await sendEnveloped(url, 'tools/call', params, headers === undefined ? {} : { headers })
    expect([answer.status, answer.messages[0].error.code, answer.messages[0].id]).toEqual([400, -32020, 1])
    expect(calls).toEqual([])
  })

  it.each([
    ['base64', 'echo', '=?base64?ZWNobw==?='],
    ['a name outside ASCII', 'écho', '=?base64?w6ljaG8=?='],
    ['a name that looks like the marker', '=?base64?x?=', '=?base64?PT9iYXNlNjQ/eD89?='],
    ['a line break in base64', 'a\r\nb', '=?base64?YQ0KYg==?='],
    ['blanks around', 'echo', '  echo\t'],
  ])('trap-6: %s is read as the name it means', async (_what, name, header) => {
    const { handle, calls } = createRecording()
    const url = await open(handle)
    const answer = await sendEnveloped(url, 'tools/call', { name }, { headers: { 'mcp-name': header } })
    expect(answer.status).toBe(200)
    expect(calls[0]?.params.name).toBe(name)
  })

  it.each([
    ['prompts/get', { name: 'p' }],
    ['resources/read', { uri: 'file:///a%20b?c' }],
  ])('trap-5: %s is mirrored too', async (method, params) => {
    const url = await open(async () => ({}))
    expect((await sendEnveloped(url, method, params)).status).toBe(200)
    const bare = await sendEnveloped(url, method, params, { headers: { 'mcp-name': undefined } })
    expect([bare.status, bare.messages[0].error.code]).toEqual([400, -32020])
  })

  describe('of arguments', () => {
    const schema = {
      type: 'object',
      properties: {
        region: { type: 'string', 'x-mcp-header': 'Region' },
        count: { type: 'integer', 'x-mcp-header': 'Count' },
        dry: { type: 'boolean', 'x-mcp-header': 'Dry' },
        deep: { type: 'object', properties: { zone: { type: 'string', 'x-mcp-header': 'Zone' } } },
        plain: { type: 'string' },
      },
    }
    const send = async (given: JsonObject, headers: Record<string, string | string[]>) => {
      const { handle, calls } = createRecording()
      const url = await open(handle, { toolSchema: (name) => (name === 'go' ? schema : undefined) })
      const answer = await sendEnveloped(url, 'tools/call', { name: 'go', arguments: given }, { headers })
      return { answer, calls }
    }
    it.each<[string, JsonObject, Record<string, string | string[]>]>([
      ['text', { region: 'eu' }, { 'mcp-param-region': 'eu' }],
      ['a header name in another case', { region: 'eu' }, { 'MCP-PARAM-REGION': 'eu' }],
      ['an integer', { count: 42 }, { 'mcp-param-count': '42' }],
      ['an integer as another spelling', { count: 42 }, { 'mcp-param-count': '42.0' }],
      ['a boolean', { dry: true }, { 'mcp-param-dry': 'true' }],
      ['trap-6: text in base64', { region: 'südost' }, { 'mcp-param-region': '=?base64?c8O8ZG9zdA==?=' }],
      ['empty text', { region: '' }, { 'mcp-param-region': '' }],
      ['a nested argument', { deep: { zone: 'z' } }, { 'mcp-param-zone': 'z' }],
      ['trap-8: null and no header', { region: null }, {}],
      ['a header nobody annotated', { plain: 'x' }, { 'mcp-param-other': 'y' }],
    ])('%s is accepted', async (_what, given, headers) => {
      const { answer, calls } = await send(given, headers)
      expect(answer.status).toBe(200)
      expect(calls[0]?.params.arguments).toEqual(given)
    })

    it.each<[string, JsonObject, Record<string, string | string[]>]>([
      ['trap-8: an argument without its header', { region: 'eu' }, {}],
      ['another value', { region: 'eu' }, { 'mcp-param-region': 'us' }],
      ['another case', { region: 'eu' }, { 'mcp-param-region': 'EU' }],
      ['a header twice', { region: 'eu' }, { 'mcp-param-region': ['eu', 'eu'] }],
      ['a header without its argument', {}, { 'mcp-param-region': 'eu' }],
      ['trap-8: a header for null', { region: null }, { 'mcp-param-region': 'null' }],
      ['another number', { count: 42 }, { 'mcp-param-count': '43' }],
      ['no number', { count: 0 }, { 'mcp-param-count': '' }],
      ['a number in hex', { count: 42 }, { 'mcp-param-count': '0x2a' }],
      ['a boolean in capitals', { dry: true }, { 'mcp-param-dry': 'True' }],
      ['broken base64', { region: 'eu' }, { 'mcp-param-region': '=?base64?@@?=' }],
      ['an object where text was promised', { region: { a: 1 } }, { 'mcp-param-region': '[object Object]' }],
    ])('%s gets 400 and -32020', async (_what, given, headers) => {
      const { answer, calls } = await send(given, headers)
      expect([answer.status, answer.messages[0].error.code]).toEqual([400, -32020])
      expect(calls).toEqual([])
    })
  })
})

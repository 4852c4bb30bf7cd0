import { sendEnveloped, type WireOptions } from '@crosspoint/testkit'
import { describe, expect, it } from 'vitest'
import { McpError } from '../../errors.ts'
import type { Result } from '../../protocol/call.ts'
import { createOpen, createRecording } from './fixtures/recording.ts'

const open = createOpen()
const echo = { name: 'echo', arguments: { text: 'hi' } }

describe('a request with an envelope', () => {
  it('becomes a call in the newest vocabulary', async () => {
    const { handle, calls } = createRecording()
    const url = await open(handle)
    const meta = {
      'io.modelcontextprotocol/logLevel': 'warning',
      progressToken: 'p',
      'com.example/own': { kept: true },
      traceparent: '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01',
    }
    await sendEnveloped(url, 'tools/call', echo, { meta })
    expect(calls[0]).toMatchObject({
      method: 'tools/call',
      params: echo,
      meta: { 'com.example/own': { kept: true }, traceparent: meta.traceparent },
      principal: { id: 'anonymous' },
      downstream: { revision: '2026-07-28', client: { name: 'wire-client' }, capabilities: {}, session: undefined },
      interim: { progress: true, logLevel: 'warning' },
    })
    expect(Object.keys(calls[0]?.params ?? {})).toEqual(['name', 'arguments'])
    expect(Object.keys(calls[0]?.meta ?? {})).toEqual(['com.example/own', 'traceparent'])
  })

  it.each([1, 'a', '1', 0, -7, 9007199254740991, ''])(
    'is answered with its own id %j, whatever its type',
    async (id) => {
      const url = await open(createRecording().handle)
      const { text } = await sendEnveloped(url, 'tools/call', echo, { id })
      expect(text).toContain(`"id":${JSON.stringify(id)},"result"`)
    },
  )

  it('is answered as complete, with who we are', async () => {
    const url = await open(createRecording().handle)
    const { status, headers, messages } = await sendEnveloped(url, 'tools/call', echo)
    expect([status, headers['content-type'], headers['mcp-session-id']]).toEqual([200, 'application/json', undefined])
    expect(messages[0]).toEqual({
      jsonrpc: '2.0',
      id: 1,
      result: {
        resultType: 'complete',
        content: [],
        _meta: { 'io.modelcontextprotocol/serverInfo': { name: 's', version: '1' } },
      },
    })
  })

  it.each([
    ['tools/list', true],
    ['prompts/list', true],
    ['resources/list', true],
    ['resources/templates/list', true],
    ['server/discover', true],
    ['completion/complete', false],
  ])('%s is answered with caching hints: %s', async (method, hinted) => {
    const url = await open(async () => ({}))
    const { messages } = await sendEnveloped(url, method)
    expect(messages[0].result).toMatchObject({ resultType: 'complete' })
    expect(messages[0].result.ttlMs).toBe(hinted ? 0 : undefined)
    expect(messages[0].result.cacheScope).toBe(hinted ? 'private' : undefined)
  })

  it("keeps the handle's own hints and meta, and adds ours", async () => {
    const url = await open(async () => ({
      tools: [],
      ttlMs: 5,
      cacheScope: 'public',
      _meta: { own: 1, 'io.modelcontextprotocol/serverInfo': { name: 'upstream', version: '9' } },
    }))
    const { messages } = await sendEnveloped(url, 'tools/list')
    expect(messages[0].result).toEqual({
      resultType: 'complete',
      tools: [],
      ttlMs: 5,
      cacheScope: 'public',
      _meta: { own: 1, 'io.modelcontextprotocol/serverInfo': { name: 's', version: '1' } },
    })
  })

  it('server/discover names the versions that are served here, whatever the handle says', async () => {
    const url = await open(async () => ({ supportedVersions: ['2030-01-01'], capabilities: {} }))
    const { messages } = await sendEnveloped(url, 'server/discover')
    expect(messages[0].result.supportedVersions).toEqual(['2026-07-28'])
  })

  it('trap-12: passes input_required on where the method may ask, and nowhere else', async () => {
    const asked = { resultType: 'input_required', requestState: 's' }
    const url = await open(async () => asked)
    expect((await sendEnveloped(url, 'tools/call', echo)).messages[0].result).toMatchObject(asked)
    expect((await sendEnveloped(url, 'tools/list')).messages[0].error.code).toBe(-32021)
  })

  it.each<[string, unknown]>([
    ['nothing', undefined],
    ['null', null],
    ['what JSON cannot say', { big: 1n }],
  ])('answers -32603 when the handler gave %s', async (_what, result) => {
    const url = await open(async () => result as unknown as Result)
    expect((await sendEnveloped(url, 'tools/call', echo)).messages[0].error).toEqual({
      code: -32603,
      message: expect.any(String),
    })
  })

  it('abuse-09: answers -32603 when the handler gave a result too deep to serialise, and lives on', async () => {
    let deep: Result = {}
    for (let i = 0; i < 200_000; i++) deep = { deep }
    const url = await open(async (call) => (call.params.name === 'deep' ? deep : {}))
    expect((await sendEnveloped(url, 'tools/call', { name: 'deep' })).messages[0].error.code).toBe(-32603)
    expect((await sendEnveloped(url, 'tools/call', echo)).status).toBe(200)
  })
})

describe('abuse-19: what is missing or unknown', () => {
  const P = 'io.modelcontextprotocol/'
  it.each<[string, string, WireOptions, number, number]>([
    ['trap-1: no protocolVersion', 'tools/call', { meta: { [`${P}protocolVersion`]: undefined } }, 400, -32602],
    [
      'trap-1: a protocolVersion that is no string',
      'tools/call',
      { meta: { [`${P}protocolVersion`]: 7 } },
      400,
      -32602,
    ],
    ['trap-1: no clientCapabilities', 'tools/call', { meta: { [`${P}clientCapabilities`]: undefined } }, 400, -32602],
    [
      'trap-1: clientCapabilities that are no object',
      'tools/call',
      { meta: { [`${P}clientCapabilities`]: [] } },
      400,
      -32602,
    ],
    ['a log level that is none', 'tools/call', { meta: { [`${P}logLevel`]: 'loud' } }, 400, -32602],
    ['a progress token that is none', 'tools/call', { meta: { progressToken: 1.5 } }, 400, -32602],
    ['a version nobody speaks', 'tools/call', at('2099-01-01'), 400, -32022],
    ['an older version in an envelope', 'tools/call', at('2025-11-25'), 400, -32022],
    [
      'trap-4: a header of another version',
      'tools/call',
      { headers: { 'mcp-protocol-version': '2025-11-25' } },
      400,
      -32020,
    ],
    [
      'trap-4: a version nobody speaks and another in the header',
      'tools/call',
      { ...at('2099-01-01'), headers: {} },
      400,
      -32020,
    ],
    ['trap-4: no version header', 'tools/call', { headers: { 'mcp-protocol-version': undefined } }, 400, -32020],
    ['initialize', 'initialize', {}, 404, -32601],
    ['ping', 'ping', {}, 404, -32601],
    ['logging/setLevel', 'logging/setLevel', {}, 404, -32601],
    ['resources/subscribe', 'resources/subscribe', {}, 404, -32601],
    ['tasks/list', 'tasks/list', {}, 404, -32601],
    ['trap-7: an unknown method', 'no/such', {}, 404, -32601],
    ['a notification sent as a request', 'notifications/progress', {}, 404, -32601],
    ['__proto__', '__proto__', {}, 404, -32601],
  ])('%s gets its error, with the id', async (_what, method, options, status, code) => {
    const url = await open(createRecording().handle)
    const answer = await sendEnveloped(url, method, method === 'tools/call' ? echo : {}, { id: 'q', ...options })
    expect([answer.status, answer.messages[0].error.code, answer.messages[0].id]).toEqual([status, code, 'q'])
  })

  it('no clientInfo is fine', async () => {
    const url = await open(createRecording().handle)
    const answer = await sendEnveloped(url, 'tools/call', echo, { meta: { [`${P}clientInfo`]: undefined } })
    expect(answer.status).toBe(200)
  })

  it('an unsupported version is told what is supported', async () => {
    const url = await open(createRecording().handle)
    const { messages } = await sendEnveloped(url, 'tools/call', echo, at('2099-01-01'))
    expect(messages[0].error.data).toEqual({
      requested: '2099-01-01',
      supported: ['2026-07-28'],
    })
  })

  it('trap-15: a missing capability is named, with status 400', async () => {
    const url = await open(async () => {
      throw new McpError('caller.missing_capability', 'Needs sampling', {
        data: { requiredCapabilities: { sampling: {} } },
      })
    })
    const { status, messages } = await sendEnveloped(url, 'tools/call', echo)
    expect([status, messages[0].error]).toEqual([
      400,
      { code: -32021, message: 'Needs sampling', data: { requiredCapabilities: { sampling: {} } } },
    ])
  })

  function at(version: string): WireOptions {
    return { meta: { [`${P}protocolVersion`]: version }, headers: { 'mcp-protocol-version': version } }
  }
})

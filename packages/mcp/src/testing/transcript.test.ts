import { describe, expect, it } from 'vitest'
import { createServer } from '../server/index.ts'
import { checkTranscript, compareTranscript } from './check.ts'
import { testClient } from './test-client.ts'
import { type Recorded, toTranscript } from './transcript.ts'

async function record(revision?: string): Promise<string> {
  const server = createServer({ name: 'clocks', version: '1' })
  server.tool('now', {}, (_args, { progress }) => {
    progress(1, 1, 'looked')
    return `It is ${new Date().toISOString()}, ticket ${crypto.randomUUID()}`
  })
  const client = await testClient(server, revision === undefined ? {} : { revision })
  await client.callTool('now', {}, { onProgress: () => {} })
  await client.callTool('later').catch(() => {})
  await client.close()
  return client.transcript.text()
}

it('is the same for every run', async () => {
  expect(await record()).toBe(await record())
})

it('shows requests, notifications, results and errors, and nothing of the envelope', async () => {
  expect(await record('2026-07-28')).toBe(`\
> server/discover #1
< result #1
  {
    "cacheScope": "private",
    "capabilities": {
      "logging": {},
      "tools": {
        "listChanged": true
      }
    },
    "resultType": "complete",
    "supportedVersions": [
      "2026-07-28"
    ],
    "ttlMs": 0
  }
> tools/call #2
  {"arguments":{},"name":"now"}
< notifications/progress
  {"message":"looked","progress":1,"progressToken":"#2","total":1}
< result #2
  {"content":[{"text":"It is <time>, ticket <uuid 1>","type":"text"}],"resultType":"complete"}
> tools/call #3
  {"arguments":{},"name":"later"}
< error #3
  {"code":-32602,"message":"No tool named \\"later\\""}
`)
})

it('shows the opening of a revision with a handshake', async () => {
  expect(await record('2025-06-18')).toContain('> initialize #1\n')
  expect(await record('2025-06-18')).toContain('> notifications/initialized\n')
})

describe('of messages that repeat what is random', () => {
  const said: readonly Recorded[] = [
    { from: 'server', message: { jsonrpc: '2.0', id: 7, method: 'roots/list', params: {} } },
    { from: 'client', message: { jsonrpc: '2.0', id: 'x', method: 'a', params: { requestState: 'AAA' } } },
    { from: 'client', message: { jsonrpc: '2.0', id: 7, result: { requestState: 'BBB' } } },
    {
      from: 'client',
      message: { jsonrpc: '2.0', id: 8, method: 'a', params: { requestState: 'AAA', secret: 'k-42' } },
    },
    {
      from: 'server',
      message: [
        { jsonrpc: '2.0', id: 'x', result: {} },
        { jsonrpc: '2.0', method: 'n' },
      ],
    },
    { from: 'server', message: 'noise' },
  ]

  it('names the same value the same, and tells the ids of both sides apart', () => {
    expect(toTranscript(said, { replace: [[/k-\d+/g, '<key>']] })).toBe(`\
< roots/list #s1
> a #1
  {"requestState":"<requestState 1>"}
> result #s1
  {"requestState":"<requestState 2>"}
> a #2
  {"requestState":"<requestState 1>","secret":"<key>"}
< result #1
< n
< "noise"
`)
  })

  it('keeps the envelope when asked to', () => {
    const meta = { 'io.modelcontextprotocol/protocolVersion': 'x' }
    const message = { jsonrpc: '2.0', id: 1, method: 'a', params: { _meta: meta } }
    expect(toTranscript([{ from: 'client', message }])).toBe('> a #1\n')
    expect(toTranscript([{ from: 'client', message }], { envelope: true })).toContain('protocolVersion":"x"')
  })
})

describe('a comparison', () => {
  const long = Array.from({ length: 20 }, (_, at) => `line ${at}`)

  it('finds nothing where only the ends of lines and of the text differ', () => {
    expect(compareTranscript('a\nb\n', 'a\r\nb')).toBeUndefined()
    expect(() => checkTranscript('a', 'a\n')).not.toThrow()
  })

  it('shows the lines that differ with a few around them', () => {
    const found = [...long.slice(0, 10), 'new', ...long.slice(11)].join('\n')
    expect(compareTranscript(found, long.join('\n'))).toBe(
      [
        '  …',
        '  line 7',
        '  line 8',
        '  line 9',
        '- line 10',
        '+ new',
        '  line 11',
        '  line 12',
        '  line 13',
        '  …',
      ].join('\n'),
    )
  })

  it('keeps what is common between two changes', () => {
    expect(compareTranscript('a\nX\nc\nY', 'a\nb\nc\nd')).toBe('  a\n- b\n+ X\n  c\n- d\n+ Y')
  })

  it('takes texts too long to align', () => {
    const many = (prefix: string) => Array.from({ length: 2_500 }, (_, at) => `${prefix}${at}`).join('\n')
    expect(compareTranscript(many('a'), many('b'))?.split('\n')).toHaveLength(5_000)
  })

  it('throws with the difference', () => {
    expect(() => checkTranscript('a', 'b')).toThrow('not the one expected:\n- b\n+ a')
  })
})

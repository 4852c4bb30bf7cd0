import { PassThrough } from 'node:stream'
import { createDeferred, withEnvelope } from '@crosspoint/testkit'
import { describe, expect, it } from 'vitest'
import { CALLER_LIMITS } from '../../jsonrpc/limits.ts'
import type { Call, Result } from '../../protocol/call.ts'
import { serveStdio } from './serve.ts'

const serverInfo = { name: 's', version: '1' }
const answers = async (call: Call): Promise<Result> =>
  call.method === 'server/discover' ? { capabilities: {} } : { content: [], echoed: call.params.name }

function open(handle = answers, maxBytes = CALLER_LIMITS.maxBytes) {
  const stdin = new PassThrough()
  const stdout = new PassThrough()
  let written = ''
  stdout.setEncoding('utf8')
  stdout.on('data', (chunk: string) => {
    written += chunk
  })
  const served = serveStdio({ handle, serverInfo, limits: { ...CALLER_LIMITS, maxBytes } }, { stdin, stdout })
  const messages = async () => {
    await served.closed
    await new Promise(setImmediate)
    return written
      .split('\n')
      .filter((line) => line !== '')
      .map((line) => JSON.parse(line))
  }
  return { stdin, stdout, served, messages }
}

const call = (id: number, name: string) =>
  JSON.stringify({ jsonrpc: '2.0', id, method: 'tools/call', params: withEnvelope({ name }) })

describe('serveStdio', () => {
  it('answers what was written before stdin ended, and then is closed', async () => {
    const { stdin, messages } = open()
    stdin.end(`${call(1, 'a')}\n${call(2, 'b')}`)
    expect((await messages()).map(({ id, result }) => [id, result.echoed])).toEqual([
      [1, 'a'],
      [2, 'b'],
    ])
  })

  it('a whole conversation may be written at once', async () => {
    const { stdin, messages } = open()
    const params = { protocolVersion: '2025-06-18', capabilities: {}, clientInfo: serverInfo }
    stdin.end(
      [
        { jsonrpc: '2.0', id: 0, method: 'initialize', params },
        { jsonrpc: '2.0', method: 'notifications/initialized' },
        { jsonrpc: '2.0', id: 1, method: 'tools/call', params: { name: 'a' } },
      ]
        .map((message) => `${JSON.stringify(message)}\n`)
        .join(''),
    )
    expect((await messages()).map(({ id, result }) => [id, result.protocolVersion ?? result.echoed])).toEqual([
      [0, '2025-06-18'],
      [1, 'a'],
    ])
  })

  it('abuse-37: puts characters together that chunks share, and takes two messages in one chunk', async () => {
    const { stdin, messages } = open()
    for (const byte of Buffer.from(`${call(1, 'é€😀')}\n`)) stdin.write(Buffer.of(byte))
    stdin.end(`${call(2, 'b')}\n${call(3, 'c')}\n`)
    expect((await messages()).map(({ result }) => result.echoed)).toEqual(['é€😀', 'b', 'c'])
  })

  it('abuse-05: a line over the limit is refused and the next one answered', async () => {
    const { stdin, messages } = open(answers, 1_000)
    stdin.write('x'.repeat(5_000))
    stdin.write('x'.repeat(5_000))
    stdin.end(`\n${call(1, 'a')}\n`)
    const [refused, answered] = await messages()
    expect(refused.error.message).toBe('Cannot read a line longer than 1000 bytes')
    expect(answered.result.echoed).toBe('a')
  })

  it('abuse-06: a line that is not UTF-8 is refused and the next one answered', async () => {
    const { stdin, messages } = open()
    stdin.write(Buffer.from([0x22, 0xff, 0x22, 0x0a]))
    stdin.end(`${call(1, 'a')}\n`)
    const [refused, answered] = await messages()
    expect([refused.error.code, answered.result.echoed]).toEqual([-32700, 'a'])
  })

  it('trap-36: one message is one line, whatever is in it', async () => {
    const { stdin, messages, stdout } = open()
    let raw = ''
    stdout.on('data', (chunk: string) => {
      raw += chunk
    })
    stdin.end(`${call(1, 'a\nb\r\u2028')}\n`)
    expect((await messages())[0].result.echoed).toBe('a\nb\r\u2028')
    expect(raw.split('\n')).toHaveLength(2)
  })

  it('stops reading while nobody reads what it writes, and loses nothing', async () => {
    const stdin = new PassThrough()
    const stdout = new PassThrough({ highWaterMark: 1024 })
    const text = 'x'.repeat(64 * 1024)
    const served = serveStdio({ handle: async () => ({ content: [], text }), serverInfo }, { stdin, stdout })
    const count = 500
    for (let i = 0; i < count; i++) stdin.write(`${call(i, 'a')}\n`)
    await new Promise(setImmediate)
    await new Promise(setImmediate)
    // 500 answers are 32 MB: what waits is bounded by the mark and the calls that were at work.
    expect(stdout.writableLength).toBeLessThan(8 * 1024 * 1024)
    expect(stdin.isPaused()).toBe(true)
    let lines = 0
    stdout.on('data', (chunk: Buffer) => {
      for (const byte of chunk) if (byte === 0x0a) lines++
    })
    stdin.end()
    await served.closed
    await new Promise(setImmediate)
    expect(lines).toBe(count)
  })

  it('abuse-14: stops reading while more waits for the handshake than may, and loses nothing', async () => {
    const stdin = new PassThrough()
    const stdout = new PassThrough()
    let written = ''
    stdout.on('data', (chunk: Buffer) => {
      written += chunk
    })
    const discovered = createDeferred<Result>()
    const handle = (given: Call) => (given.method === 'server/discover' ? discovered.promise : answers(given))
    const served = serveStdio({ handle, serverInfo, maxConcurrent: 1_000, maxWaitingBytes: 100_000 }, { stdin, stdout })
    const params = { protocolVersion: '2025-06-18', capabilities: {}, clientInfo: serverInfo }
    const say = (id: number, method: string, more: object) =>
      void stdin.write(`${JSON.stringify({ jsonrpc: '2.0', id, method, params: more })}\n`)
    say(0, 'initialize', params)
    const count = 200
    for (let id = 1; id <= count; id++) say(id, 'tools/call', { name: 'a', arguments: { text: 'x'.repeat(10_000) } })
    while (!stdin.isPaused()) await new Promise(setImmediate)
    expect(stdin.readableLength + stdin.writableLength).toBeGreaterThan(1_800_000)
    discovered.resolve({ capabilities: {} })
    stdin.end()
    await served.closed
    await new Promise(setImmediate)
    const lines = written.split('\n').filter((line) => line !== '')
    expect(lines.map((line) => JSON.parse(line)).filter(({ result }) => result !== undefined)).toHaveLength(count + 1)
  })

  it('ends when stdout is gone', async () => {
    const { stdout, served } = open()
    stdout.destroy()
    await served.closed
  })

  it('aborts what does not finish after stdin has ended', async () => {
    const stdin = new PassThrough()
    const stdout = new PassThrough()
    stdout.resume()
    let aborted: Call | undefined
    const handle = (given: Call) => {
      aborted = given
      return new Promise<Result>(() => {})
    }
    const served = serveStdio({ handle, serverInfo }, { stdin, stdout, drainMs: 10 })
    stdin.end(`${call(1, 'a')}\n`)
    await served.closed
    expect(aborted?.cancellation.signal.aborted).toBe(true)
  })
})

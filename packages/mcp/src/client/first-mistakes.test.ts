import { createServer as createHttpServer, type Server as HttpServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { basename } from 'node:path'
import { afterEach, describe, expect, it } from 'vitest'
import { createServer } from '../server/index.ts'
import { type Client, connect, connectTo } from './index.ts'

/** What goes wrong for those who use a client for the first time, and what they are told. */

const client = { name: 'test', version: '1' }
const sites: HttpServer[] = []
afterEach(async () => {
  for (const site of sites.splice(0)) {
    site.closeAllConnections()
    await new Promise((resolve) => site.close(resolve))
  }
})

const failureOf = (promise: Promise<unknown>) =>
  promise.then(
    () => expect.unreachable(),
    ({ code, message }) => ({ code, message }),
  )

function program(text: string, args: string[] = []) {
  return { command: process.execPath, args: ['-e', text, ...args] }
}

const node = basename(process.execPath)

describe('a program that is no server', () => {
  const impatient = { client, probeTimeoutMs: 100, connectTimeoutMs: 1_000, killGraceMs: 100 }

  it('is quoted where it prints and never answers, and the option that gives it more time is named', async () => {
    const chatty = program(`console.log('Server ready!\\nand more'); setInterval(() => {}, 1e6)`, [
      '--',
      '--token',
      'secret',
    ])
    expect(await failureOf(connect(chatty, impatient))).toEqual({
      code: 'upstream.timeout',
      message: `Cannot open "${node}": no answer within 1 s; it wrote to stdout, where only messages belong: "Server ready!"; if it needs longer to start, raise "connectTimeoutMs"`,
    })
  })

  it('is quoted where it prints and ends', async () => {
    const short = program(`process.stdout.write('Server ready!')`)
    expect(await failureOf(connect(short, { client }))).toEqual({
      code: 'upstream.unavailable',
      message: `The server "${node}" exited with code 0; it wrote to stdout, where only messages belong: "Server ready!"`,
    })
  })

  it('is quoted briefly and on one line, whatever it writes', async () => {
    const loud = program(`console.log('\\u001b[2J' + 'x'.repeat(100_000))`)
    const { message } = await failureOf(connect(loud, { client }))
    expect(message.length).toBeLessThan(400)
    expect(message).not.toContain('\u001b')
  })
})

describe('a URL of something else', () => {
  async function site(status: number): Promise<string> {
    const server = createHttpServer((_, response) => {
      response.writeHead(status, { 'content-type': 'text/html; charset=utf-8' }).end('<html>Welcome</html>')
    })
    sites.push(server)
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    return `127.0.0.1:${(server.address() as AddressInfo).port}`
  }

  it('is told of as the web page it is', async () => {
    const where = await site(200)
    expect(await failureOf(connect(`http://${where}/mcp`, { client }))).toEqual({
      code: 'upstream.protocol',
      message: expect.stringMatching(
        /^Cannot read the answer of .* to ".*": there is a web page \(text\/html\) and no MCP server; check the path of the URL$/,
      ),
    })
  })

  it('that speaks no TLS is not said to have a bad certificate', async () => {
    const where = await site(200)
    expect(await failureOf(connect(`https://${where}/mcp`, { client }))).toEqual({
      code: 'upstream.unavailable',
      message: expect.stringMatching(/does not speak TLS \(\w+\); if it is plain HTTP, write "http:\/\/" in place of/),
    })
  })
})

describe('what nothing can be reached by', () => {
  it('is the mistake of whoever wrote it, and told as that', async () => {
    expect(await failureOf(connect('node server.mjs', { client }))).toEqual({
      code: 'caller.invalid_params',
      message: expect.stringContaining('{ command, args } for a program to start'),
    })
  })

  it('is refused when it is written, not to every caller', () => {
    expect(() => connectTo('node server.mjs')).toThrow('Cannot connect to "node server.mjs"')
  })

  it('a revision nobody knows is answered with those there are', async () => {
    const { code, message } = await failureOf(connect('http://127.0.0.1:9/mcp', { client, revision: '2026-7-28' }))
    expect(code).toBe('caller.unsupported_revision')
    expect(message).toContain('known revisions are')
    expect(message).toContain('2026-07-28')
  })
})

describe('a call in plain JavaScript', () => {
  async function open(): Promise<Client> {
    const server = createServer({ name: 's', version: '1' })
    server.tool('a', { task: true }, () => 'x')
    server.tool('wait', {}, () => new Promise<string>(() => {}))
    return connect(server, { client })
  }
  const at = { name: 'a', uri: 'a://b', arguments: {} } as unknown as string // what types would have refused
  const misspelt = { onprogress() {} } as object

  it.each<[string, (it: Client) => Promise<unknown>]>([
    ['callTool(name, args, options)', (it) => it.callTool(at)],
    ['startTask(name, args, options)', (it) => it.startTask(at)],
    ['readResource(uri, options)', (it) => it.readResource(at)],
    ['getPrompt(name, args, options)', (it) => it.getPrompt(at)],
  ])('that gives one object is shown how it is written: %s', async (usage, call) => {
    await using it = await open()
    expect((await failureOf(call(it))).message).toBe(`Cannot do without a text as first argument: write ${usage}`)
  })

  it.each<[string, (it: Client) => Promise<unknown>]>([
    ['callTool', (it) => it.callTool('a', {}, misspelt)],
    ['startTask', (it) => it.startTask('a', {}, misspelt)],
    ['readResource', (it) => it.readResource('a://b', misspelt)],
    ['getPrompt', (it) => it.getPrompt('a', {}, misspelt)],
    [
      'complete',
      (it) => it.complete({ ref: { type: 'ref/prompt', name: 'a' }, argument: { name: 'b', value: '' } }, misspelt),
    ],
    ['listTools', (it) => it.listTools(misspelt).all()],
    ['request', (it) => it.request('tools/list', {}, misspelt)],
  ])('with an option nobody reads is told which one was meant: %s', async (_, call) => {
    await using it = await open()
    expect((await failureOf(call(it))).message).toMatch(
      / with the option "onprogress": there is none; did you mean "onProgress"\?$/,
    )
  })

  it('that is cancelled is named with its tool', async () => {
    await using it = await open()
    const giveUp = new AbortController()
    const waiting = failureOf(it.callTool('wait', {}, { signal: giveUp.signal }))
    giveUp.abort()
    expect(await waiting).toEqual({ code: 'caller.cancelled', message: 'Cancelled "tools/call" of "wait"' })
  })
})

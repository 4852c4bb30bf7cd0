import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { gzipSync } from 'node:zlib'
import {
  createDoors,
  createFakeClock,
  JSON_HEADERS,
  openRaw,
  openWireSession,
  sendHttp,
  toEnveloped,
  toRawHttp,
  withEnvelope,
} from '@crosspoint/testkit'
import { afterEach, describe, expect, it } from 'vitest'
import { CALLER_LIMITS } from '../../jsonrpc/limits.ts'
import type { Call, Result } from '../../protocol/call.ts'
import { openHttpDoor } from './door.ts'

/** Bodies that are too large, broken or hostile, over real sockets. */

const doors = createDoors()
afterEach(() => doors.closeAll())

async function open(limits: Partial<typeof CALLER_LIMITS> = {}) {
  const calls: Call[] = []
  const handle = async (call: Call): Promise<Result> => {
    calls.push(call)
    return { content: [], echoed: call.params.arguments }
  }
  const { door, url } = await doors.open(handle, { limits: { ...CALLER_LIMITS, ...limits } })
  return { port: door.port, url, calls }
}

/** Bytes of buffers that something still holds: without collecting first, it would be a measure of when that is done. */
function heldInBuffers(): number {
  setFlagsFromString('--expose-gc')
  const collect: () => void = runInNewContext('gc')
  collect()
  collect() // buffers are freed beside the first, which the second waits for
  return process.memoryUsage().arrayBuffers
}

/** The headers of a call, with another body. */
const headers = toEnveloped('tools/call', { name: 'echo' }).headers ?? {}
const post = (url: string, body: string, more: Record<string, string | undefined> = {}) =>
  sendHttp(url, {
    headers: Object.fromEntries(Object.entries({ ...headers, ...more }).filter(([, value]) => value !== undefined)),
    body,
  })

/** A call whose arguments are this JSON text. */
const callWith = (text: string, id = '1') =>
  `{"jsonrpc":"2.0","id":${id},"method":"tools/call","params":{"name":"echo","arguments":${text},"_meta":${JSON.stringify(withEnvelope()._meta)}}}`

describe('abuse-04: what the headers promise', () => {
  it.each([
    [undefined, 415],
    ['text/plain', 415],
    ['application/jsonp', 415],
    ['application/x-www-form-urlencoded', 415],
    ['multipart/form-data', 415],
    ['text/plain; x=application/json', 415],
    ['application/json; charset=utf-16', 415],
    ['application/json', 200],
    ['application/json; charset=utf-8', 200],
    ['Application/JSON;charset="UTF-8"', 200],
  ])('a body of type %j gets %i', async (type, status) => {
    const { url } = await open()
    expect((await post(url, callWith('{}'), { 'content-type': type })).status).toBe(status)
  })

  it.each([
    ['text/html', 406],
    ['image/*, text/html', 406],
    ['application/json;q=0, text/event-stream;q=0', 406],
    ['application/json', 200],
    ['text/event-stream', 200],
    ['*/*', 200],
    ['application/*;q=0.5', 200],
    ['text/event-stream,application/json', 200],
    [undefined, 200],
  ])('a client that accepts %j gets %i', async (accept, status) => {
    const { url } = await open()
    expect((await post(url, callWith('{}'), { accept })).status).toBe(status)
  })

  it('a client that cannot read streams gets none', async () => {
    const { url } = await open()
    const session = await openWireSession(url)
    const accept = 'application/json'
    expect((await sendHttp(url, { method: 'GET', headers: { ...session.headers, accept } })).status).toBe(406)
  })
})

describe('abuse-05: too much', () => {
  it('a body that announces more than the limit gets 413 and the connection ends', async () => {
    const { port } = await open({ maxBytes: 1_000 })
    const peer = await openRaw(port)
    peer.write(
      'POST /mcp HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: 1001\r\n\r\n',
    )
    const answer = await peer.until('\r\n\r\n')
    expect(answer).toMatch(/^HTTP\/1\.1 413 /)
    expect(answer).toMatch(/connection: close/i)
    peer.socket.end()
    await peer.ended
  })

  it('a chunked body over the limit gets 413 and the connection ends', async () => {
    const { port, calls } = await open({ maxBytes: 100_000 })
    const peer = await openRaw(port)
    peer.write(
      'POST /mcp HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n',
    )
    const chunk = `4000\r\n${'x'.repeat(0x4000)}\r\n`
    for (let sent = 0; sent < 20; sent++) peer.write(chunk)
    peer.write('0\r\n\r\n')
    expect(await peer.ended).toMatch(/^HTTP\/1\.1 413 /)
    expect(calls).toEqual([])
  })

  it('a body of exactly the limit is read', async () => {
    const empty = callWith('{"x":""}').length
    const { url } = await open({ maxBytes: empty + 100 })
    expect((await post(url, callWith(`{"x":"${'y'.repeat(100)}"}`))).status).toBe(200)
    expect((await post(url, callWith(`{"x":"${'y'.repeat(101)}"}`))).status).toBe(413)
  })

  it('holds no more than the limit and one chunk of a body that goes on for ever', async () => {
    const { port } = await open({ maxBytes: 64 * 1024 })
    const peer = await openRaw(port)
    peer.write(
      'POST /mcp HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n',
    )
    const chunk = `10000\r\n${'x'.repeat(0x10000)}\r\n`
    let isOver = false
    const ended = peer.ended.then((text) => {
      isOver = true
      return text
    })
    const before = heldInBuffers()
    let most = 0
    for (let sent = 1; sent <= 1_000 && !isOver; sent++) {
      // Each chunk leaves the client before the next, so that what is held is held by the door.
      await Promise.race([new Promise((left) => peer.socket.write(chunk, left)), ended])
      if (sent % 100 === 0) most = Math.max(most, heldInBuffers() - before)
    }
    expect(await ended).toMatch(/^HTTP\/1\.1 413 /)
    expect(Math.max(most, heldInBuffers() - before)).toBeLessThan(1024 * 1024)
  })

  it.each([
    ['413, announced', 413, 'Content-Type: application/json\r\nContent-Length: 1000000000'],
    ['413, in chunks', 413, 'Content-Type: application/json\r\nTransfer-Encoding: chunked'],
    ['415', 415, 'Content-Type: text/plain\r\nTransfer-Encoding: chunked'],
  ])('is not read on once it was refused: %s', async (_what, status, lines) => {
    const clock = createFakeClock()
    const limits = { ...CALLER_LIMITS, maxBytes: 1_000 }
    const { door } = await doors.open(async () => ({}), { limits, clock }, { clock })
    const peer = await openRaw(door.port)
    peer.write(`POST /mcp HTTP/1.1\r\nHost: localhost\r\n${lines}\r\n\r\n`)
    const chunk = `10000\r\n${'x'.repeat(0x10000)}\r\n`
    let pushed = 0
    let stalled = 0
    const push = () =>
      peer.socket.write(chunk, (error) => {
        if (error) return
        pushed += chunk.length
        stalled = 0
        push()
      })
    push()
    const answer = await peer.until('\r\n\r\n')
    expect(answer).toMatch(new RegExp(`^HTTP/1\\.1 ${status} `))
    expect(answer).toMatch(/connection: close/i)
    // Both ends are in this process: who could still push would do so in one of so many turns.
    while (stalled++ < 2_000 && pushed < 256 * 1024 * 1024) await new Promise(setImmediate)
    expect(pushed).toBeLessThan(32 * 1024 * 1024) // what the system holds of a connection nobody reads
    clock.advance(1_000)
    await peer.ended
  })

  it.each(['gzip', 'deflate', 'br', 'zstd', 'gzip, identity'])(
    'a body in %s is refused undecoded',
    async (encoding) => {
      const { port, calls } = await open()
      const bomb = gzipSync(Buffer.alloc(10 * 1024 * 1024))
      const peer = await openRaw(port)
      peer.write(
        `POST /mcp HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nContent-Type: application/json\r\nContent-Encoding: ${encoding}\r\nContent-Length: ${bomb.length}\r\n\r\n`,
      )
      peer.write(bomb)
      expect(await peer.ended).toMatch(/^HTTP\/1\.1 415 /)
      expect(calls).toEqual([])
    },
  )

  it('a connection that ends in the middle of a body is forgotten', async () => {
    const { url, port, calls } = await open()
    const peer = await openRaw(port)
    peer.write(
      'POST /mcp HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: 100\r\n\r\n{"json',
    )
    peer.destroy()
    await peer.ended
    expect((await post(url, callWith('{}'))).status).toBe(200)
    expect(calls).toHaveLength(1)
  })
})

describe('abuse-06: not JSON', () => {
  it.each([
    ['nothing', ''],
    ['half a message', '{"jsonrpc":"2.0"'],
    ['two messages', '{"jsonrpc":"2.0","method":"a"}{"jsonrpc":"2.0","method":"b"}'],
    ['words', 'hello'],
    ['a comment', '/* */ {"jsonrpc":"2.0","method":"a"}'],
    ['NaN', callWith('{"x":NaN}')],
    ['a byte order mark', `\uFEFF${callWith('{}')}`],
    ['half a surrogate pair', callWith('{"x":"\\ud800"}')],
    ['the other half', callWith('{"x":"\\udc00 \\ud800"}')],
    ['a line break in a string', callWith('{"x":"\n"}')],
  ])('%s gets 400 and -32700', async (_what, body) => {
    const { url, calls } = await open()
    const answer = await post(url, body)
    expect([answer.status, answer.messages[0].error.code]).toEqual([400, -32700])
    expect(calls).toEqual([])
  })

  it.each([
    ['a stray byte', [0xff]],
    ['half a character', [0xe2, 0x82]],
    ['an overlong slash', [0xc0, 0xaf]],
    ['a surrogate as bytes', [0xed, 0xa0, 0x80]],
  ])('%s gets 400 and -32700', async (_what, bytes) => {
    const { port } = await open()
    const [before, after] = callWith('{"x":"HERE"}').split('HERE')
    const body = Buffer.concat([Buffer.from(before ?? ''), Buffer.from(bytes), Buffer.from(after ?? '')])
    const peer = await openRaw(port)
    peer.write(
      `POST /mcp HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nContent-Type: application/json\r\nContent-Length: ${body.length}\r\n\r\n`,
    )
    peer.write(body)
    const answer = await peer.ended
    expect(answer).toMatch(/^HTTP\/1\.1 400 /)
    expect(answer).toContain('-32700')
  })

  it('characters outside ASCII, whole, come back as they were, however the body is cut', async () => {
    const { port } = await open()
    const text = 'é€😀\u2028'
    const { headers: all = {} } = toEnveloped('tools/call', { name: 'echo' })
    const body = Buffer.from(callWith(JSON.stringify({ text })))
    const peer = await openRaw(port)
    const lines = Object.entries({ ...all, host: 'localhost', connection: 'close', 'content-length': body.length })
    peer.write(`POST /mcp HTTP/1.1\r\n${lines.map(([name, value]) => `${name}: ${String(value)}\r\n`).join('')}\r\n`)
    for (const byte of body) peer.write(Buffer.of(byte))
    const answer = Buffer.from(await peer.ended, 'latin1').toString('utf8')
    expect(JSON.parse(answer.slice(answer.indexOf('{'))).result.echoed).toEqual({ text })
  })
})

describe('abuse-07: not JSON-RPC', () => {
  it.each([
    ['no version', '{"id":1,"method":"ping"}'],
    ['another version', '{"jsonrpc":"1.0","id":1,"method":"ping"}'],
    ['a version that is a number', '{"jsonrpc":2.0,"id":1,"method":"ping"}'],
    ['an id of null', '{"jsonrpc":"2.0","id":null,"method":"ping"}'],
    ['an object as id', '{"jsonrpc":"2.0","id":{},"method":"ping"}'],
    ['a fraction as id', '{"jsonrpc":"2.0","id":1.5,"method":"ping"}'],
    ['a truth as id', '{"jsonrpc":"2.0","id":true,"method":"ping"}'],
    ['no method', '{"jsonrpc":"2.0","id":1}'],
    ['a method that is no string', '{"jsonrpc":"2.0","id":1,"method":7}'],
    ['an empty method', '{"jsonrpc":"2.0","id":1,"method":""}'],
    ['an array as params', '{"jsonrpc":"2.0","id":1,"method":"ping","params":[]}'],
    ['result and error', '{"jsonrpc":"2.0","id":1,"result":{},"error":{"code":1,"message":"x"}}'],
    ['method and result', '{"jsonrpc":"2.0","id":1,"method":"ping","result":{}}'],
    ['a string', '"ping"'],
    ['a number', '7'],
    ['null', 'null'],
    ['an empty array', '[]'],
  ])('%s gets 400 and -32600', async (_what, body) => {
    const { url } = await open()
    const answer = await post(url, body)
    expect([answer.status, answer.messages[0].error.code]).toEqual([400, -32600])
  })

  it('a client-sent response gets 400 without a session', async () => {
    const { url } = await open()
    for (const body of [
      '{"jsonrpc":"2.0","id":1,"result":{}}',
      '{"jsonrpc":"2.0","id":1,"error":{"code":1,"message":"x"}}',
    ]) {
      expect((await sendHttp(url, { headers: JSON_HEADERS, body })).status).toBe(400)
    }
  })
})

describe('abuse-09: too deep', () => {
  const nested = (levels: number) => `${'['.repeat(levels)}${']'.repeat(levels)}`

  it('nesting beyond 64 gets 400 and -32600, at any depth', async () => {
    const { url } = await open()
    expect((await post(url, callWith(`{"x":${nested(61)}}`))).status).toBe(200)
    for (const levels of [62, 1_000, 1_000_000]) {
      const answer = await post(url, callWith(`{"x":${nested(levels)}}`))
      expect([answer.status, answer.messages[0].error.code]).toEqual([400, -32600])
    }
  })
})

describe('abuse-10: keys named twice', () => {
  it.each([
    ['at the top', '{"jsonrpc":"2.0","id":1,"method":"tools/list","method":"tools/call","params":{}}'],
    ['in the arguments', callWith('{"path":"/safe","path":"/etc"}')],
    ['spelled differently', callWith('{"path":"/safe","\\u0070ath":"/etc"}')],
    ['deep inside', callWith('{"a":[{"b":{"c":1,"c":2}}]}')],
    ['__proto__ twice', callWith('{"__proto__":1,"__proto__":2}')],
  ])('%s get 400 and -32600', async (_what, body) => {
    const { url, calls } = await open()
    const answer = await post(url, body)
    expect([answer.status, answer.messages[0].error.code]).toEqual([400, -32600])
    expect(calls).toEqual([])
  })
})

describe('abuse-11: keys that reach into objects', () => {
  it.each([
    '{"__proto__":{"polluted":1}}',
    '{"constructor":{"prototype":{"polluted":1}}}',
    '{"x":{"__proto__":{"polluted":1}},"toString":1,"hasOwnProperty":2}',
  ])('%s is data and nothing else', async (text) => {
    const { url, calls } = await open()
    const answer = await post(url, callWith(text))
    expect(answer.status).toBe(200)
    expect(JSON.stringify(answer.messages[0].result.echoed)).toBe(text)
    expect(JSON.stringify(calls[0]?.params.arguments)).toBe(text)
    expect(({} as Record<string, unknown>).polluted).toBeUndefined()
  })

  it('in the envelope and beside the params', async () => {
    const { url, calls } = await open()
    const envelope = JSON.stringify(withEnvelope()._meta).slice(0, -1)
    const body = `{"jsonrpc":"2.0","id":1,"method":"tools/call","__proto__":{"polluted":1},"params":{"__proto__":{"polluted":1},"name":"echo","_meta":${envelope},"__proto__":{"polluted":1}}}}`
    expect((await post(url, body)).status).toBe(200)
    expect(({} as Record<string, unknown>).polluted).toBeUndefined()
    const [{ params, meta } = {}] = calls
    expect(Object.getPrototypeOf(params)).toBe(Object.prototype)
    expect(Object.hasOwn(params ?? {}, '__proto__')).toBe(true)
    expect(Object.hasOwn(meta ?? {}, '__proto__')).toBe(true)
  })
})

describe('abuse-12: numbers', () => {
  it.each(['1e400', '-0', '-0.0', '9007199254740993', '123456789012345678901234567890', '-1e999'])(
    '%s cannot be passed on unchanged and gets -32602',
    async (number) => {
      const { url, calls } = await open()
      const answer = await post(url, callWith(`{"x":${number}}`))
      expect(answer.messages[0].error.code).toBe(-32602)
      expect(answer.messages[0].id).toBe(1)
      expect(calls).toEqual([])
    },
  )

  it.each(['0', '1', '-7', '42.5', '9007199254740991', '1e21', '0.1'])('%s is passed on as it is', async (number) => {
    const { url, calls } = await open()
    expect((await post(url, callWith(`{"x":${number}}`))).status).toBe(200)
    expect(calls[0]?.params.arguments).toEqual({ x: Number(number) })
  })

  it.each(['9007199254740993', '123456789012345678901234567890'])('an id of %s is echoed exactly', async (id) => {
    const { url } = await open()
    const answer = await post(url, callWith('{}', id))
    expect(answer.text).toContain(`"id":${id},`)
    expect(answer.messages[0].error.code).toBe(-32602)
  })
})

describe('abuse-14: bodies without an answer yet, all connections together', () => {
  const part = (size: number) => {
    const whole = toRawHttp('/mcp', { headers, body: ' '.repeat(size * 2) })
    return whole.slice(0, whole.length - size)
  }

  it('are bounded: one too many gets 503, and room is made again', async () => {
    const door = await openHttpDoor({
      endpoint: () => ({ handle: async () => ({ content: [] }), serverInfo: { name: 's', version: '1' } }),
      maxHeldBytes: 1024 * 1024,
    })
    try {
      const [one, other] = [await openRaw(door.port), await openRaw(door.port)]
      for (const peer of [one, other]) peer.write(part(1_000_000))
      const refused = await Promise.race([one, other].map((peer) => peer.until('HTTP/1.1 503').then(() => peer)))
      const taken = refused === one ? other : one
      taken.write(' '.repeat(1_000_000))
      await taken.until('HTTP/1.1 400')
      const large = callWith(JSON.stringify('x'.repeat(2_000_000)))
      expect((await post(`${door.url}/mcp`, large)).status).toBe(200)
    } finally {
      await door.close({ drainMs: 0 })
    }
  })

  it('count until they are answered, or their caller has gone', async () => {
    const started: Call[] = []
    const ends: (() => void)[] = []
    const { door, url } = await doors.open(
      (call) => {
        started.push(call)
        return new Promise((resolve) => ends.push(() => resolve({ content: [] })))
      },
      {},
      { maxHeldBytes: 3_000_000 },
    )
    const large = callWith(JSON.stringify('x'.repeat(2_000_000)))
    const small = callWith('{}')
    const whole = toRawHttp('/mcp', { headers, body: large })
    const [one, other] = [await openRaw(door.port), await openRaw(door.port)]
    one.write(whole)
    while (started.length < 1) await new Promise(setImmediate)
    expect((await post(url, large)).status).toBe(503)
    const beside = post(url, small)
    while (started.length < 2) await new Promise(setImmediate)
    for (const end of ends.splice(0)) end()
    expect((await beside).status).toBe(200)
    await one.until('HTTP/1.1 200')
    other.write(whole)
    while (started.length < 3) await new Promise(setImmediate)
    const gone = new Promise((resolve) => started[2]?.cancellation.watch({ cancelled: () => resolve(undefined) }))
    other.destroy()
    await gone
    const last = post(url, large)
    while (started.length < 4) await new Promise(setImmediate)
    for (const end of ends) end()
    expect((await last).status).toBe(200)
  })
})

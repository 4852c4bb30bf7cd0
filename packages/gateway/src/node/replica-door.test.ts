import { sendHttp } from '@crosspoint/testkit'
import { afterEach, describe, expect, test } from 'vitest'
import { deriveClusterKeys } from './cluster-keys.ts'
import { createPasses, DIGEST, PASS, TO } from './passes.ts'
import { openReplicaDoor, type ReplicaDoor } from './replica-door.ts'
import { sha256 } from './sha256.ts'

const SECRET = 'gateways of a test trust each other by this'
const ANNA = { id: 'anna', tenant: 't', scopes: ['x'], attributes: { roles: ['r'] } }
const BODY = '{"jsonrpc":"2.0","id":1,"method":"ping"}'

let door: ReplicaDoor | undefined
afterEach(async () => {
  await door?.close()
  door = undefined
})

async function open(options: { now?: () => number; secret?: string } = {}) {
  const received: { principal: unknown; headers: unknown; body: string }[] = []
  const now = options.now ?? Date.now
  door = await openReplicaDoor({
    host: '127.0.0.1',
    port: 0,
    node: 'me',
    passes: createPasses(deriveClusterKeys(SECRET), now),
    refused: () => {},
    maxBytes: 1_000,
    receive: () => (request, response, principal) => {
      request.on('data', (chunk: Buffer) =>
        received.push({ principal, headers: request.headers, body: chunk.toString() }),
      )
      request.on('end', () => void response.writeHead(200).end('taken'))
    },
  })
  const passes = createPasses(deriveClusterKeys(options.secret ?? SECRET), now)
  const digest = sha256(BODY)
  const passing = { to: 'me', method: 'POST', url: '/mcp', headers: { 'mcp-session-id': 'id' }, digest }
  const send = (pass: string, { url = '/mcp', more = {}, body = BODY, method = 'POST' } = {}) =>
    sendHttp(`${door?.address}${url}`, {
      method,
      headers: { 'mcp-session-id': 'id', [PASS]: pass, [TO]: 'me', [DIGEST]: digest, ...more },
      body,
    })
  return { received, send, passes, passing, pass: () => passes.write(passing, ANNA) }
}

test('what another gateway hands on is taken for the caller that it says, once', async () => {
  const { received, send, pass } = await open()
  const written = pass()
  expect(await send(written)).toMatchObject({ status: 200, text: 'taken' })
  expect(received).toMatchObject([{ principal: ANNA, body: BODY }])
  expect(await send(written)).toMatchObject({ status: 401 })
  expect(received).toHaveLength(1)
})

describe('abuse-21: a pass is for one request alone', () => {
  test.each<[string, Parameters<Awaited<ReturnType<typeof open>>['send']>[1]]>([
    ['at another path', { url: '/mcp/other' }],
    ['by another method', { method: 'PUT' }],
    ['for another session', { more: { 'mcp-session-id': 'other' } }],
    ['with a header more', { more: { 'last-event-id': 'x' } }],
    ['with another body', { body: BODY.replace('ping', 'pong') }],
    ['with another digest', { more: { [DIGEST]: sha256('other') } }],
    ['without one', { more: { [PASS]: '' } }],
  ])('and not %s', async (_, other) => {
    const { received, send, pass } = await open()
    const { status, text } = await send(pass(), other)
    expect([status, text]).toEqual([401, '{"error":"This is not for you"}\n'])
    expect(received).toEqual([])
  })

  test('and not by another secret, for another gateway, or at another time', async () => {
    let now = 1_000_000
    const stranger = await open({ secret: `${SECRET}!` })
    expect((await stranger.send(stranger.pass())).status).toBe(401)
    await door?.close()
    const { send, pass, passes, passing } = await open({ now: () => now })
    expect((await send(passes.write({ ...passing, to: 'you' }, ANNA))).status).toBe(401)
    expect((await send(pass(), { more: { [TO]: 'you' } })).status).toBe(421)
    const written = pass()
    now += 31_000
    expect((await send(written)).status).toBe(401)
    now -= 62_000
    expect((await send(written)).status).toBe(401)
    now += 31_000
    expect((await send(written)).status).toBe(200)
  })
})

test('credentials of callers get no pass, and nothing without a pass is read', async () => {
  const { received, send, pass } = await open()
  await send(pass(), { more: { accept: 'application/json' } }) // not what the pass is for
  expect(received).toEqual([])
  const { toPassed } = await import('./passes.ts')
  expect(
    toPassed({
      authorization: 'Bearer x',
      cookie: 'y',
      'x-api-key': 'z',
      host: 'h',
      'mcp-method': 'm',
      accept: 'a',
      'mcp-name': ['n'] as never,
    }),
  ).toEqual({ 'mcp-method': 'm', accept: 'a' })
})

test('a previous secret opens what is sealed, and seals nothing', () => {
  const [before, during, after] = [
    deriveClusterKeys('a'.repeat(32)),
    deriveClusterKeys('b'.repeat(32), 'a'.repeat(32)),
    deriveClusterKeys('b'.repeat(32)),
  ]
  expect(during.open('x', before.seal('x', 'text'))?.text).toBe('text')
  expect(after.open('x', during.seal('x', 'text'))?.text).toBe('text')
  expect(before.open('x', during.seal('x', 'text'))).toBeUndefined()
  expect(after.open('y', during.seal('x', 'text'))).toBeUndefined()
  expect(after.open('x', 'AAAA')).toBeUndefined()
  expect(during.states).toHaveLength(2)
})

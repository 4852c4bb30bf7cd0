import { createServer } from 'node:http'
import { type PlainAnswer, type SeenRequest, startPlainServer } from '@crosspoint/testkit'
import { afterEach, describe, expect, it } from 'vitest'
import type { AuthError } from '../errors.ts'
import { pinnedFetch } from '../node/pinned-fetch.ts'
import { createHttp, type Fetch, type HttpOptions } from './http.ts'
import { createReach } from './reach.ts'

const cleanup: (() => Promise<void>)[] = []
afterEach(async () => {
  for (const end of cleanup.splice(0).reverse()) await end()
})

const platformFetch: Fetch = (url, { allowsAddress: _, ...init }) => fetch(url, init)

async function start(answer: (request: SeenRequest) => PlainAnswer) {
  const server = await startPlainServer(answer)
  cleanup.push(() => server.stop())
  return server
}

const failureOf = (promise: Promise<unknown>): Promise<AuthError> =>
  promise.then(
    () => expect.fail('no error'),
    (error) => error,
  )

describe.each([
  ['the platform’s fetch', platformFetch],
  ['the one that pins addresses', pinnedFetch],
])('by %s', (_, fetch) => {
  const open = (origin: string, options: Partial<HttpOptions> = {}) =>
    createHttp({ fetch, reach: createReach({ server: new URL(`${origin}/mcp`) }), ...options })

  it('reads an object, and says where there is none', async () => {
    const { origin } = await start(({ path }) => ({ status: 203, body: path === '/a' ? { a: 1 } : 'text' }))
    expect(await open(origin).get(`${origin}/a`, 'it')).toMatchObject({ status: 203, body: { a: 1 } })
    expect((await open(origin).get(`${origin}/b`, 'it')).body).toBeUndefined()
  })

  it('abuse-30: a body larger than its bound is not read to the end', async () => {
    const { origin } = await start(() => ({ body: { a: 'x'.repeat(2_000_000) } }))
    const failure = await failureOf(open(origin).get(origin, 'it'))
    expect([failure.code, failure.message]).toEqual([
      'peer.unavailable',
      'Cannot reach it: it says more than 1048576 bytes',
    ])
  })

  it('abuse-30: an answer that does not come, or does not end, is given up', async () => {
    const silent = createServer((request, response) => {
      if (request.url === '/half') response.write('{')
    })
    await new Promise<void>((resolve) => silent.listen(0, '127.0.0.1', resolve))
    cleanup.push(async () => {
      silent.closeAllConnections()
      await new Promise((resolve) => silent.close(resolve))
    })
    const address = silent.address()
    const origin = `http://127.0.0.1:${typeof address === 'object' ? address?.port : 0}`
    for (const path of ['/none', '/half']) {
      const failure = await failureOf(open(origin, { timeoutMs: 30 }).get(`${origin}${path}`, 'it'))
      expect(failure.message).toBe('Cannot reach it: no answer within 0.03 s')
    }
  })

  it('abuse-30: each redirect is checked, and more than three are too many', async () => {
    const { origin, seen } = await start(({ path }) => {
      if (path === '/inside') return { status: 302, headers: { location: 'http://169.254.169.254/' } }
      if (path === '/round') return { status: 302, headers: { location: '/round' } }
      return path === '/moved' ? { status: 308, headers: { location: '/here' } } : { body: { here: true } }
    })
    expect((await open(origin).get(`${origin}/moved`, 'it')).body).toEqual({ here: true })
    expect((await failureOf(open(origin).get(`${origin}/inside`, 'it'))).code).toBe('policy.forbidden_url')
    expect((await failureOf(open(origin).get(`${origin}/round`, 'it'))).code).toBe('peer.unavailable')
    expect(seen.filter(({ path }) => path === '/round')).toHaveLength(4)
  })

  it('what is posted is not posted elsewhere', async () => {
    const { origin, seen } = await start(() => ({ status: 307, headers: { location: '/other' } }))
    const answer = await open(origin).post(`${origin}/token`, 'it', 'text/plain', 'secret')
    expect([answer.status, seen.map(({ path }) => path)]).toEqual([307, ['/token']])
  })

  it('abuse-30: why nobody is reached is not told', async () => {
    const failure = await failureOf(open('http://127.0.0.1:1').get('http://127.0.0.1:1/', 'it'))
    expect([failure.message, failure.cause]).toEqual(['Cannot reach it: no answer within 5 s', undefined])
  })
})

describe('pinned addresses', () => {
  it('abuse-30: a name is looked up once, and only what may be asked is connected to', async () => {
    const { origin, seen } = await start(() => ({ body: {} }))
    const asked: string[] = []
    const init = { method: 'GET', headers: {}, redirect: 'manual', signal: AbortSignal.timeout(2_000) } as const
    const byName = origin.replace('127.0.0.1', 'localhost')
    const refuse = (address: string) => {
      asked.push(address)
      return false
    }
    await expect(pinnedFetch(byName, { ...init, allowsAddress: refuse })).rejects.toThrow()
    await expect(pinnedFetch(origin, { ...init, allowsAddress: refuse })).rejects.toThrow()
    expect(asked).toContain('127.0.0.1')
    expect(seen).toEqual([])
    const allow = (address: string) => address === '127.0.0.1'
    expect((await pinnedFetch(byName, { ...init, allowsAddress: allow })).status).toBe(200)
  })
})

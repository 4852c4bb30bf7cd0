import {
  ask,
  type PlainAnswer,
  type SeenRequest,
  startAuthorizationServer,
  startResourceServer,
} from '@crosspoint/testkit'
import { afterEach, describe, expect, it } from 'vitest'
import { deviceCode, keptSignIns } from '../create.ts'
import type { DeviceCodeOptions } from '../create-options.ts'
import { createMemoryStore } from '../store.ts'
import type { DevicePrompt } from './device-code.ts'

const cleanup: (() => Promise<void>)[] = []
afterEach(async () => {
  for (const end of cleanup.splice(0).reverse()) await end()
})

const GRANT = 'urn:ietf:params:oauth:grant-type:device_code'
const BEGUN = {
  device_code: 'device-1',
  user_code: 'BCDF-GHJK',
  verification_uri: 'https://as.example.com/device',
  verification_uri_complete: 'https://as.example.com/device?user_code=BCDF-GHJK',
  expires_in: 600,
  interval: 5,
}
const says = (error: string): PlainAnswer => ({ status: 400, body: { error } })

/** A server with the device flow; the clock goes on by what is waited. */
async function start(answers: readonly (PlainAnswer | 'token')[], begun: object = BEGUN, more = {}) {
  let [now, polls] = [0, 0]
  const answer = ({ path, form }: SeenRequest): PlainAnswer | undefined => {
    if (path === '/device/authorize') return { body: { ...begun } }
    if (path !== '/token' || form.get('grant_type') !== GRANT) return undefined
    const next = answers[Math.min(polls++, answers.length - 1)] ?? 'token'
    if (next !== 'token') return next
    form.set('grant_type', 'client_credentials') // the testkit's server gives a token for it
    return undefined
  }
  const issuedBy = await startAuthorizationServer({
    answer,
    metadata: (metadata) => ({
      ...metadata,
      device_authorization_endpoint: `${String(metadata.issuer)}/device/authorize`,
      ...more,
    }),
  })
  cleanup.push(() => issuedBy.stop())
  const server = await startResourceServer({ issuedBy: () => issuedBy })
  cleanup.push(() => server.stop())
  const [shown, waits]: [DevicePrompt[], number[]] = [[], []]
  const create = (options: Partial<DeviceCodeOptions> = {}) =>
    deviceCode({
      show: (prompt) => void shown.push(prompt),
      now: () => now,
      wait: async (ms) => {
        waits.push(ms)
        now += ms
      },
      ...options,
    })
  const of = (path: string) => issuedBy.seen.filter((request) => request.path === path)
  return { issuedBy, server, shown, waits, create, of }
}

describe('a person whose browser is elsewhere', () => {
  it('trap-44: is shown a page and a code, and the resource is named when it begins and at each question', async () => {
    const { server, shown, waits, create, of } = await start([says('authorization_pending'), 'token'])
    expect((await ask(create({ scope: 'mine' }), server.url)).status).toBe(200)
    expect(shown).toEqual([
      {
        url: BEGUN.verification_uri,
        userCode: BEGUN.user_code,
        completeUrl: BEGUN.verification_uri_complete,
        expiresInMs: 600_000,
      },
    ])
    expect(waits).toEqual([5_000, 5_000])
    expect(JSON.parse(of('/register')[0]?.text ?? '')).toMatchObject({
      redirect_uris: [],
      grant_types: [GRANT, 'refresh_token'],
    })
    const [begin] = of('/device/authorize')
    expect([begin?.form.get('resource'), begin?.form.get('scope')]).toEqual([
      server.url,
      expect.stringContaining('mine'),
    ])
    for (const { form } of of('/token')) {
      expect([form.get('device_code'), form.get('resource')]).toEqual(['device-1', server.url])
    }
  })

  it('is asked about less often where the server says so, or cannot be reached for a moment', async () => {
    const { server, waits, create } = await start([says('slow_down'), { status: 503 }, says('slow_down'), 'token'])
    expect((await ask(create(), server.url)).status).toBe(200)
    expect(waits).toEqual([5_000, 10_000, 20_000, 25_000])
  })

  it.each([
    [{ interval: 0 }, 1_000],
    [{ interval: -3 }, 1_000],
    [{ interval: 1e9 }, 60_000],
    [{ interval: 'soon' }, 5_000],
    [{ interval: undefined }, 5_000],
  ])('asks at a pace that is bounded, whatever the server says: %j', async (more, pace) => {
    const { server, waits, create } = await start(['token'], { ...BEGUN, ...more })
    await ask(create(), server.url)
    expect(waits).toEqual([pace])
  })

  it.each([
    ['access_denied', 'somebody said no', 'caller.declined'],
    ['expired_token', 'while the code was good', 'caller.declined'],
    ['invalid_grant', 'invalid_grant', 'peer.refused'],
  ])('is not waited for after %s', async (error, message, code) => {
    const { server, waits, create } = await start([says(error)])
    await expect(ask(create(), server.url)).rejects.toMatchObject({ code, message: expect.stringContaining(message) })
    expect(waits).toHaveLength(1)
  })

  it.each([
    [{ expires_in: 12 }, {}, 2],
    [{ expires_in: 1e300 }, { signInTimeoutMs: 21_000 }, 4],
    [{ expires_in: 'never' }, {}, 108],
  ])('is waited for as long as the code is good, and never without end: %j %j', async (more, options, polls) => {
    const { server, waits, create } = await start([says('authorization_pending')], { ...BEGUN, ...more })
    await expect(ask(create(options), server.url)).rejects.toMatchObject({ code: 'caller.declined' })
    expect(waits).toHaveLength(polls)
  })

  it('is not waited for any more once it is given up', async () => {
    const { server, create, of } = await start([says('authorization_pending')])
    const stop = new AbortController()
    const authorization = create({ signal: stop.signal, wait: async () => stop.abort() })
    await expect(ask(authorization, server.url)).rejects.toMatchObject({ code: 'caller.declined' })
    expect(of('/token')).toEqual([])
  })

  it.each(['javascript:alert(1)', 'file:///etc/passwd', 'http://as.example.com/device', 'https://a@b.example/', '', 7])(
    'abuse-32: is not sent to %j',
    async (page) => {
      const { server, shown, create } = await start(['token'], { ...BEGUN, verification_uri: page })
      await expect(ask(create(), server.url)).rejects.toMatchObject({ code: 'policy.forbidden_url' })
      expect(shown).toEqual([])
    },
  )

  it.each(['javascript:alert(1)', 'https://evil.example/device?user_code=BCDF-GHJK', {}])(
    'abuse-32: is not sent to %j with the code filled in',
    async (page) => {
      const { server, shown, create } = await start(['token'], { ...BEGUN, verification_uri_complete: page })
      await ask(create(), server.url)
      expect(shown).toMatchObject([{ url: BEGUN.verification_uri, completeUrl: undefined }])
    },
  )

  it.each(['\u001b[2J', 'AB\nCD', '‮ABC', 'A'.repeat(65), ' ', ''])(
    'abuse-32: is not shown the code %j',
    async (code) => {
      const { server, shown, create } = await start(['token'], { ...BEGUN, user_code: code })
      await expect(ask(create(), server.url)).rejects.toMatchObject({ code: 'peer.invalid' })
      expect(shown).toEqual([])
    },
  )

  it('hears of it where the server has no such flow, and nothing inside a network is asked for it', async () => {
    const without = await start(['token'], BEGUN, { device_authorization_endpoint: undefined })
    await expect(ask(without.create(), without.server.url)).rejects.toThrow('does not offer the device flow')
    const inside = await start(['token'], BEGUN, { device_authorization_endpoint: 'https://10.0.0.1/device' })
    await expect(ask(inside.create(), inside.server.url)).rejects.toMatchObject({ code: 'policy.forbidden_url' })
  })

  it('trap-46: is not sent anywhere by the metadata of another issuer', async () => {
    const { server, shown, create } = await start(['token'], BEGUN, { issuer: 'https://other.example' })
    await expect(ask(create(), server.url)).rejects.toMatchObject({ code: 'peer.invalid' })
    expect(shown).toEqual([])
  })

  it('is asked again by a client that registers anew where the server has forgotten it', async () => {
    const store = createMemoryStore()
    const { issuedBy, server, create, of } = await start(['token', says('invalid_client'), 'token'])
    await ask(create({ store }), server.url)
    await keptSignIns({ store }).forget(server.url)
    issuedBy.forgetClients()
    expect((await ask(create({ store }), server.url)).status).toBe(200)
    expect(of('/register')).toHaveLength(2)
  })
})

describe('what is kept of sign-ins', () => {
  it('trap-44: is renewed by whom it was given to, for the same resource', async () => {
    const store = createMemoryStore()
    const short = { access_token: 'short', token_type: 'Bearer', expires_in: 10, refresh_token: 'refresh-1' }
    const { server, create, of } = await start([{ body: short }])
    await ask(create({ store, now: () => 0 }), server.url)
    await ask(keptSignIns({ store, now: () => 3_600_000 }).authorization, server.url)
    const refreshed = of('/token').filter(({ form }) => form.get('grant_type') === 'refresh_token')
    expect(refreshed.map(({ form }) => Object.fromEntries(form))).toEqual([
      {
        grant_type: 'refresh_token',
        refresh_token: 'refresh-1',
        resource: server.url,
        client_id: of('/device/authorize')[0]?.form.get('client_id'),
      },
    ])
  })

  it('is used where nobody is asked, and gone when it is forgotten', async () => {
    const store = createMemoryStore()
    const { issuedBy, server, shown, create } = await start(['token'])
    const kept = keptSignIns({ store })
    expect([await kept.has(server.url), (await ask(kept.authorization, server.url)).status]).toEqual([false, 401])
    expect(issuedBy.seen).toEqual([])
    await ask(create({ store }), server.url)
    const fresh = keptSignIns({ store })
    expect([await fresh.has(server.url), (await ask(fresh.authorization, server.url)).status]).toEqual([true, 200])
    issuedBy.expire()
    expect((await ask(fresh.authorization, server.url)).status).toBe(401)
    expect([await fresh.forget(server.url), await fresh.has(server.url)]).toEqual([true, false])
    expect(await fresh.forget(server.url)).toBe(false)
    expect(shown).toHaveLength(1)
  })
})

it.each([{}, { show: 'me' }, { show: () => {}, signal: 1 }, { show: () => {}, wait: 5 }])(
  'says which of the options %j would not work',
  (options) => {
    expect(() => deviceCode(options as unknown as DeviceCodeOptions)).toThrow(TypeError)
  },
)

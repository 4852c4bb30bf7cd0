import { McpError, systemClock } from '@crosspoint/mcp'
import { createServer } from '@crosspoint/mcp/server'
import { openHttpDoor } from '@crosspoint/mcp/transports'
import { type SeenRequest, sendEnveloped, startAuthorizationServer } from '@crosspoint/testkit'
import { describe, expect, onTestFinished, test } from 'vitest'
import { createMemoryKeys } from '../../fixtures/memory-keys.ts'
import { configOf } from '../../fixtures/open-gateway.ts'
import { openFrontDoor } from '../front/door.ts'
import { createGateway } from '../gateway.ts'
import { createKey } from '../identity/key-records.ts'

const EXCHANGE = 'urn:ietf:params:oauth:grant-type:token-exchange'
const CALL = { name: 'erp__whoami', arguments: {} }

/** A gateway whose callers come with tokens of an issuer, which exchanges them for those of a server. */
async function open(options: { readonly answer?: (asked: SeenRequest) => object | undefined } = {}) {
  let now = Date.now()
  const issuedBy = await startAuthorizationServer({
    jwt: {},
    answer: (asked) => {
      if (asked.form.get('grant_type') !== EXCHANGE) return undefined
      const subject = asked.form.get('subject_token') ?? ''
      const { sub, scope = '' } = JSON.parse(Buffer.from(subject.split('.')[1] ?? '', 'base64url').toString())
      const token = `exchanged-${sub}-${scope.replace(' ', '+')}-${issuedBy.grants().length}`
      return options.answer?.(asked) ?? { body: { access_token: token, token_type: 'Bearer', expires_in: 300 } }
    },
  })
  onTestFinished(() => issuedBy.stop())
  const reached: unknown[] = []
  let refuses = ''
  const server = createServer({
    name: 'erp',
    version: '1.0.0',
    authenticate(headers) {
      reached.push(headers)
      const { authorization = 'Bearer lists' } = headers
      if (authorization === `Bearer ${refuses}`) throw new McpError('caller.unauthenticated', 'Not any more')
      return { id: authorization.slice(7), tenant: 'erp' }
    },
  })
  server.tool('whoami', {}, (_, { principal, call }) => {
    reached.push([call.meta, call.params])
    return principal.id
  })
  const inner = await openHttpDoor({ endpoint: (path) => (path === '/mcp' ? server.endpoint : undefined) })
  onTestFinished(() => inner.close({ drainMs: 0 }))
  const keys = createMemoryKeys()
  const client = { clientId: 'gateway', clientSecret: '${secret:own}' }
  const config = configOf([], {
    auth: { issuers: [{ issuer: issuedBy.issuer }] },
    secrets: { own: { env: 'OWN' } },
    servers: {
      erp: {
        url: `${inner.url}/mcp`,
        auth: { kind: 'exchange', issuer: issuedBy.issuer, audience: 'erp', scopes: ['erp:use'], ...client },
      },
    },
  })
  const gateway = createGateway({
    config,
    info: { name: 'crosspoint', version: '0.0.0' },
    clock: systemClock,
    wallClock: () => now,
    env: { OWN: 'client-secret' },
    store: { keys },
  })
  onTestFinished(() => gateway.close({ graceMs: 0 }))
  const door = await openFrontDoor(gateway)
  onTestFinished(() => door.close({ drainMs: 0 }))
  await gateway.start()
  const token = (sub: string, more: object = {}) =>
    issuedBy.sign({
      iss: issuedBy.issuer,
      sub,
      client_id: 'c',
      aud: door.url,
      exp: Math.floor(now / 1_000) + 3_600,
      ...more,
    })
  const callWith = async (credential: string) => {
    const headers = { authorization: `Bearer ${credential}` }
    return (await sendEnveloped(door.url, 'tools/call', CALL, { headers })).messages.at(-1).result
  }
  return {
    issuedBy,
    reached,
    url: inner.url,
    token,
    callWith,
    key: () => createKey(keys, { principal: 'kim', tenant: 'default', roles: [] }, now),
    textOf: async (credential: string) => (await callWith(credential)).content[0].text,
    exchanges: () => issuedBy.seen.filter(({ form }) => form.get('grant_type') === EXCHANGE),
    pass: (ms: number) => {
      now += ms
    },
    refuse: (bad: string) => {
      refuses = bad
    },
  }
}

describe('a token that is exchanged', () => {
  test('abuse-28: goes to the issuer alone, and what comes back to the server', async () => {
    const { token, textOf, exchanges, reached, url } = await open()
    const inbound = token('ann')
    expect(await textOf(inbound)).toMatch(/^exchanged-ann--/)
    const [asked] = exchanges()
    expect(Object.fromEntries(asked?.form ?? [])).toEqual({
      grant_type: EXCHANGE,
      subject_token: inbound,
      subject_token_type: 'urn:ietf:params:oauth:token-type:access_token',
      requested_token_type: 'urn:ietf:params:oauth:token-type:access_token',
      audience: 'erp',
      resource: `${url}/mcp`,
      scope: 'erp:use',
    })
    expect(asked?.headers.authorization).toBe(`Basic ${btoa('gateway:client-secret')}`)
    expect(JSON.stringify(reached)).not.toContain(inbound.split('.')[1])
  })

  test('is exchanged once until it ends, for each caller by itself', async () => {
    const { token, textOf, exchanges, pass } = await open()
    const [ann, bob] = [token('ann'), token('bob')]
    const texts = await Promise.all([...Array(10).keys()].map((at) => textOf(at % 2 === 0 ? ann : bob)))
    expect(new Set(texts).size).toBe(2)
    expect(texts.every((text, at) => text.includes(at % 2 === 0 ? 'ann' : 'bob'))).toBe(true)
    expect(exchanges()).toHaveLength(2)
    pass(290_000)
    await textOf(token('ann'))
    expect(exchanges()).toHaveLength(3)
  })

  test('one that may do less is not served with what one that may do more got', async () => {
    const { token, textOf } = await open()
    expect(await textOf(token('ann', { scope: 'read write' }))).toContain('ann-read+write-')
    expect(await textOf(token('ann', { scope: 'read' }))).toContain('ann-read-')
  })

  test('one that the server refuses is exchanged once more', async () => {
    const { token, textOf, exchanges, refuse } = await open()
    const inbound = token('ann')
    refuse(await textOf(inbound))
    expect(await textOf(inbound)).toMatch(/^exchanged-ann--/)
    expect(exchanges()).toHaveLength(2)
  })

  test('a caller with a key has none, and is told so', async () => {
    const { key, callWith, exchanges } = await open()
    const result = await callWith((await key()).text)
    expect(result).toMatchObject({ isError: true, content: [{ text: expect.stringContaining('not with a key') }] })
    expect(exchanges()).toEqual([])
  })

  test('a refusal of the issuer is told in its word, and the token in none', async () => {
    const { token, callWith } = await open({ answer: () => ({ status: 400, body: { error: 'invalid_target' } }) })
    const inbound = token('ann')
    const result = await callWith(inbound)
    expect([result.isError, result.content[0].text]).toEqual([true, expect.stringContaining('invalid_target')])
    expect(result.content[0].text).not.toContain(inbound.slice(0, 20))
  })

  test('abuse-28: an issuer that gives back what it was shown gives nothing', async () => {
    const { token, callWith, reached } = await open({
      answer: ({ form }) => ({ body: { access_token: form.get('subject_token'), token_type: 'bearer' } }),
    })
    const inbound = token('ann')
    expect((await callWith(inbound)).isError).toBe(true)
    expect(JSON.stringify(reached)).not.toContain(inbound)
  })
})

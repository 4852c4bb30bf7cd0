import { connect } from '@crosspoint/mcp/client'
import { openWireSession, sendEnveloped } from '@crosspoint/testkit'
import { expect, onTestFinished, test } from 'vitest'
import { openGuarded } from '../../fixtures/open-guarded.ts'

const bearer = (text: string) => ({ authorization: `Bearer ${text}` })
const statusOf = async (url: string, text?: string) =>
  (await sendEnveloped(url, 'tools/list', {}, { headers: text === undefined ? {} : bearer(text) })).status

test('an issuer that is removed lets nobody in any more, remembered or not', async () => {
  const { door, token, reload } = await openGuarded({ issuer: {} })
  const remembered = token()
  expect(await statusOf(door.url, remembered)).toBe(200)
  await reload({})
  expect(await statusOf(door.url, remembered)).toBe(401)
  expect(await statusOf(door.url, token())).toBe(401)
})

test('keys that are switched off let nobody in any more', async () => {
  const { door, key, token, reload, toAuth } = await openGuarded({ issuer: {} })
  const { text } = await key()
  expect(await statusOf(door.url, text)).toBe(200)
  await reload({ ...toAuth(), keys: { enabled: false } })
  expect(await statusOf(door.url, text)).toBe(401)
  expect(await statusOf(door.url, token())).toBe(200)
})

test('what an issuer says of its callers is read anew', async () => {
  const { door, token, reload, toAuth, issuedBy, log } = await openGuarded({ issuer: { principalClaim: 'sub' } })
  const text = token({ email: 'ann@example.com' })
  expect(await statusOf(door.url, text)).toBe(200)
  await reload({ ...toAuth(), issuers: [{ issuer: issuedBy.issuer, principalClaim: 'email' }] })
  expect(await statusOf(door.url, text)).toBe(200)
  const principals = log.flatMap((line) => (Array.isArray(line) && line[0] === 'call' ? [line[1].principal] : []))
  expect(principals).toEqual(['ann', 'ann@example.com'])
})

test('a view that comes is asked for by name, one that goes is named by nobody', async () => {
  const { door, token, gateway } = await openGuarded({ issuer: {} })
  const views = new Map(gateway.config.views)
  const [small] = views.values()
  if (small === undefined) expect.fail('no view')
  const text = token({ aud: `${door.url}/late` })
  expect(await statusOf(`${door.url}/late`, text)).toBe(404)
  await gateway.apply({ ...gateway.config, views: new Map([...views, ['late', { ...small, name: 'late' }]]) })
  expect(await statusOf(`${door.url}/late`, text)).toBe(200)
  expect(await statusOf(door.url, text)).toBe(401)
  await gateway.apply({ ...gateway.config, views })
  expect(await statusOf(`${door.url}/late`, text)).toBe(404)
})

test('who is no longer let in does not go on listening; a reload of something else disturbs nobody', async () => {
  const { door, key, reload, toAuth, gateway } = await openGuarded()
  const { text } = await key()
  const target = { kind: 'http', url: door.url, headers: bearer(text) } as const
  const client = await connect(target, { client: { name: 'test', version: '1' } })
  onTestFinished(() => client.close())
  const listening = client.listen({ toolsListChanged: true })
  let isOver = false
  const over = (async () => {
    for await (const _ of listening) {
      // nothing is told here
    }
  })().then(
    () => {
      isOver = true
    },
    () => {
      isOver = true
    },
  )
  await listening.acknowledged
  await gateway.apply({ ...gateway.config, timeouts: { ...gateway.config.timeouts, drainMs: 1 } })
  await client.listTools().all()
  expect(isOver).toBe(false)
  await reload({ ...toAuth(), keys: { enabled: false }, issuers: [{ issuer: 'https://auth.example.com' }] })
  await over
  expect(await statusOf(door.url, text)).toBe(401)
})

test('sessions of nobody end when callers are asked, and those of somebody when they are not', async () => {
  const { door, key, reload } = await openGuarded()
  const { text } = await key()
  await reload(undefined)
  const nobodys = await openWireSession(door.url)
  expect((await nobodys.request('tools/list')).status).toBe(200)
  await reload({})
  expect((await nobodys.request('tools/list')).status).toBe(401)
  expect((await nobodys.request('tools/list', {}, { headers: bearer(text) })).status).toBe(404)
  const somebodys = await openWireSession(door.url, { headers: bearer(text) })
  expect((await somebodys.request('tools/list')).status).toBe(200)
  await reload(undefined)
  expect((await somebodys.request('tools/list', {}, { headers: { authorization: undefined } })).status).toBe(404)
})

test('a session of a handshake revision that is still let in hears of changes as before', async () => {
  const { door, key, reload, gateway } = await openGuarded()
  const headers = bearer((await key()).text)
  const session = await openWireSession(door.url, { revision: '2025-06-18', headers })
  const stream = await session.listen()
  await reload({ tokens: { cacheMs: 1_000 } })
  expect((await session.request('tools/list')).status).toBe(200)
  await gateway.apply({ ...gateway.config, servers: new Map() })
  expect((await stream.next()).method).toMatch(/list_changed$/)
})

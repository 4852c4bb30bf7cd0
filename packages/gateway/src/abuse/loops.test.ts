import { type JsonObject, systemClock } from '@crosspoint/mcp'
import { createServer } from '@crosspoint/mcp/server'
import { openHttpDoor } from '@crosspoint/mcp/transports'
import { openHttp, toEnveloped } from '@crosspoint/testkit'
import { expect, onTestFinished, test } from 'vitest'
import { configOf } from '../../fixtures/open-gateway.ts'
import { askAs, MODERN, openHostile } from '../../fixtures/open-house.ts'
import { type FrontDoor, openFrontDoor } from '../front/door.ts'
import { createGateway, type Gateway } from '../gateway.ts'

/** Gateways behind gateways. Each has its door before it knows its servers, so that they can lead to each other. */
async function openEmpty(name: string): Promise<{ readonly gateway: Gateway; readonly door: FrontDoor }> {
  const gateway = createGateway({ config: configOf([]), info: { name, version: '0' }, clock: systemClock })
  onTestFinished(() => gateway.close({ graceMs: 0 }))
  const door = await openFrontDoor(gateway)
  onTestFinished(() => door.close({ drainMs: 0 }))
  return { gateway, door }
}

const lead = (gateway: Gateway, servers: object) => gateway.apply(configOf([], { servers }))

async function openTool(name: string): Promise<string> {
  const server = createServer({ name, version: '1' })
  server.tool('who', {}, () => name)
  server.resource(`${name}://it`, { name: 'it' }, () => name)
  const door = await openHttpDoor({ endpoint: () => server.endpoint })
  onTestFinished(() => door.close({ drainMs: 0 }))
  return `${door.url}/mcp`
}

async function toolsOf(url: string, revision = MODERN): Promise<string[]> {
  const { answer } = await askAs(revision, url, 'tools/list', {})
  return answer.result.tools.map(({ name }: JsonObject) => name).sort()
}

/** Lets lists go round until they stay the same. */
async function untilListed(url: string, names: readonly string[]): Promise<void> {
  for (let turn = 0; turn < 200; turn++) {
    if ((await toolsOf(url)).join() === names.join()) return
    await new Promise((resolve) => setTimeout(resolve, 25))
  }
  expect(await toolsOf(url)).toEqual(names)
}

const SPOKEN = ['2024-11-05', '2025-06-18', '2025-11-25', MODERN]

test.each(SPOKEN)(
  'abuse-45: a gateway that leads to itself over %s says so, and lists nothing twice',
  async (revision) => {
    const { gateway, door } = await openEmpty('one')
    await lead(gateway, { mine: { url: await openTool('mine') }, self: { url: door.url, revision } })
    expect(await toolsOf(door.url)).toEqual(['mine__who'])
    const [, self] = gateway.status()
    expect(self).toMatchObject({ name: 'self', state: 'degraded', reason: expect.stringContaining('in a circle') })
  },
)

test.each(SPOKEN)('abuse-45: two gateways that lead to each other over %s list each thing once', async (revision) => {
  const one = await openEmpty('one')
  const two = await openEmpty('two')
  await lead(one.gateway, { a: { url: await openTool('a') }, two: { url: two.door.url, revision } })
  await lead(two.gateway, { b: { url: await openTool('b') }, one: { url: one.door.url, revision } })
  await untilListed(one.door.url, ['a__who', 'two__b__who'])
  await untilListed(two.door.url, ['b__who', 'one__a__who'])
  for (const client of SPOKEN) {
    const { answer } = await askAs(client, two.door.url, 'tools/call', { name: 'one__a__who', arguments: {} })
    expect(answer.result.content[0].text).toBe('a')
  }
  const { answer } = await askAs(MODERN, one.door.url, 'resources/list', {})
  expect(answer.result.resources.map(({ uri }: JsonObject) => uri)).toEqual(['a://it', 'b://it'])
  expect(JSON.stringify(answer.result)).not.toContain('crosspoint/via')
})

test('abuse-45: what nobody has is looked for in two gateways that lead to each other, and not for ever', async () => {
  const one = await openEmpty('one')
  const two = await openEmpty('two')
  await lead(one.gateway, { a: { url: await openTool('a') }, two: { url: two.door.url } })
  await lead(two.gateway, { b: { url: await openTool('b') }, one: { url: one.door.url } })
  await untilListed(one.door.url, ['a__who', 'two__b__who'])
  const read = async (uri: string) => (await askAs(MODERN, one.door.url, 'resources/read', { uri })).answer
  expect((await read('b://it')).result.contents).toEqual([{ uri: 'b://it', text: 'b' }])
  expect((await read('nobody://has')).error).toMatchObject({ code: -32602, data: { uri: 'nobody://has' } })
  const filter = { notifications: { resourceSubscriptions: ['b://it', 'nobody://has'] } }
  const listening = await openHttp(one.door.url, toEnveloped('subscriptions/listen', filter))
  expect((await listening.next()).params.notifications).toEqual({ resourceSubscriptions: ['b://it'] })
  listening.destroy()
})

test('abuse-45: three gateways in a circle list each thing once, wherever they are asked', async () => {
  const [one, two, three] = [await openEmpty('one'), await openEmpty('two'), await openEmpty('three')]
  await lead(one.gateway, { a: { url: await openTool('a') }, next: { url: two.door.url } })
  await lead(two.gateway, { b: { url: await openTool('b') }, next: { url: three.door.url } })
  await lead(three.gateway, { c: { url: await openTool('c') }, next: { url: one.door.url } })
  await untilListed(one.door.url, ['a__who', 'next__b__who', 'next__next__c__who'])
  await untilListed(two.door.url, ['b__who', 'next__c__who', 'next__next__a__who'])
  await untilListed(three.door.url, ['c__who', 'next__a__who', 'next__next__b__who'])
})

test('abuse-45: a call that was here before goes no further, and one that made eight hops neither', async () => {
  const upstream = await openHostile(MODERN, ({ result }) => result({ content: [] }))
  const { gateway, door } = await openEmpty('one')
  await lead(gateway, { s: { url: upstream.url } })
  const call = (trail: unknown) =>
    askAs(MODERN, door.url, 'tools/call', { name: 's__go', arguments: {} }, {}, { 'crosspoint/trail': trail })
  await call([])
  const sent = upstream.got.find(({ method }) => method === 'tools/call')
  const trail = sent.params._meta['crosspoint/trail']
  expect(trail).toHaveLength(1)
  for (const [given, why] of [
    [trail, 'in a circle'],
    [Array.from({ length: 8 }, () => 'x'), 'went through 8 servers'],
  ]) {
    const { status, answer } = await call(given)
    expect({ status, error: answer.error }).toMatchObject({
      status: 200,
      error: { code: -32603, message: expect.stringMatching(`"tools/call" to the server "s".*${String(why)}`) },
    })
  }
  expect(upstream.got.filter(({ method }) => method === 'tools/call')).toHaveLength(1)
})

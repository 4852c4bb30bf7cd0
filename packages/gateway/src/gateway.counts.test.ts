import { mkdtempSync, realpathSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { systemClock } from '@crosspoint/mcp'
import { createServer } from '@crosspoint/mcp/server'
import { connectDirectly, findRedis, recordCall, startRedis } from '@crosspoint/testkit'
import { expect, onTestFinished, test } from 'vitest'
import { configOf, openGateway } from '../fixtures/open-gateway.ts'
import type { GatewayOptions } from './gateway.ts'
import { openEmbedded } from './stores/embedded/store.ts'
import { openRedis } from './stores/redis/connection.ts'

const anna = { id: 'anna', tenant: 'a' }
const program = findRedis()

async function open(traffic: object, options: Partial<GatewayOptions>) {
  const server = createServer({ name: 'one', version: '1.0.0' })
  server.tool('do', {}, () => 'done')
  const config = configOf(['one'], { traffic })
  const gateway = openGateway(config, { one: () => connectDirectly(server.endpoint) }, systemClock, options)
  onTestFinished(() => gateway.close({ graceMs: 0 }))
  await gateway.start()
  const call = async () => {
    const { call } = recordCall('tools/call', { name: 'one__do' }, { principal: anna })
    const result = await gateway.endpoint()?.handle(call)
    return result?.isError === true ? JSON.stringify(result.content) : 'ok'
  }
  const figure = (name: string) => gateway.traffic().find((one) => one.name === name)?.value
  return { gateway, call, figure, config }
}

async function openStore() {
  const folder = realpathSync(mkdtempSync(join(tmpdir(), 'crosspoint-counts-')))
  const store = await openEmbedded({ path: join(folder, 'store.db') })
  onTestFinished(async () => {
    await store.close()
    rmSync(folder, { recursive: true, force: true })
  })
  return store
}

test('a budget goes on where it was when the gateway starts again', async () => {
  const store = await openStore()
  const traffic = { budgets: [{ name: 'monthly', per: 'principal', cost: 3, windowMs: 2_592_000_000 }] }
  const before = await open(traffic, { store })
  expect([await before.call(), await before.call()]).toEqual(['ok', 'ok'])
  await before.gateway.close({ graceMs: 0 })
  const after = await open(traffic, { store })
  expect(await after.call()).toBe('ok')
  expect(await after.call()).toContain('used up')
})

test('where nothing is counted for long the store is not asked', async () => {
  const { counts: _, ...store } = await openStore()
  const asked: string[] = []
  const note = (what: string) => async () => {
    asked.push(what)
    return []
  }
  const counts = { save: note('save'), read: note('read'), forget: note('forget') } as never // none of it is to be called
  const { call, gateway, config } = await open(
    { limits: [{ name: 'calm', per: 'all', calls: 9, windowMs: 1_000 }] },
    { store: { ...store, counts } },
  )
  expect(await call()).toBe('ok')
  expect(asked).toEqual([])
  // Until a reload says so.
  const daily = { name: 'daily', per: ['all' as const], calls: 9, every: 'day' as const }
  await gateway.apply({ ...config, traffic: { ...config.traffic, limits: [daily] } })
  expect(await call()).toBe('ok')
  expect(asked).toEqual(['read'])
})

test.skipIf(program === undefined)('gateways that share Redis count together, and go on alone without it', async () => {
  const server = await startRedis(program ?? '')
  onTestFinished(() => server.close())
  const traffic = { limits: [{ name: 'monthly', per: 'principal', calls: 6, every: 'month' }] }
  const [one, other] = await Promise.all(
    [0, 1].map(async () => {
      const redis = await openRedis({ url: server.url, commandTimeoutMs: 200 })
      onTestFinished(() => redis.close())
      return open(traffic, { redis })
    }),
  )
  if (one === undefined || other === undefined) throw new Error('There are two')
  expect([await one.call(), await other.call(), await one.call(), await other.call(), await one.call()]).toEqual(
    Array.from({ length: 5 }, () => 'ok'),
  )
  expect(await other.call()).toBe('ok')
  expect(await one.call()).toContain('The limit \\"monthly\\" of this caller is reached')
  expect(await other.call()).toContain('is reached')
  await server.stop()
  // Each knows what it has let through itself.
  await expect.poll(() => one.call()).toContain('is reached')
  expect(one.figure('counters_away')).toBe(1)
  await server.start()
  await expect.poll(() => one.call(), { timeout: 10_000 }).toBe('ok')
  await expect.poll(() => one.figure('counters_away')).toBe(0)
})

test.skipIf(program === undefined)('or nothing that is limited passes without Redis, and it is said why', async () => {
  const server = await startRedis(program ?? '')
  onTestFinished(() => server.close())
  const redis = await openRedis({ url: server.url, commandTimeoutMs: 200 })
  onTestFinished(() => redis.close())
  const limits = [{ name: 'calm', per: 'all', calls: 100, windowMs: 60_000 }]
  const { call } = await open({ limits, onLoss: 'refuse' }, { redis })
  expect(await call()).toBe('ok')
  await server.stop()
  expect(await call()).toContain('Calls cannot be counted now. Try again in 2 s.')
})

import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createServer } from '@crosspoint/mcp/server'
import { connectDirectly, createFakeClock, recordCall } from '@crosspoint/testkit'
import { expect, onTestFinished, test } from 'vitest'
import { configOf, openGateway } from '../fixtures/open-gateway.ts'
import { createMemoryAuditStore } from './audit/fixtures/memory-audit-store.ts'
import type { KeyStore } from './stores/contract/key-store.ts'

/** A gateway over one server, whose evidence is in memory; `audit` is its configuration. */
async function open(audit: object | undefined) {
  const folder = await mkdtemp(join(tmpdir(), 'crosspoint-evidence-'))
  onTestFinished(() => rm(folder, { recursive: true }))
  const server = createServer({ name: 'one', version: '1.0.0' })
  let calls = 0
  server.tool('who', {}, () => `called ${++calls} times`)
  const dialers = { one: () => connectDirectly(server.endpoint) }
  const toConfig = (section: object | undefined) =>
    configOf(['one'], section === undefined ? {} : { audit: { keyFile: join(folder, 'audit.key'), ...section } })
  const store = createMemoryAuditStore()
  const clock = createFakeClock()
  const keys = {} as KeyStore // nobody is asked for one
  const gateway = openGateway(toConfig(audit), dialers, clock, { store: { keys, audit: store } })
  await gateway.start()
  const call = (name: string) =>
    gateway.endpoint()?.handle(recordCall('tools/call', { name, arguments: {} }).call) ?? Promise.reject()
  const told = () => store.rows.map(({ index: { method, outcome } }) => `${method} ${outcome}`)
  return { gateway, store, clock, call, told, toConfig, calls: () => calls }
}

test('calls, refusals and other configurations are recorded; what went to a server, by that server’s name', async () => {
  const { gateway, call, told, toConfig, store } = await open({})
  await call('one__who')
  await expect(call('nobody__has_this')).rejects.toMatchObject({ code: 'caller.invalid_params' })
  await gateway.apply({ ...toConfig({}), log: { level: 'warn' } })
  await gateway.close({ graceMs: 0 })
  expect(told()).toEqual([
    'gateway.started complete',
    'tools/call complete',
    'tools/call caller.invalid_params',
    'config.applied complete',
    'gateway.stopped complete',
  ])
  const records = store.rows.map(({ record }) => JSON.parse(record))
  expect(records[1]).toMatchObject({ target: 'one__who', upstream: 'one', native: 'who' })
  expect(records[3].about.settings).toEqual(['log.level'])
})

test('evidence begins and ends with a reload, in a chain of its own each time', async () => {
  const { gateway, call, told, toConfig, store } = await open(undefined)
  await call('one__who')
  expect(store.rows).toEqual([])
  await gateway.apply(toConfig({}))
  await call('one__who')
  await gateway.apply(toConfig({ results: 'none' }))
  await call('one__who')
  await gateway.apply(toConfig(undefined))
  await call('one__who')
  await gateway.close({ graceMs: 0 })
  expect(told().filter((line) => line.startsWith('tools/call'))).toHaveLength(2)
  expect(new Set(store.rows.map(({ chain }) => chain)).size).toBe(2)
  expect(told().filter((line) => line.startsWith('gateway.stopped'))).toHaveLength(2)
})

test('a call that could not be recorded does not reach its server', async () => {
  const { gateway, call, store, clock, calls } = await open({ maxWaitingRecords: 1 })
  store.isAway = true
  await call('one__who')
  await expect(call('one__who')).rejects.toMatchObject({ code: 'policy.busy' })
  expect(calls()).toBe(1)
  store.isAway = false
  const closing = gateway.close({ graceMs: 0 })
  await new Promise((resolve) => setImmediate(resolve))
  clock.advance(0)
  await closing
  expect(store.rows.map(({ index }) => index.method)).toContain('audit.refused')
})

import type { Principal } from '@crosspoint/mcp'
import { createServer } from '@crosspoint/mcp/server'
import { connectDirectly, createFakeClock, recordCall } from '@crosspoint/testkit'
import { expect, onTestFinished, test } from 'vitest'
import { configOf, openGateway } from '../fixtures/open-gateway.ts'
import { openFrontDoor } from './front/door.ts'

async function open(traffic: object) {
  const clock = createFakeClock()
  const calls: string[] = []
  const server = createServer({ name: 'one', version: '1.0.0' })
  for (const name of ['cheap', 'dear']) {
    server.tool(name, {}, () => {
      calls.push(name)
      return name
    })
  }
  server.prompt('hello', {}, () => 'hello')
  const dial = () => connectDirectly(server.endpoint)
  const gateway = openGateway(configOf(['one'], { traffic }), { one: dial }, clock)
  onTestFinished(() => gateway.close({ graceMs: 0 }))
  await gateway.start()
  const ask = (method: string, params: Record<string, unknown>, principal?: Principal) => {
    const endpoint = gateway.endpoint()
    if (endpoint === undefined) throw new Error('There is always an endpoint of everything')
    return endpoint.handle(recordCall(method, params, principal === undefined ? {} : { principal }).call)
  }
  const call = async (tool: string, principal?: Principal) => {
    const result = await ask('tools/call', { name: `one__${tool}` }, principal)
    return result.isError === true ? JSON.stringify(result.content) : 'ok'
  }
  return { clock, calls, gateway, ask, call }
}

const anna = { id: 'anna', tenant: 'a' }

test('a limit per principal holds for each alone, and a model is told when to come again', async () => {
  const limits = [{ name: 'calm', per: 'principal', calls: 2, windowMs: 60_000 }]
  const { clock, calls, call, ask, gateway } = await open({ limits })
  expect([await call('cheap', anna), await call('dear', anna)]).toEqual(['ok', 'ok'])
  expect(await call('cheap', anna)).toContain('The limit \\"calm\\" of this caller is reached. Try again in 64 s.')
  await expect(ask('prompts/get', { name: 'one__hello' }, anna)).rejects.toMatchObject({
    code: 'policy.limit',
    data: { limit: 'calm', retryAfterMs: expect.any(Number) },
  })
  // Neither the same id elsewhere nor one that looks like both together.
  for (const other of [
    { id: 'anna', tenant: 'b' },
    { id: '', tenant: 'aanna' },
    { id: 'bert', tenant: 'a' },
  ]) {
    expect(await call('cheap', other)).toBe('ok')
  }
  clock.advance(64_000)
  expect(await call('cheap', anna)).toBe('ok')
  expect(calls).toHaveLength(6)
  expect(gateway.traffic()).toContainEqual({
    name: 'limit_refused',
    labels: { kind: 'limit', limit: 'calm' },
    value: 2,
  })
})

test('a budget counts what calls cost, and a free tool is never refused', async () => {
  const { call } = await open({
    budgets: [{ name: 'daily', per: 'tenant', cost: 10, windowMs: 86_400_000 }],
    costs: [
      { tools: ['one__d*'], cost: 6 },
      { tools: ['*__cheap'], cost: 0 },
    ],
  })
  expect(await call('dear', anna)).toBe('ok')
  expect(await call('dear', { ...anna, id: 'bert' })).toContain('used up')
  expect(await call('cheap', anna)).toBe('ok')
  expect(await call('dear', { ...anna, tenant: 'b' })).toBe('ok')
})

test('a quota of the calendar begins again with the clocks of its place, and says when', async () => {
  const budgets = [{ name: 'daily', per: 'tenant', cost: 2, every: 'day', timezone: 'Asia/Kathmandu' }]
  const { clock, call, ask } = await open({ budgets })
  expect([await call('cheap', anna), await call('dear', anna)]).toEqual(['ok', 'ok'])
  const untilMidnight = nextMidnight(clock.wallNow(), (5 * 60 + 45) * 60_000) - clock.wallNow()
  await expect(ask('prompts/get', { name: 'one__hello' }, anna)).rejects.toMatchObject({
    code: 'policy.limit',
    data: { limit: 'daily', retryAfterMs: untilMidnight },
  })
  clock.advance(untilMidnight - 1)
  expect(await call('cheap', anna)).toContain('used up. Try again in 1 s.')
  clock.advance(1)
  expect(await call('cheap', anna)).toBe('ok')
})

function nextMidnight(now: number, offsetMs: number): number {
  const dayMs = 86_400_000
  return (Math.floor((now + offsetMs) / dayMs) + 1) * dayMs - offsetMs
}

test('limits come, change and go with a reload, and what was counted is not forgotten', async () => {
  const limit = {
    name: 'calm',
    per: ['principal', 'tool'],
    match: { tools: ['one__dear'] },
    calls: 1,
    windowMs: 60_000,
  }
  const { gateway, call } = await open({})
  expect([await call('dear'), await call('dear')]).toEqual(['ok', 'ok'])
  const apply = (limits: readonly object[]) => gateway.apply(configOf(['one'], { traffic: { limits } }))
  expect((await apply([limit])).settings).toEqual(['traffic.limits'])
  expect(await call('dear')).toBe('ok')
  expect(await call('dear')).toContain('reached')
  expect([await call('cheap'), await call('cheap')]).toEqual(['ok', 'ok'])
  await apply([{ ...limit, calls: 2 }])
  expect(await call('dear')).toBe('ok')
  expect(await call('dear')).toContain('reached')
  await apply([])
  expect(await call('dear')).toBe('ok')
})

test('so many calls at once: the others wait in line, and those that are too many are told so', async () => {
  const finish: (() => void)[] = []
  const server = createServer({ name: 'one', version: '1.0.0' })
  server.tool('slow', {}, () => new Promise<string>((resolve) => void finish.push(() => resolve('done'))))
  const traffic = {
    concurrency: [{ name: 'few', per: 'server', max: 2, queue: { max: 1 } }],
    priorities: [{ match: { principals: ['robot*'] }, class: 'batch' }],
  }
  const gateway = openGateway(
    configOf(['one'], { traffic }),
    { one: () => connectDirectly(server.endpoint) },
    createFakeClock(),
  )
  onTestFinished(() => gateway.close({ graceMs: 0 }))
  await gateway.start()
  const recorded = (id: string) => recordCall('tools/call', { name: 'one__slow' }, { principal: { id, tenant: 't' } })
  const pass = ({ call }: ReturnType<typeof recorded>) =>
    gateway
      .endpoint()
      ?.handle(call)
      .then(
        ({ content }) => JSON.stringify(content),
        ({ code }: { readonly code: string }) => code,
      )
  const inside = [pass(recorded('anna')), pass(recorded('bert'))]
  await until(() => finish.length === 2)
  const robot = pass(recorded('robot'))
  expect(await pass(recorded('robot'))).toContain('too many wait already')
  const gone = recorded('clara')
  const left = pass(gone)
  expect(await robot).toContain('this one made room for another')
  gone.abort()
  expect(await left).toBe('caller.cancelled')
  const last = pass(recorded('dora'))
  expect(finish).toHaveLength(2)
  finish[0]?.()
  expect(await inside[0]).toContain('done')
  await until(() => finish.length === 3)
  expect(gateway.traffic()).toContainEqual({ name: 'calls_inside', labels: { limit: 'few' }, value: 2 })
  for (const done of finish) done()
  expect([await inside[1], await last].every((text) => text?.includes('done'))).toBe(true)
  expect(gateway.traffic()).toContainEqual({ name: 'calls_inside', labels: { limit: 'few' }, value: 0 })
  expect(gateway.traffic()).toContainEqual({ name: 'calls_shed', labels: { limit: 'few' }, value: 2 })
})

/** Lets everything that needs no time happen, until the condition holds. */
async function until(holds: () => boolean): Promise<void> {
  for (let turn = 0; turn < 1_000; turn++) {
    if (holds()) return
    await new Promise((resolve) => setImmediate(resolve))
  }
  throw new Error('It did not come about')
}

test('abuse-14: who floods the door gets 429 with Retry-After, and costs the others nothing', async () => {
  const clock = createFakeClock()
  const authenticate = (headers: Readonly<Record<string, string | undefined>>) => ({
    id: headers.who ?? '',
    tenant: 't',
  })
  const config = configOf([], { traffic: { door: { requests: 5, windowMs: 30_000 } } })
  const gateway = openGateway(config, {}, clock, { authenticate })
  const door = await openFrontDoor(gateway)
  onTestFinished(async () => {
    await door.close()
    await gateway.close({ graceMs: 0 })
  })
  const send = async (who: string) => {
    const response = await fetch(door.url, {
      method: 'POST',
      headers: { who, 'content-type': 'application/json', accept: 'application/json, text/event-stream' },
      body: JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'ping' }),
    })
    await response.text()
    return [response.status, response.headers.get('retry-after')]
  }
  const flood = []
  for (let n = 0; n < 50; n++) flood.push(await send('mallory'))
  expect(flood.filter(([status]) => status === 429)).toHaveLength(45)
  expect(flood[49]).toEqual([429, '32'])
  for (let n = 0; n < 5; n++) expect((await send('anna'))[0]).not.toBe(429)
  // What is refused is not read, and asks nobody but the counter.
  expect(gateway.traffic()).toContainEqual({ name: 'door_refused', labels: {}, value: 45 })
})

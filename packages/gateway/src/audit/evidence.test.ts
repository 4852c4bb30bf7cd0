import type { JsonObject } from '@crosspoint/mcp'
import { recordCall } from '@crosspoint/testkit'
import { expect, test } from 'vitest'
import { Passage } from '../routes/passage.ts'
import { StoreError } from '../stores/contract/store-error.ts'
import type { Evidence } from './evidence.ts'
import { type Bench, createBench, settle } from './fixtures/evidence.ts'

interface Asked {
  readonly name?: string
  readonly arguments?: JsonObject
  readonly principal?: { readonly id: string; readonly tenant: string; readonly attributes?: JsonObject }
  readonly session?: string
}

const VIEW = { name: 'review' } as unknown as Passage['view'] // records ask for its name only

function toPassage({ name = 'github__create_issue', principal, session, ...rest }: Asked = {}): Passage {
  const { call } = recordCall('tools/call', { name, ...rest })
  return new Passage(
    {
      ...call,
      ...(principal === undefined ? {} : { principal }),
      downstream: { ...call.downstream, session },
      trace: { traceId: 'a'.repeat(32), spanId: 'b'.repeat(16) },
    },
    VIEW,
  )
}

function end(evidence: Evidence, { clock }: Bench, asked?: Asked): Promise<void> | undefined {
  const result = { content: [{ type: 'text', text: 'hi' }] }
  return evidence.call(toPassage(asked), { at: clock.wallNow(), ms: 12.3456, outcome: 'complete', result })
}

/** Time for what waits to be written together, and for the store to take it. */
async function flush({ clock }: Bench): Promise<void> {
  await settle()
  clock.advance(50)
  await settle()
}

const recordsOf = ({ store }: Bench) => store.rows.map(({ record }) => JSON.parse(record))
const eventsOf = (bench: Bench) => recordsOf(bench).map(({ method }) => method)

test('a record says who asked what of whom through what, how it ended, how long it took, and in this order', async () => {
  const bench = createBench()
  const evidence = bench.open()
  const passage = toPassage({
    arguments: { repo: 'a/b', labels: ['x', 'y'], draft: true, by: { name: 'Ada' } },
    principal: { id: 'ada', tenant: 'acme', attributes: { roles: [], key: 'k1' } },
    session: 'the id of a session',
  })
  passage.route = {
    destination: { name: 'github', handle: () => Promise.reject(new Error('Not called')) },
    params: { name: 'create_issue' },
  }
  evidence.call(passage, { at: bench.clock.wallNow(), ms: 12.3456, outcome: 'complete', result: { content: [] } })
  await flush(bench)
  const record = recordsOf(bench).at(-1)
  expect(record).toMatchObject({
    v: 1,
    kind: 'call',
    at: bench.clock.wallNow() - 50 - 12,
    ms: 12.35,
    tenant: 'acme',
    principal: 'ada',
    credential: { kind: 'key', id: 'k1' },
    session: expect.stringMatching(/^[0-9a-f]{32}$/),
    view: 'review',
    method: 'tools/call',
    target: 'github__create_issue',
    upstream: 'github',
    native: 'create_issue',
    arguments: {
      shape: { repo: 'string(3)', labels: 'array(2)', draft: 'boolean', by: { name: 'string(3)' } },
    },
    outcome: 'complete',
    result: { bytes: 14, sha256: expect.stringMatching(/^[0-9a-f]{64}$/) },
    trace: 'a'.repeat(32),
  })
  expect(Object.keys(record)).toEqual(
    'v kind at ms tenant principal credential client session revision view method target upstream native arguments outcome result trace'
      .split(' ')
      .filter((member) => member !== 'client' || record.client !== undefined),
  )
  expect(bench.store.rows.at(-1)?.index).toEqual({
    tenant: 'acme',
    principal: 'ada',
    method: 'tools/call',
    target: 'github__create_issue',
    upstream: 'github',
    outcome: 'complete',
    trace: 'a'.repeat(32),
  })
  expect(JSON.stringify(bench.store.rows)).not.toContain('the id of a session')
})

test('abuse-40: no record holds a secret, a control character or a line of somebody else', async () => {
  const bench = createBench()
  const evidence = bench.open({ content: 'full', redact: [{ arguments: ['customer.birthday', '**.note'] }] })
  end(evidence, bench, {
    name: 'x\r\n{"forged":true}\u001b[2J\u202e',
    arguments: {
      password: 'hunter2',
      access: { apiKey: 'hunter2', user: 'ada' },
      text: 'Bearer hunter2hunter2',
      customer: { birthday: 'hunter2', name: 'Ada' },
      deep: [{ note: 'hunter2' }],
      line: 'a\nb\u202e',
    },
    principal: { id: 'ada\n\u001b[31m', tenant: 'acme' },
  })
  await flush(bench)
  const { record } = bench.store.rows.at(-1) ?? { record: '' }
  expect(record).not.toMatch(/hunter2|[\p{Cc}\u202e]/u)
  expect(JSON.parse(record)).toMatchObject({
    principal: 'ada\\u{a}\\u{1b}[31m',
    arguments: {
      content: { access: { apiKey: '[redacted]', user: 'ada' }, customer: { name: 'Ada' }, line: 'a\nb\u202e' },
    },
  })
})

test('abuse-40: the shape of a secret does not say how long it is', async () => {
  const bench = createBench()
  end(bench.open(), bench, { arguments: { token: 'hunter2', name: 'ada' } })
  await flush(bench)
  expect(recordsOf(bench).at(-1).arguments).toEqual({ shape: { token: 'string', name: 'string(3)' } })
})

test('what is recorded of arguments is decided by tool, and long ones are recorded as a shape', async () => {
  const bench = createBench()
  const evidence = bench.open({
    content: 'none',
    contentFor: [{ tools: ['files__*'], content: 'full' }],
    maxContentLength: 1_024,
  })
  for (const [name, text] of [
    ['files__read', 'short'],
    ['files__read', 'x'.repeat(2_000)],
    ['mail__send', 'short'],
  ] as const) {
    end(evidence, bench, { name, arguments: { text } })
  }
  await flush(bench)
  expect(
    recordsOf(bench)
      .slice(1)
      .map((record) => record.arguments),
  ).toEqual([{ content: { text: 'short' } }, { shape: { text: 'string(2000)' } }, undefined])
})

test('a chain begins with who writes it and what it follows, and ends with why', async () => {
  const bench = createBench()
  const first = bench.open()
  await first.close('stopped', 1_000)
  bench.clock.advance(10)
  const second = bench.open()
  await second.close('stopped', 1_000)
  const [begun, stopped, next] = recordsOf(bench)
  expect(begun).toMatchObject({ method: 'gateway.started', about: { version: '1.0.0', key: bench.key.id } })
  expect(begun.about).not.toHaveProperty('follows')
  expect(stopped).toMatchObject({ method: 'gateway.stopped', about: { reason: 'stopped' } })
  expect(next.about.follows).toMatchObject({ chain: first.chain, seq: 2, hash: bench.store.rows[1]?.hash })
  expect(bench.store.signed).toMatchObject([{ seq: 2 }, { seq: 2 }])
  expect(bench.anchored).toEqual(bench.store.signed)
})

test('sessions are recorded as they are first seen and as they end', async () => {
  const bench = createBench()
  const evidence = bench.open()
  end(evidence, bench, { session: 's1' })
  end(evidence, bench, { session: 's1' })
  evidence.sessionEnded('s1')
  evidence.sessionEnded('never seen')
  await flush(bench)
  expect(eventsOf(bench)).toEqual(['gateway.started', 'session.opened', 'tools/call', 'tools/call', 'session.ended'])
})

test('nothing is lost while the store is away for a while, and calls go on', async () => {
  const bench = createBench()
  const evidence = bench.open()
  await flush(bench)
  bench.store.isAway = true
  for (let n = 0; n < 5; n++) {
    expect(evidence.refusal()).toBeUndefined()
    end(evidence, bench)
    await flush(bench)
  }
  bench.store.isAway = false
  bench.clock.advance(10_000)
  await settle()
  await flush(bench)
  expect(bench.store.rows.map(({ seq }) => seq)).toEqual([1, 2, 3, 4, 5, 6])
})

test('an answer of the store that was lost makes no row twice', async () => {
  const bench = createBench()
  const { store } = bench
  const append = store.append.bind(store)
  let isFirst = true
  store.append = async (rows) => {
    await append(rows)
    if (isFirst) {
      isFirst = false
      throw new StoreError('unavailable', 'The connection was lost')
    }
  }
  const evidence = bench.open()
  end(evidence, bench)
  await flush(bench)
  bench.clock.advance(1_000)
  await settle()
  await evidence.close('stopped', 1_000)
  expect(eventsOf(bench)).toEqual(['gateway.started', 'tools/call', 'gateway.stopped'])
})

test('when so much waits that no more may, calls are refused before they are made, and that is recorded', async () => {
  const bench = createBench()
  const evidence = bench.open({ maxWaitingRecords: 3 })
  await flush(bench)
  bench.store.isAway = true
  for (let n = 0; n < 3; n++) end(evidence, bench)
  expect(evidence.refusal()).toMatchObject({ code: 'policy.busy', data: { kind: 'audit_unavailable' } })
  expect(evidence.refusal()).toMatchObject({ code: 'policy.busy' })
  bench.store.isAway = false
  bench.clock.advance(10_000)
  await settle()
  expect(evidence.refusal()).toBeUndefined()
  await evidence.close('stopped', 1_000)
  expect(recordsOf(bench).find(({ method }) => method === 'audit.refused')).toMatchObject({ about: { calls: 2 } })
  expect(eventsOf(bench).filter((method) => method === 'tools/call')).toHaveLength(3)
})

test('or they go on unrecorded and are counted, and how many is the first thing that is written again', async () => {
  const bench = createBench()
  const evidence = bench.open({ maxWaitingRecords: 2, onLoss: 'count' })
  await flush(bench)
  bench.store.isAway = true
  for (let n = 0; n < 5; n++) {
    expect(evidence.refusal()).toBeUndefined()
    end(evidence, bench)
  }
  bench.store.isAway = false
  await flush(bench)
  expect(
    recordsOf(bench)
      .slice(1)
      .map(({ method, about }) => [method, about?.records]),
  ).toEqual([
    ['audit.lost', 3],
    ['tools/call', undefined],
    ['tools/call', undefined],
  ])
})

test('a caller that is to wait until its record is kept does, and is told where it never is', async () => {
  const bench = createBench()
  const evidence = bench.open({ acknowledge: 'before-answer' })
  await flush(bench)
  bench.store.isAway = true
  let state = 'waits'
  const kept = end(evidence, bench)?.then(() => {
    state = 'kept'
  })
  await flush(bench)
  expect(state).toBe('waits')
  bench.store.isAway = false
  bench.clock.advance(1_000)
  await kept
  expect(state).toBe('kept')
  bench.store.isAway = true
  const never = expect(end(evidence, bench)).rejects.toMatchObject({ code: 'policy.busy' })
  const closing = evidence.close('stopped', 500)
  await settle()
  bench.clock.advance(500)
  await closing
  await never
})

test('nothing is lost at an orderly stop, whatever waits', async () => {
  const bench = createBench()
  const evidence = bench.open({ batchRecords: 4 })
  for (let n = 0; n < 30; n++) end(evidence, bench)
  await evidence.close('stopped', 1_000)
  expect(eventsOf(bench).filter((method) => method === 'tools/call')).toHaveLength(30)
  expect(eventsOf(bench).at(-1)).toBe('gateway.stopped')
  expect(bench.store.signed.at(-1)?.seq).toBe(bench.store.rows.at(-1)?.seq)
  expect(bench.clock.pending).toBe(0)
})

test('whoever is refused at the door again and again is counted', async () => {
  const bench = createBench()
  const evidence = bench.open()
  for (let n = 0; n < 50; n++) evidence.event({ event: 'door.refused', outcome: 'caller.unauthenticated' })
  await evidence.close('stopped', 1_000)
  const refused = recordsOf(bench).filter(({ method }) => method === 'door.refused')
  expect(refused).toHaveLength(21)
  expect(refused.at(-1)).toMatchObject({ about: { more: 30 } })
})

test('records are forgotten after their time, and that they were is recorded', async () => {
  const bench = createBench()
  const old = bench.open()
  await old.close('stopped', 1_000)
  bench.clock.advance(3 * 24 * 3_600_000)
  const evidence = bench.open({ retentionDays: 1 })
  await flush(bench)
  bench.clock.advance(60_000)
  await flush(bench)
  const forgot = recordsOf(bench).find(({ method }) => method === 'audit.forgot')
  expect(forgot?.about).toMatchObject({ records: 1, begins: { [old.chain]: 2 } })
  await evidence.close('stopped', 1_000)
})

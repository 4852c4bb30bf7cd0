import { deepStrictEqual, rejects } from 'node:assert/strict'
import type { TaskRecord, TaskStore } from '@crosspoint/mcp/server'

/** One promise of every driver of the task store. Fails by throwing. */
export interface TaskStorePromise {
  readonly title: string
  readonly check: (store: TaskStore) => Promise<void>
}

/** What every driver of the task store keeps to, each held against an empty store. */
export const TASK_STORE_CONTRACT: readonly TaskStorePromise[] = [
  {
    title: 'finds what it was given, and nothing else',
    async check(store) {
      const record = toRecord('a', {
        inputRequests: { q: { method: 'roots/list', params: JSON.parse('{"__proto__":1}') } },
      })
      await store.create(record, BOUNDS)
      deepStrictEqual(await store.find('a'), record)
      deepStrictEqual(await store.find('b'), undefined)
      deepStrictEqual(await store.find('__proto__'), undefined)
    },
  },
  {
    title: 'keeps no two tasks of one id',
    async check(store) {
      await store.create(toRecord('a'), BOUNDS)
      await rejects(store.create(toRecord('a', { owner: 'other' }), BOUNDS))
      deepStrictEqual((await store.find('a'))?.owner, 'me')
    },
  },
  {
    title: 'keeps no more than the bounds allow, of an owner and in all, and takes more once some are forgotten',
    async check(store) {
      const bounds = { ...BOUNDS, maxTasks: 3, maxTasksPerOwner: 2 }
      await store.create(toRecord('a'), bounds)
      await store.create(toRecord('b'), bounds)
      await rejects(store.create(toRecord('c'), bounds), { code: 'policy.limit' })
      await store.create(toRecord('c', { owner: 'other' }), bounds)
      await rejects(store.create(toRecord('d', { owner: 'third' }), bounds), { code: 'policy.limit' })
      await store.save({ ...toRecord('a'), status: 'cancelled' }, BOUNDS)
      await store.sweep(1_500)
      await store.create(toRecord('d'), bounds)
    },
  },
  {
    title: 'keeps no more bytes than the bounds allow, of an owner and in all, as the records count them',
    async check(store) {
      const bounds = { ...BOUNDS, maxBytes: 30, maxBytesPerOwner: 20 }
      const refused = { code: 'policy.limit' }
      await store.create(toRecord('a'), bounds)
      await rejects(store.create(toRecord('b', { bytes: 11 }), bounds), refused)
      await store.create(toRecord('b'), bounds)
      await store.create(toRecord('c', { owner: 'other', bytes: 9 }), bounds)
      const grown: TaskRecord = { ...toRecord('a', { bytes: 11 }), status: 'completed', result: { content: [] } }
      await rejects(store.save(grown, bounds), refused)
      deepStrictEqual(await store.find('a'), toRecord('a'))
      await rejects(store.save({ ...toRecord('c', { owner: 'other', bytes: 11 }) }, bounds), refused)
      deepStrictEqual(await store.save({ ...grown, bytes: 10 }, { ...bounds, maxBytesPerOwner: 5 }), true)
      deepStrictEqual(await store.save(toRecord('b', { bytes: 1 }), bounds), true)
      await store.create(toRecord('d', { bytes: 9 }), bounds)
      await store.sweep(1_500)
      await store.create(toRecord('e'), bounds)
    },
  },
  {
    title: 'replaces what is at work, and never what is final or not there',
    async check(store) {
      await store.create(toRecord('a'), BOUNDS)
      const done: TaskRecord = { ...toRecord('a'), status: 'completed', result: { content: [] } }
      deepStrictEqual(await store.save(done, BOUNDS), true)
      deepStrictEqual(await store.save({ ...toRecord('a'), status: 'failed' }, BOUNDS), false)
      deepStrictEqual(await store.find('a'), done)
      deepStrictEqual(await store.save(toRecord('b'), BOUNDS), false)
      deepStrictEqual(await store.find('b'), undefined)
    },
  },
  {
    title: 'renews the lease of what a worker works on, and a change in between does not shorten it',
    async check(store) {
      await store.create(toRecord('a'), BOUNDS)
      await store.create(toRecord('b', { worker: 'other' }), BOUNDS)
      await store.renew('w', 9_000)
      await store.save({ ...toRecord('a'), statusMessage: 'half way' }, BOUNDS)
      const leases = await Promise.all(['a', 'b'].map(async (id) => (await store.find(id))?.leaseUntilMs))
      deepStrictEqual(leases, [9_000, 2_000])
    },
  },
  {
    title: 'lists the tasks of an owner in order of creation, from a place that may be gone',
    async check(store) {
      for (const [id, createdAtMs] of Object.entries({ c: 2, a: 3, b: 3, d: 1 })) {
        await store.create(toRecord(id, { createdAtMs }), BOUNDS)
      }
      await store.create(toRecord('x', { owner: 'other', createdAtMs: 0 }), BOUNDS)
      const ids = async (...of: Parameters<TaskStore['list']>) => (await store.list(...of)).map(({ taskId }) => taskId)
      deepStrictEqual(await ids('me', undefined, 3), ['d', 'c', 'a'])
      deepStrictEqual(await ids('me', { createdAtMs: 3, taskId: 'a' }, 3), ['b'])
      deepStrictEqual(await ids('me', { createdAtMs: 2, taskId: 'gone' }, 9), ['a', 'b'])
      deepStrictEqual(await ids('nobody', undefined, 9), [])
    },
  },
  {
    title: 'forgets what is final after its time, and what nobody works on after that and its lease',
    async check(store) {
      await store.create(toRecord('final'), BOUNDS)
      await store.save({ ...toRecord('final'), status: 'failed', error: { code: 1, message: 'm' } }, BOUNDS)
      await store.create(toRecord('orphan'), BOUNDS)
      await store.sweep(1_499)
      deepStrictEqual((await store.list('me', undefined, 9)).length, 2)
      await store.sweep(1_500)
      deepStrictEqual(await store.find('final'), undefined)
      await store.sweep(2_500)
      deepStrictEqual(await store.find('orphan'), undefined)
    },
  },
]

const BOUNDS = { maxTasks: 100, maxTasksPerOwner: 100, maxBytes: 10_000, maxBytesPerOwner: 10_000 }

function toRecord(taskId: string, more: Partial<TaskRecord> = {}): TaskRecord {
  return {
    taskId,
    owner: 'me',
    status: 'working',
    createdAtMs: 1_000,
    updatedAtMs: 1_000,
    keepMs: 500,
    pollIntervalMs: 10,
    worker: 'w',
    leaseUntilMs: 2_000,
    bytes: 10,
    inputRequests: {},
    ...more,
  }
}

import type { GrantStore } from '../contract/grant-store.ts'
import type { Worker } from './worker.ts'

/** No call waits for these, but one in seconds: all is done by threads. */
export function createGrants(writer: Worker, reader: Worker): GrantStore {
  return {
    put: (row) => writer.call('putGrant', row),
    add: (row) => writer.call('addGrant', row),
    find: (kind, id) => reader.call('findGrant', kind, id),
    findByUid: (kind, uid) => reader.call('findGrantByUid', kind, uid),
    consume: (kind, id, at) => writer.call('consumeGrant', kind, id, at),
    remove: (kind, id) => writer.call('removeGrant', kind, id),
    revoke: (of) => writer.call('revokeGrants', of),
    list: (options) => reader.call('listGrants', options),
    count: (kind) => reader.call('countGrants', kind),
    sweep: (now) => writer.call('sweepGrants', now),
  }
}

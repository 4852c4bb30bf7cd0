import type { CredentialStore } from '../contract/credential-store.ts'
import type { Worker } from './worker.ts'

/** What changes is written, and all else read, by threads: calls need it seldom. */
export function createEmbeddedCredentials(writer: Worker, reader: Worker): CredentialStore {
  return {
    find: (id) => reader.call('findCredential', id),
    put: (record, expected) => writer.call('putCredential', record, expected),
    remove: (id) => writer.call('removeCredential', id),
    list: (options) => reader.call('listCredentials', options),
    claim: (name, holder, times) => writer.call('claimCredential', name, holder, times),
    release: (name, holder) => writer.call('releaseCredential', name, holder),
  }
}

import type { AccountStore } from '../contract/account-store.ts'
import type { Worker } from './worker.ts'

/** Nobody waits for an account but those who sign in, whom the password takes longer: all is done by threads. */
export function createAccounts(writer: Worker, reader: Worker): AccountStore {
  return {
    add: (account) => writer.call('addAccount', account),
    find: (name) => reader.call('findAccount', name),
    list: (options) => reader.call('listAccounts', options),
    change: (name, change) => writer.call('changeAccount', name, change),
    remove: (name) => writer.call('removeAccount', name),
  }
}

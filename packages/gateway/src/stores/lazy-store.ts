import type { Store } from './contract/store.ts'
import { StoreError } from './contract/store-error.ts'

/** A store that is opened when something is first asked of it. */
export interface LazyStore extends Store {
  /** Opens it now, so that what is wrong is known now. */
  open(): Promise<void>
}

/** @param open is tried again with the next question where it fails */
export function createLazyStore(open: () => Promise<Store>): LazyStore {
  let opening: Promise<Store> | undefined
  let isClosed = false
  const opened = async (): Promise<Store> => {
    if (isClosed) throw new StoreError('closed', 'The store was closed')
    opening ??= open().catch((error: unknown) => {
      opening = undefined
      throw error
    })
    return opening
  }
  return {
    keys: onceOpened(async () => (await opened()).keys),
    audit: onceOpened(async () => (await opened()).audit),
    credentials: onceOpened(async () => (await opened()).credentials),
    accounts: onceOpened(async () => (await opened()).accounts),
    grants: onceOpened(async () => (await opened()).grants),
    counts: onceOpened(async () => (await opened()).counts),
    open: async () => void (await opened()),
    migrate: async () => (await opened()).migrate(),
    backup: async (path) => (await opened()).backup(path),
    restore: async (path) => (await opened()).restore(path),
    close: async () => {
      isClosed = true
      await (await opening)?.close()
    },
  }
}

/** A port all of whose methods answer later, as those of stores do. */
function onceOpened<Port extends object>(open: () => Promise<Port>): Port {
  const methods = new Map<PropertyKey, unknown>()
  return new Proxy({} as Port, {
    get(_, name) {
      // What has a `then` is waited for where it is handed around.
      if (name === 'then') return undefined
      const known = methods.get(name)
      if (known !== undefined) return known
      const method = async (...args: readonly unknown[]) => {
        const port = (await open()) as Readonly<Record<PropertyKey, (...args: readonly unknown[]) => unknown>>
        return port[name]?.(...args)
      }
      methods.set(name, method)
      return method
    },
  })
}

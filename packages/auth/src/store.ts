import type { JsonObject } from './json.ts'

/**
 * Where tokens and registrations are kept. Keys are JSON lists, whose first member says what is kept: `server` and
 * `tokens` are an account's, which is their last member, and `client` is a registration, the same for all accounts; values
 * are small JSON objects with secrets in them. Whoever can read a store can act for the people in it.
 */
export interface TokenStore {
  /** @returns undefined where there is nothing, or nothing that can be read */
  read(key: string): Promise<JsonObject | undefined>
  /** @param value undefined takes it away */
  write(key: string, value: JsonObject | undefined): Promise<void>
  /**
   * Does work while nobody else who shares the store does work under the same key, be it in another process: a refresh
   * token that is used twice may cost everybody their tokens.
   */
  exclusively<T>(key: string, work: () => Promise<T>): Promise<T>
}

/** Forgets everything when the process ends. */
export function createMemoryStore(): TokenStore {
  const values = new Map<string, JsonObject>()
  const line = createLine()
  return {
    read: async (key) => values.get(key),
    async write(key, value) {
      if (value === undefined) values.delete(key)
      else values.set(key, value)
    },
    exclusively: line,
  }
}

/** Work of one process, one after the other where the key is the same. */
export function createLine(): TokenStore['exclusively'] {
  const last = new Map<string, Promise<unknown>>()
  return async (key, work) => {
    const before = last.get(key) ?? Promise.resolve()
    const mine = before.then(work, work)
    last.set(key, mine)
    try {
      return await mine
    } finally {
      if (last.get(key) === mine) last.delete(key)
    }
  }
}

import type { TokenStore } from '@crosspoint/auth'
import type { CredentialId } from '../stores/contract/credential-store.ts'
import { CredentialError } from './credential-error.ts'
import { changeKept, type Kept, readIfOpens } from './kept.ts'

/** Whose credential it is: a caller's by tenant and principal, or, both empty, the gateway's own. */
export interface CredentialOwner {
  readonly tenant: string
  readonly principal: string
}

/**
 * What one owner has with one server, in one record of the store: it is renewed, listed and taken away as a whole.
 * Registrations of the gateway are the same for all owners, and have records of their own.
 */
export function createSealedTokens(kept: Kept, owner: CredentialOwner, server: string): TokenStore {
  const connection = toConnectionId(owner, server)
  return {
    async read(key) {
      const text = await readIfOpens(kept, toId(key, connection))
      return text === undefined ? undefined : parse(text).get(key)
    },
    write: (key, value) =>
      changeKept(kept, toId(key, connection), (before) => {
        const values = parse(before ?? '{}')
        if (value === undefined) values.delete(key)
        else values.set(key, value)
        return values.size === 0 ? undefined : JSON.stringify(Object.fromEntries(values))
      }),
    exclusively: (key, work) => alone(kept, JSON.stringify([owner.tenant, owner.principal, server, key]), work),
  }
}

export function toConnectionId({ tenant, principal }: CredentialOwner, server: string): CredentialId {
  return { kind: 'connection', tenant, principal, name: server }
}

/** Keys are JSON lists, whose first member says what it is: see `TokenStore`. */
function toId(key: string, connection: CredentialId): CredentialId {
  return key.startsWith('["client",') ? { kind: 'client', tenant: '', principal: '', name: key } : connection
}

type Values = Map<string, Readonly<Record<string, unknown>>>

function parse(text: string): Values {
  // Written above, and closed since.
  return new Map(Object.entries(JSON.parse(text) as Record<string, Readonly<Record<string, unknown>>>))
}

/** Among all who share the store: in this process by waiting, elsewhere by the store's word. */
async function alone<T>(kept: Kept, name: string, work: () => Promise<T>): Promise<T> {
  const { store, wallClock } = kept
  const holder = crypto.randomUUID()
  const claim = () => store.claim(name, holder, { now: wallClock(), until: wallClock() + HELD_MS })
  const until = performance.now() + PATIENCE_MS
  while (!(await claim())) {
    if (performance.now() > until) throw new CredentialError('busy', 'Cannot renew a sign-in: another gateway is at it')
    await pause(POLL_MS * (1 + Math.random()))
  }
  // One that did not come through is made up for by the next: the name is held for three of them.
  const alive = setInterval(() => void claim().catch(() => {}), HELD_MS / 3)
  try {
    return await work()
  } finally {
    clearInterval(alive)
    // It ends by itself.
    await store.release(name, holder).catch(() => {})
  }
}

/** There is no event for a name that is given back. */
function pause(ms: number): Promise<void> {
  return new Promise((resolve) => {
    setTimeout(resolve, ms)
  })
}

const HELD_MS = 30_000
const PATIENCE_MS = 30_000
const POLL_MS = 25

import type { AuthServerConfig } from '../config/model-auth-server.ts'
import type { GrantStore } from '../stores/contract/grant-store.ts'
import { toAccount } from './people.ts'
import { openSeal } from './seal-key.ts'
import { rotateSigningKeys } from './signing-keys.ts'

/** What people agreed to, for those who look after a gateway. */

/** What somebody allowed one client; tokens come of it. */
export interface Agreed {
  readonly id: string
  /** By which they signed in; undefined for who signed in elsewhere. */
  readonly account?: string
  readonly client: string
  /** Milliseconds since 1970. */
  readonly since: number
  readonly until?: number
}

/** All of it that holds, by id. */
export async function listAgreed(grants: GrantStore, now: number): Promise<readonly Agreed[]> {
  const found: Agreed[] = []
  for (let after: string | undefined; ; ) {
    const page = await grants.list({ kind: 'Grant', limit: PAGE, ...(after === undefined ? {} : { after }) })
    for (const { id, account, client = '', createdAt, expiresAt } of page) {
      if (expiresAt !== undefined && expiresAt <= now) continue
      const name = account?.startsWith(LOCAL) === true ? account.slice(LOCAL.length) : undefined
      found.push({
        id,
        ...(name === undefined ? {} : { account: name }),
        client,
        since: createdAt,
        ...(expiresAt === undefined ? {} : { until: expiresAt }),
      })
    }
    after = page.at(-1)?.id
    if (page.length < PAGE) return found
  }
}

/** Everything ends that came of it, within two seconds. @returns whether there was anything */
export async function revokeAgreed(
  grants: GrantStore,
  of: { readonly grant: string } | { readonly account: string } | { readonly client: string },
): Promise<boolean> {
  return (await grants.revoke('account' in of ? { account: toAccount(of.account) } : of)) > 0
}

/** Tokens are signed with another key from two minutes on; those of before go on until they end. */
export async function rotateTokenKeys(
  grants: GrantStore,
  config: AuthServerConfig,
  env: Readonly<Record<string, string | undefined>>,
): Promise<void> {
  await rotateSigningKeys({ grants, seal: openSeal(config, env), now: Date.now })
}

const LOCAL = toAccount('')
const PAGE = 1_000

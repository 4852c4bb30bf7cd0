import type { Clock, Principal } from '@crosspoint/mcp'
import type { GatewayConfig, ServerConfig } from '../config/model.ts'
import type { Log } from '../log.ts'
import type { CredentialStore } from '../stores/contract/credential-store.ts'
import type { Access, AccessOf } from '../upstreams/access.ts'
import { type CallerAccess, createExchangedAccess, createSignedInAccess } from './caller-access.ts'
import { ConnectDesk, type WhoIs } from './connect/desk.ts'
import { CredentialError } from './credential-error.ts'
import type { Kept } from './kept.ts'
import { type AccessNeeds, createOwnAccess, createPlainAccess } from './plain-access.ts'
import type { CredentialOwner } from './sealed-tokens.ts'
import { Secrets } from './secrets.ts'
import { createVault } from './vault.ts'

export interface CredentialsNeeds {
  readonly config: () => GatewayConfig
  /** Absent: nobody signs in, and there is no vault. */
  readonly store: CredentialStore | undefined
  /** The keys of the vault, the one in force first; read when something is first closed or opened. */
  readonly vaultKeys: () => readonly Uint8Array<ArrayBuffer>[] | Promise<readonly Uint8Array<ArrayBuffer>[]>
  readonly readFile: (path: string) => Promise<string>
  readonly env: Readonly<Record<string, string | undefined>>
  readonly windows: boolean
  readonly clock: Clock
  readonly wallClock: () => number
  readonly log: Log
  /** See `ConnectDeskNeeds`. */
  readonly whoIs?: WhoIs | undefined
  /** The token a caller showed; undefined where it showed none. */
  readonly subjectOf: (principal: Principal) => string | undefined
  /** Somebody signed in to a server. */
  readonly changed: (server: string, owner: CredentialOwner) => void
}

/** What the gateway shows to servers. */
export class Credentials {
  readonly #needs: CredentialsNeeds
  readonly #access: AccessNeeds
  readonly #callers = new Map<string, CallerAccess>()
  readonly #kept: (Kept & { forget(): void }) | undefined
  /** Where people sign in; absent where nothing is kept. */
  readonly desk: ConnectDesk | undefined

  constructor(needs: CredentialsNeeds) {
    this.#needs = needs
    const { store, wallClock, config, env, windows, readFile } = needs
    this.#kept = store === undefined ? undefined : createKept(store, needs.vaultKeys, wallClock)
    const secrets = new Secrets({ config, env, readFile, kept: this.#kept })
    this.#access = { secrets, env, windows, wallClock }
    const connected = (server: string, owner: CredentialOwner) => {
      this.#callers.get(server)?.changed(owner)
      needs.changed(server, owner)
    }
    this.desk = this.#kept && new ConnectDesk({ ...needs, ...this.#access, kept: this.#kept, connected })
  }

  /** Another configuration is in force: what is kept may be opened with other keys. */
  apply(): void {
    this.#kept?.forget()
  }

  readonly accessOf: AccessOf = (config) => {
    const { auth, name } = config()
    switch (auth?.kind) {
      case undefined:
        return createPlainAccess(config, this.#access)
      case 'client-credentials':
        return createOwnAccess(config, auth, this.#access)
      case 'exchange':
        return createExchangedAccess(config, auth, { ...this.#access, subjectOf: this.#needs.subjectOf })
      case 'oauth': {
        const [kept, desk] = [this.#kept, this.desk]
        if (kept === undefined || desk === undefined) return withoutStore(config)
        const access = createSignedInAccess(config, auth, { ...this.#access, kept, desk, log: this.#needs.log })
        this.#callers.set(name, access)
        return access
      }
    }
  }

  close(): void {
    this.desk?.close()
  }
}

/** Opened with the first use, and again after the keys were changed. */
export function createKept(
  store: CredentialStore,
  vaultKeys: CredentialsNeeds['vaultKeys'],
  wallClock: () => number,
): Kept & { forget(): void } {
  let opening: ReturnType<Kept['vault']> | undefined
  const forget = () => {
    opening = undefined
  }
  const open = async () => createVault(await vaultKeys())
  return {
    store,
    wallClock,
    forget,
    vault: () => {
      opening ??= open().catch((error: unknown) => {
        forget()
        throw error
      })
      return opening
    },
  }
}

function withoutStore(config: () => ServerConfig): Access {
  return {
    target() {
      throw new CredentialError('vault', `Cannot sign in to "${config().name}": there is no store to keep that in`)
    },
  }
}

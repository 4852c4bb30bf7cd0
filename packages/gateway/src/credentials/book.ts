import { systemClock } from '@crosspoint/mcp'
import type { Target } from '@crosspoint/mcp/client'
import type { GatewayConfig, ServerConfig } from '../config/model.ts'
import { SECRET_NAME } from '../config/secret-marks.ts'
import { SILENT } from '../log.ts'
import { readSecretFile, readVaultKeys } from '../node/vault-key.ts'
import type {
  CredentialId,
  CredentialKind,
  CredentialRecord,
  CredentialStore,
} from '../stores/contract/credential-store.ts'
import { storePathOf } from '../stores/open.ts'
import { signIn } from './connect/flow.ts'
import { CredentialError } from './credential-error.ts'
import { Credentials, createKept } from './credentials.ts'
import { changeKept, closeAnew } from './kept.ts'
import { type CredentialOwner, toConnectionId } from './sealed-tokens.ts'
import { Secrets } from './secrets.ts'

/** What is kept, without what makes it a secret. */
export type KeptCredential = Pick<CredentialRecord, 'tenant' | 'principal' | 'name' | 'keyId' | 'updatedAt'>

/** What a gateway shows to servers, for who looks after it: nothing here gives a secret back. */
export interface CredentialBook {
  /** @throws {CredentialError} for a name that is none */
  setSecret(name: string, text: string): Promise<void>
  removeSecret(name: string): Promise<boolean>
  secrets(): Promise<readonly KeptCredential[]>
  /** Whoever has signed in to something; the gateway itself has no names. */
  connections(): Promise<readonly KeptCredential[]>
  /** @returns whether there was one */
  disconnect(server: string, owner: CredentialOwner): Promise<boolean>
  /**
   * Signs an owner in to a server, with the browser of this machine, where what is kept will not do.
   * @returns whether there is a credential now
   * @throws {AuthError | CredentialError}
   */
  connect(server: ServerConfig, owner: CredentialOwner, browser: BrowserOptions): Promise<boolean>
  /** Closes everything with the key of today that was closed with one of before. */
  rotateKey(): Promise<{ readonly changed: number; readonly all: number }>
  /** How the gateway itself reaches a server. */
  target(server: ServerConfig): Promise<Target>
}

export interface BrowserOptions {
  /** Told the page, for a person whose browser is elsewhere. */
  readonly show: (url: string) => void
  /** Whether to open it here. Default true. */
  readonly opens?: boolean
}

export interface CredentialBookOptions {
  readonly config: GatewayConfig
  readonly store: CredentialStore
  readonly env: Readonly<Record<string, string | undefined>>
  /** Milliseconds since 1970. Default `Date.now`. */
  readonly wallClock?: () => number
}

export function openCredentialBook(options: CredentialBookOptions): CredentialBook {
  const { config, store, env, wallClock = Date.now } = options
  const vaultKeys = () => readVaultKeys(config.vault, env, storePathOf(config.store, env))
  const readFile = async (path: string) => readSecretFile(path)
  const windows = process.platform === 'win32'
  const kept = createKept(store, vaultKeys, wallClock)
  const secrets = new Secrets({ config: () => config, env, kept, readFile })
  return {
    async setSecret(name, text) {
      if (!SECRET_NAME.test(name)) {
        throw new CredentialError('secret', `"${name}" is no name of a secret: write letters, digits, "_", "-" and "."`)
      }
      await changeKept(kept, toSecretId(name), () => text)
    },
    removeSecret: (name) => store.remove(toSecretId(name)),
    secrets: () => listAll(store, 'secret'),
    connections: () => listAll(store, 'connection'),
    disconnect: (server, owner) => store.remove(toConnectionId(owner, server)),
    async connect(server, owner, { show, opens = true }) {
      const { auth, transport, name } = server
      if (auth?.kind !== 'oauth' || transport.kind === 'stdio') {
        throw new CredentialError('sign-in', `Nobody signs in to "${name}": its "auth" is not of the kind "oauth"`)
      }
      const { createLoopbackRedirect } = await import('@crosspoint/auth/node')
      const redirect = createLoopbackRedirect({ show, ...(opens ? {} : { open: () => {} }) })
      const place = { server: name, url: transport.url, auth }
      return signIn({ owner, missing: undefined }, place, redirect, { secrets, env, windows, wallClock, kept })
    },
    rotateKey: () => closeAnew(kept),
    async target(server) {
      const credentials = new Credentials({
        config: () => config,
        store,
        vaultKeys,
        readFile,
        env,
        windows,
        clock: systemClock,
        wallClock,
        log: SILENT,
        subjectOf: () => undefined,
        changed: () => {},
      })
      return credentials.accessOf(() => server).target(undefined)
    },
  }
}

async function listAll(store: CredentialStore, kind: CredentialKind): Promise<readonly KeptCredential[]> {
  const all: KeptCredential[] = []
  for (let after: CredentialId | undefined; ; ) {
    const page = await store.list({ kind, limit: PAGE, ...(after === undefined ? {} : { after }) })
    for (const { tenant, principal, name, keyId, updatedAt } of page) {
      all.push({ tenant, principal, name, keyId, updatedAt })
    }
    after = page.at(-1)
    if (page.length < PAGE) return all
  }
}

function toSecretId(name: string): CredentialId {
  return { kind: 'secret', tenant: '', principal: '', name }
}

const PAGE = 100

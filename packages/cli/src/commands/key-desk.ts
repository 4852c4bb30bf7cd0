import {
  type AuditEvent,
  createKey,
  type KeyRecord,
  listKeys,
  recordOnce,
  revokeKey,
  rotateKey,
  type Store,
} from '@crosspoint/gateway'
import type { AdminClient, Key } from '@crosspoint/gateway/admin'
import type { GatewayConfig } from '@crosspoint/gateway/config'
import { CliError, type ExitKind } from '../exit.ts'
import type { Io } from '../io.ts'
import type { RunningOptions } from '../options.ts'
import { asking, findRunning } from '../running.ts'
import { toAuditKeyFault, withStore } from '../store.ts'

export interface Asked {
  readonly principal: string
  readonly tenant: string
  readonly roles: readonly string[]
  readonly scopes?: readonly string[]
  readonly label?: string
  readonly expiresInMs?: number
}

/** A key, and what is kept of it. */
export interface Made {
  readonly key: string
  readonly kept: Key
}

/** Where keys are made and taken back: a gateway that runs, or the store itself. */
export interface KeyDesk {
  /** Whether callers are asked for keys. */
  asks(): Promise<boolean>
  create(about: Asked): Promise<Made>
  list(tenant: string | undefined): Promise<readonly Key[]>
  /** @throws {CliError} where no key has this id */
  revoke(id: string): Promise<Key>
  /** @throws {CliError} where no key has this id, or none that is good */
  rotate(id: string, graceMs: number): Promise<Made & { readonly old: Key }>
}

/** Runs a command with the keys of a gateway that runs, else with those of the store of the configuration. */
export async function withKeys(
  io: Io,
  options: RunningOptions,
  run: (desk: KeyDesk) => Promise<ExitKind>,
): Promise<ExitKind> {
  const client = await findRunning(io, options)
  if (client !== undefined) return asking(() => run(toRemoteDesk(client)))
  return withStore(io, options, (store, config) => {
    io.terminal.detail('No gateway runs on this configuration: using its store')
    return run(toStoreDesk(io, store, config))
  })
}

function toRemoteDesk(client: AdminClient): KeyDesk {
  return {
    asks: async () => (await client.status()).auth.keys,
    create: async (about) => {
      const { key, ...kept } = await client.createKey({
        ...about,
        roles: [...about.roles],
        scopes: about.scopes && [...about.scopes],
      })
      return { key, kept }
    },
    list: async (tenant) => {
      const found: Key[] = []
      let cursor: string | undefined
      do {
        const page = await client.listKeys({ limit: 1_000, tenant, cursor })
        found.push(...page.keys)
        cursor = page.next
      } while (cursor !== undefined)
      return found
    },
    revoke: (id) => client.revokeKey({ id: toSendable(id) }),
    rotate: async (id, graceMs) => {
      const { key, replaced, ...kept } = await client.rotateKey({ id: toSendable(id), graceMs })
      return { key, kept, old: replaced }
    },
  }
}

/** What no id looks like is not asked for. */
function toSendable(id: string): string {
  if (/^[\w-]{1,64}$/.test(id)) return id
  throw unknownKey(id)
}

function toStoreDesk(io: Io, { keys, audit }: Store, config: GatewayConfig): KeyDesk {
  /** What is changed here is evidence as well. */
  const record = async (event: string, { id, tenant, principal }: KeyRecord, more: object = {}): Promise<void> => {
    if (config.audit === undefined) return
    const about = { forTenant: tenant, forPrincipal: principal, ...more, by: 'command-line' }
    const happened: AuditEvent = { event, tenant: 'admin', principal: 'command-line', target: id, about }
    const options = {
      config: config.audit,
      store: audit,
      env: io.env,
      about: { name: 'crosspoint-command-line', version: io.version },
    }
    await recordOnce(happened, options).catch((error: unknown) => {
      throw toAuditKeyFault(error)
    })
  }
  return {
    asks: async () => config.auth?.keys.enabled === true,
    create: async ({ expiresInMs, ...about }) => {
      const now = Date.now()
      const made = await createKey(keys, { ...about, ...(expiresInMs && { expiresAt: now + expiresInMs }) }, now)
      await record('key.created', made.record)
      return { key: made.text, kept: toKept(made.record) }
    },
    list: async (tenant) => (await listKeys(keys, tenant)).map(toKept),
    revoke: async (id) => {
      const before = await keys.find(id)
      const revoked = await revokeKey(keys, id, Date.now())
      if (revoked === undefined) throw unknownKey(id)
      if (before?.revokedAt === undefined) await record('key.revoked', revoked)
      return toKept(revoked)
    },
    rotate: async (id, graceMs) => {
      const made = await rotateKey(keys, id, { graceMs, now: Date.now() })
      const old = await keys.find(id)
      if (old === undefined) throw unknownKey(id)
      if (made === undefined) {
        throw new CliError('usage', `The key "${id}" is not good any more`, {
          hint: 'Make another one: crosspoint keys create',
        })
      }
      await record('key.rotated', old, { replacedBy: made.record.id })
      return { key: made.text, kept: toKept(made.record), old: toKept(old) }
    },
  }
}

/** Of what could check a key nothing is shown, were it of no use. */
function toKept({ digest: _, createdAt, expiresAt, revokedAt, usedAt, roles, scopes, ...rest }: KeyRecord): Key {
  return {
    ...rest,
    roles: [...roles],
    ...(scopes === undefined ? {} : { scopes: [...scopes] }),
    createdAt: toMoment(createdAt),
    ...(expiresAt === undefined ? {} : { expiresAt: toMoment(expiresAt) }),
    ...(revokedAt === undefined ? {} : { revokedAt: toMoment(revokedAt) }),
    ...(usedAt === undefined ? {} : { usedAt: toMoment(usedAt) }),
  }
}

function toMoment(at: number): string {
  return new Date(at).toISOString()
}

function unknownKey(id: string): CliError {
  return new CliError('usage', `No key has the id "${id}"`, { hint: 'See which there are: crosspoint keys list' })
}

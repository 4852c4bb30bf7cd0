import {
  createKey,
  isNobody,
  type KeyRecord,
  type KeyStore,
  listKeys,
  revokeKey,
  rotateKey,
  toKeyId,
} from '@crosspoint/gateway'
import { CliError, type ExitKind } from '../exit.ts'
import type { Io } from '../io.ts'
import type { CommonOptions, KeysCreateOptions, KeysListOptions, KeysRotateOptions } from '../options.ts'
import { toTable } from '../print/table.ts'
import { visible } from '../print/visible.ts'
import { withStore } from '../store.ts'

/** Makes a key: the one time that it is shown. */
export async function keysCreate(io: Io, options: KeysCreateOptions): Promise<ExitKind> {
  const { principal, tenant, role: roles = [], scope: scopes, expires, label } = options
  checkNames({ principal: [principal], tenant: [tenant], role: roles, scope: scopes ?? [] })
  if (isNobody(principal, tenant)) {
    throw new CliError('usage', `"${principal}" is what callers are called whom nobody asks who they are`, {
      hint: 'Give another name, or a tenant with --tenant',
    })
  }
  return withStore(io, options, async ({ keys }, { auth }) => {
    const now = Date.now()
    const about = {
      principal,
      tenant,
      roles,
      ...(scopes === undefined ? {} : { scopes }),
      ...(label === undefined ? {} : { label }),
      ...(expires === undefined ? {} : { expiresAt: now + expires }),
    }
    const made = await createKey(keys, about, now)
    show(io, made.text, made.record)
    io.terminal.say(`This is the key of ${visible(principal)}, shown this once. Its id is ${made.record.id}`)
    if (auth?.keys.enabled !== true) {
      io.terminal.say('Nobody is asked for keys yet: write "auth: {}" into the configuration')
    }
    return 'ok'
  })
}

/** Prints what is kept of each key. */
export async function keysList(io: Io, options: KeysListOptions): Promise<ExitKind> {
  return withStore(io, options, async ({ keys }) => {
    const found = await listKeys(keys, options.tenant)
    const { terminal } = io
    if (terminal.json) {
      terminal.value({ keys: found.map(toShown) })
    } else if (found.length === 0) {
      terminal.say('There are no keys: crosspoint keys create --principal <name> makes one')
    } else {
      const { bold, dim } = terminal.out
      const now = Date.now()
      const heads = ['id', 'principal', 'tenant', 'roles', 'scopes', 'state', 'last used', 'label']
      const rows = found.map((key) => [
        { text: key.id, paint: bold },
        key.principal,
        key.tenant,
        key.roles.join(' '),
        key.scopes?.join(' ') ?? '',
        toState(key, now),
        key.usedAt === undefined ? 'never' : toMinute(key.usedAt),
        key.label ?? '',
      ])
      terminal.data(toTable([heads.map((text) => ({ text, paint: dim })), ...rows], terminal.width))
    }
    return 'ok'
  })
}

/** Takes a key back, by its id or, where it leaked, by itself. */
export async function keysRevoke(io: Io, word: string, options: CommonOptions): Promise<ExitKind> {
  const id = toKeyId(word)
  return withStore(io, options, async ({ keys }) => {
    const revoked = await revokeKey(keys, id, Date.now())
    if (revoked === undefined) throw await unknown(keys, id)
    if (io.terminal.json) io.terminal.value(toShown(revoked))
    io.terminal.say(`The key ${revoked.id} of ${visible(revoked.principal)} is taken back`)
    return 'ok'
  })
}

/** Makes another key for the caller of this one. */
export async function keysRotate(io: Io, word: string, options: KeysRotateOptions): Promise<ExitKind> {
  const id = toKeyId(word)
  return withStore(io, options, async ({ keys }) => {
    const now = Date.now()
    const made = await rotateKey(keys, id, { graceMs: options.grace, now })
    if (made === undefined) throw await unknown(keys, id)
    show(io, made.text, made.record)
    const old = await keys.find(id)
    const until =
      old?.expiresAt === undefined || old.expiresAt <= now ? 'has ended' : `goes on until ${toMinute(old.expiresAt)}`
    io.terminal.say(
      `This is the new key of ${visible(made.record.principal)}, shown this once. Its id is ${made.record.id}; the old one ${until}`,
    )
    return 'ok'
  })
}

/** Nothing but the key on standard output, so that it can be put where it belongs without being seen. */
function show({ terminal }: Io, text: string, record: KeyRecord): void {
  if (terminal.json) terminal.value({ key: text, ...toShown(record) })
  else terminal.data(text)
}

/** Of what could check a key nothing is shown, were it of no use. */
function toShown({ digest: _, ...shown }: KeyRecord): object {
  const times = (['createdAt', 'expiresAt', 'revokedAt', 'usedAt'] as const).flatMap((name) => {
    const at = shown[name]
    return at === undefined ? [] : [[name, new Date(at).toISOString()]]
  })
  return { ...shown, ...Object.fromEntries(times) }
}

function toState({ revokedAt, expiresAt, replacedBy }: KeyRecord, now: number): string {
  const replaced = replacedBy === undefined ? '' : `, replaced by ${replacedBy}`
  if (revokedAt !== undefined) return `revoked${replaced}`
  if (expiresAt === undefined) return `good${replaced}`
  return now < expiresAt ? `until ${toMinute(expiresAt)}${replaced}` : `expired${replaced}`
}

function toMinute(at: number): string {
  return new Date(at).toISOString().slice(0, 16).replace('T', ' ')
}

async function unknown(keys: KeyStore, id: string): Promise<CliError> {
  const hint = 'See which there are: crosspoint keys list'
  const isThere = (await keys.find(id)) !== undefined
  return isThere
    ? new CliError('usage', `The key "${id}" is not good any more`, {
        hint: 'Make another one: crosspoint keys create',
      })
    : new CliError('usage', `No key has the id "${id}"`, { hint })
}

function checkNames(given: Readonly<Record<string, readonly string[]>>): void {
  for (const [option, names] of Object.entries(given)) {
    for (const name of names) {
      // A scope stands between spaces in tokens and challenges (RFC 6749 §3.3), and so do roles.
      const pattern = option === 'scope' ? SCOPE : option === 'role' ? ROLE : NAME
      if (pattern.test(name)) continue
      throw new CliError('usage', `"${name}" cannot be given as --${option}`, { hint: HINT })
    }
  }
}

const NAME = /^[^\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}]{1,256}$/u
const ROLE = /^[^\s\p{Cc}\p{Cf}\p{Cs}]{1,256}$/u
const SCOPE = /^[\x21\x23-\x5b\x5d-\x7e]{1,256}$/
const HINT = 'Write 1 to 256 letters, without spaces in roles and scopes'

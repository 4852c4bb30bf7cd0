import { isNobody, toKeyId } from '@crosspoint/gateway'
import type { Key } from '@crosspoint/gateway/admin'
import { CliError, type ExitKind } from '../exit.ts'
import type { Io } from '../io.ts'
import type { KeysCreateOptions, KeysListOptions, KeysRotateOptions, RunningOptions } from '../options.ts'
import { toTable } from '../print/table.ts'
import { visible } from '../print/visible.ts'
import { type Made, withKeys } from './key-desk.ts'

/** Makes a key: the one time that it is shown. */
export async function keysCreate(io: Io, options: KeysCreateOptions): Promise<ExitKind> {
  const { principal, tenant, role: roles = [], scope: scopes, expires, label } = options
  checkNames({ principal: [principal], tenant: [tenant], role: roles, scope: scopes ?? [] })
  if (isNobody(principal, tenant)) {
    throw new CliError('usage', `"${principal}" is what callers are called whom nobody asks who they are`, {
      hint: 'Give another name, or a tenant with --tenant',
    })
  }
  return withKeys(io, options, async (desk) => {
    const made = await desk.create({
      principal,
      tenant,
      roles,
      ...(scopes === undefined ? {} : { scopes }),
      ...(label === undefined ? {} : { label }),
      ...(expires === undefined ? {} : { expiresInMs: expires }),
    })
    show(io, made)
    io.terminal.say(`This is the key of ${visible(principal)}, shown this once. Its id is ${made.kept.id}`)
    if (!(await desk.asks())) {
      io.terminal.say('Nobody is asked for keys yet: write "auth: {}" into the configuration')
    }
    return 'ok'
  })
}

/** Prints what is kept of each key. */
export async function keysList(io: Io, options: KeysListOptions): Promise<ExitKind> {
  return withKeys(io, options, async (desk) => {
    const found = await desk.list(options.tenant)
    const { terminal } = io
    if (terminal.json) {
      terminal.value({ keys: found })
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
export async function keysRevoke(io: Io, word: string, options: RunningOptions): Promise<ExitKind> {
  const id = toKeyId(word)
  return withKeys(io, options, async (desk) => {
    const revoked = await desk.revoke(id)
    if (io.terminal.json) io.terminal.value(revoked)
    io.terminal.say(`The key ${revoked.id} of ${visible(revoked.principal)} is taken back`)
    return 'ok'
  })
}

/** Makes another key for the caller of this one. */
export async function keysRotate(io: Io, word: string, options: KeysRotateOptions): Promise<ExitKind> {
  const id = toKeyId(word)
  return withKeys(io, options, async (desk) => {
    const { old, ...made } = await desk.rotate(id, options.grace)
    show(io, made)
    const { expiresAt } = old
    const hasEnded = expiresAt === undefined || Date.parse(expiresAt) <= Date.now()
    const until = hasEnded ? 'has ended' : `goes on until ${toMinute(expiresAt)}`
    io.terminal.say(
      `This is the new key of ${visible(made.kept.principal)}, shown this once. Its id is ${made.kept.id}; the old one ${until}`,
    )
    return 'ok'
  })
}

/** Nothing but the key on standard output, so that it can be put where it belongs without being seen. */
function show({ terminal }: Io, { key, kept }: Made): void {
  if (terminal.json) terminal.value({ key, ...kept })
  else terminal.data(key)
}

function toState({ revokedAt, expiresAt, replacedBy }: Key, now: number): string {
  const replaced = replacedBy === undefined ? '' : `, replaced by ${replacedBy}`
  if (revokedAt !== undefined) return `revoked${replaced}`
  if (expiresAt === undefined) return `good${replaced}`
  return now < Date.parse(expiresAt) ? `until ${toMinute(expiresAt)}${replaced}` : `expired${replaced}`
}

function toMinute(at: string): string {
  return at.slice(0, 16).replace('T', ' ')
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

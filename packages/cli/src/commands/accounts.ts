import {
  type AccountRecord,
  changePassword,
  createAccount,
  isNobody,
  listAccounts,
  removeAccount,
} from '@crosspoint/gateway'
import { CliError, type ExitKind } from '../exit.ts'
import type { Io } from '../io.ts'
import type { AccountsAddOptions, CommonOptions } from '../options.ts'
import { readPassword } from '../password.ts'
import { toTable } from '../print/table.ts'
import { visible } from '../print/visible.ts'
import { withStore } from '../store.ts'

/** Makes an account. */
export async function accountsAdd(io: Io, name: string, options: AccountsAddOptions): Promise<ExitKind> {
  const { tenant, role: roles = [] } = options
  for (const text of [name, tenant]) checkName(text, NAME)
  for (const role of roles) checkName(role, ROLE)
  if (isNobody(name, tenant)) {
    throw new CliError('usage', `"${name}" is what callers are called whom nobody asks who they are`, {
      hint: 'Give another name, or a tenant with --tenant',
    })
  }
  return withStore(io, options, async ({ accounts }, { auth }) => {
    const password = await readPassword(io)
    const made = await createAccount(accounts, { name, tenant, roles, password }, Date.now()).catch(toFault)
    if (io.terminal.json) io.terminal.value(toShown(made))
    io.terminal.say(`${visible(name)} can sign in`)
    if (auth?.server === undefined || auth.server.upstream !== undefined) {
      io.terminal.say('Nobody signs in with accounts yet: write "auth: { server: {} }" into the configuration')
    }
    return 'ok'
  })
}

/** Prints what is kept of each account. */
export async function accountsList(io: Io, options: CommonOptions): Promise<ExitKind> {
  return withStore(io, options, async ({ accounts }) => {
    const found = await listAccounts(accounts)
    const { terminal } = io
    if (terminal.json) terminal.value({ accounts: found.map(toShown) })
    else if (found.length === 0) terminal.say('There are no accounts: crosspoint accounts add <name> makes one')
    else {
      const { bold, dim } = terminal.out
      const heads = ['name', 'tenant', 'roles', 'since', 'password of'].map((text) => ({ text, paint: dim }))
      const rows = found.map(({ name, tenant, roles, createdAt, changedAt }) => [
        { text: name, paint: bold },
        tenant,
        roles.join(' '),
        toDay(createdAt),
        toDay(changedAt),
      ])
      terminal.data(toTable([heads, ...rows], terminal.width))
    }
    return 'ok'
  })
}

/** Gives an account another password. */
export async function accountsPasswd(io: Io, name: string, options: CommonOptions): Promise<ExitKind> {
  return withStore(io, options, async (store) => {
    if ((await store.accounts.find(name)) === undefined) throw unknown(name)
    const password = await readPassword(io)
    const changed = await changePassword(store, name, password, Date.now()).catch(toFault)
    if (changed === undefined) throw unknown(name)
    io.terminal.say(`${visible(name)} has another password, and allows clients anew`)
    return 'ok'
  })
}

export async function accountsRemove(io: Io, name: string, options: CommonOptions): Promise<ExitKind> {
  return withStore(io, options, async (store) => {
    if (!(await removeAccount(store, name))) throw unknown(name)
    io.terminal.say(`${visible(name)} cannot sign in any more`)
    return 'ok'
  })
}

/** Of what could check a password nothing is shown. */
function toShown({ digest: _, createdAt, changedAt, ...shown }: AccountRecord): object {
  return { ...shown, createdAt: new Date(createdAt).toISOString(), changedAt: new Date(changedAt).toISOString() }
}

function toDay(at: number): string {
  return new Date(at).toISOString().slice(0, 10)
}

function toFault(error: unknown): never {
  throw error instanceof RangeError ? new CliError('usage', error.message) : error
}

function unknown(name: string): CliError {
  return new CliError('usage', `There is no account "${name}"`, {
    hint: 'See which there are: crosspoint accounts list',
  })
}

function checkName(text: string, pattern: RegExp): void {
  if (pattern.test(text)) return
  throw new CliError('usage', `"${text}" cannot be a name`, { hint: 'Write 1 to 256 letters, without spaces in roles' })
}

const NAME = /^[^\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}]{1,256}$/u
const ROLE = /^[^\s\p{Cc}\p{Cf}\p{Cs}]{1,256}$/u

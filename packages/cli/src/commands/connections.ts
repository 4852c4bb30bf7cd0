import type { CredentialOwner } from '@crosspoint/gateway'
import type { GatewayConfig, ServerConfig } from '@crosspoint/gateway/config'
import { withCredentials } from '../credentials.ts'
import { CliError, type ExitKind } from '../exit.ts'
import type { Io } from '../io.ts'
import type { CommonOptions, ConnectOptions, OwnerOptions } from '../options.ts'
import { toTable } from '../print/table.ts'
import { visible } from '../print/visible.ts'
import { didYouMean } from '../suggest.ts'

/** Signs somebody in to a server, with the browser of this machine. */
export async function connect(io: Io, name: string, options: ConnectOptions): Promise<ExitKind> {
  const owner = toOwner(options)
  return withCredentials(io, options, async (book, config) => {
    const server = toServer(config, name)
    const show = (url: string) => {
      // The one thing that has to be seen to go on.
      io.terminal.tell(`Sign in to ${visible(name)} at ${visible(url)}`)
    }
    const signedIn = book.connect(server, owner, { show, opens: options.open })
    if (!(await untilStopped(io, signedIn))) throw new CliError('auth', `Nobody is signed in to "${name}"`)
    if (io.terminal.json) io.terminal.value({ server: name, ...toShown(owner) })
    io.terminal.say(`Signed in to ${visible(name)} ${toText(owner)}`)
    return 'ok'
  })
}

export async function connectionsList(io: Io, options: CommonOptions): Promise<ExitKind> {
  return withCredentials(io, options, async (book) => {
    const all = await book.connections()
    const { terminal } = io
    if (terminal.json) {
      const connections = all.map(({ name, updatedAt, keyId, ...owner }) => {
        return { server: name, ...toShown(owner), keyId, updatedAt: new Date(updatedAt).toISOString() }
      })
      terminal.value({ connections })
    } else if (all.length === 0) terminal.say('Nobody has signed in to a server: crosspoint connect <server>')
    else {
      const { bold, dim } = terminal.out
      const heads = ['server', 'principal', 'tenant', 'renewed'].map((text) => ({ text, paint: dim }))
      const rows = all.map(({ name, tenant, principal, updatedAt }) => [
        { text: name, paint: bold },
        principal === '' && tenant === '' ? '(the gateway)' : principal,
        tenant,
        new Date(updatedAt).toISOString(),
      ])
      terminal.data(toTable([heads, ...rows], terminal.width))
    }
    return 'ok'
  })
}

/** Takes a sign-in away; who it was of has to sign in anew. */
export async function connectionsRemove(io: Io, name: string, options: OwnerOptions): Promise<ExitKind> {
  const owner = toOwner(options)
  return withCredentials(io, options, async (book) => {
    if (!(await book.disconnect(name, owner))) {
      throw new CliError('usage', `Nobody has signed in to "${name}" ${toText(owner)}`, {
        hint: 'See who has: crosspoint connections list',
      })
    }
    if (io.terminal.json) io.terminal.value({ server: name, ...toShown(owner) })
    io.terminal.say(`The sign-in to ${visible(name)} ${toText(owner)} is gone`)
    return 'ok'
  })
}

function toServer({ servers }: GatewayConfig, name: string): ServerConfig {
  const server = servers.get(name)
  if (server !== undefined) return server
  const names = [...servers.keys()]
  const hint = didYouMean(name, names) ?? `It has ${names.join(', ')}`
  throw new CliError('usage', `No server "${name}" in the configuration`, { hint })
}

/** Without a name it is the gateway's own account. */
function toOwner({ as: principal, tenant }: OwnerOptions): CredentialOwner {
  return principal === undefined ? { tenant: '', principal: '' } : { tenant, principal }
}

function toShown({ tenant, principal }: CredentialOwner): object {
  return principal === '' && tenant === '' ? {} : { principal, tenant }
}

function toText({ tenant, principal }: CredentialOwner): string {
  if (principal === '' && tenant === '') return 'for the gateway itself'
  return `for ${visible(principal)} (${visible(tenant)})`
}

/** A person who changed their mind is not waited for. */
function untilStopped<T>({ stopping }: Io, work: Promise<T>): Promise<T> {
  const { signal } = stopping
  return new Promise((resolve, reject) => {
    const stop = () => reject(new CliError('interrupted', 'Nobody signed in'))
    if (signal.aborted) stop()
    else signal.addEventListener('abort', stop, { once: true })
    work.then(resolve, reject).finally(() => signal.removeEventListener('abort', stop))
  })
}

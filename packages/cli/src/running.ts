import { resolve } from 'node:path'
import { adminPassPath, findAdminPass } from '@crosspoint/gateway'
import { type AdminClient, AdminError, createAdminClient } from '@crosspoint/gateway/admin'
import { locateConfig, readQuietly } from './configuration.ts'
import { CliError, type ExitKind } from './exit.ts'
import type { Io } from './io.ts'
import type { RunningOptions } from './options.ts'
import { visible } from './print/visible.ts'

/**
 * A gateway that runs: that of `--admin`, else the one on this configuration; undefined where none answers.
 * @throws {CliError} where the one that was named does not answer
 */
export async function findRunning(io: Io, options: RunningOptions): Promise<AdminClient | undefined> {
  const named = options.admin
  const found = named === undefined ? await findLocal(io, options) : toNamed(io, named)
  if (found === undefined) return undefined
  const client = createAdminClient(found)
  try {
    await createAdminClient({ url: found.url, timeoutMs: LOOK_MS }).live()
  } catch (error) {
    if (named !== undefined) throw toAdminFault(error)
    io.terminal.detail(`The gateway on this configuration does not answer at ${visible(found.url)}`)
    return undefined
  }
  io.terminal.detail(`Asking the gateway at ${visible(found.url)}`)
  return client
}

interface Found {
  readonly url: string
  readonly token?: string
}

function toNamed({ env }: Io, url: string): Found {
  if (!/^https?:\/\//.test(url) || !URL.canParse(url)) {
    throw new CliError('usage', `"${url}" is no address`, { hint: 'Write --admin http://127.0.0.1:8361' })
  }
  const { origin, pathname, hash } = new URL(url)
  // As the start prints it, for whoever pastes that.
  const token = /^#token=(.+)$/.exec(hash)?.[1] ?? env[TOKEN]
  return { url: origin + pathname, ...(token === undefined || token === '' ? {} : { token }) }
}

async function findLocal(io: Io, options: RunningOptions): Promise<Found | undefined> {
  const path = await locateConfig(io, options)
  const pass = findAdminPass(adminPassPath(resolve(io.cwd, path), io.env))
  if (pass === undefined) return undefined
  const token = pass.token ?? readQuietly(io, path).config.admin.token
  return { url: pass.url, ...(token === undefined ? {} : { token }) }
}

/** Does what a command asks, and says what went wrong as commands do. */
export async function asking(ask: () => Promise<ExitKind>): Promise<ExitKind> {
  try {
    return await ask()
  } catch (error) {
    throw toAdminFault(error)
  }
}

function toAdminFault(error: unknown): unknown {
  if (!(error instanceof AdminError)) return error
  const { code, message, errors, correlation } = error
  const isNobody = code === 'unauthenticated'
  return new CliError(KINDS[code] ?? 'usage', message, {
    code,
    cause: error.cause,
    hint: isNobody ? `Give its token in the variable ${TOKEN}` : error.hint,
    ...(errors.length === 0 && correlation === undefined ? {} : { details: { errors, correlation } }),
  })
}

const KINDS: Readonly<Record<string, ExitKind>> = {
  unreachable: 'unreachable',
  unreadable: 'unreachable',
  unavailable: 'unreachable',
  unauthenticated: 'auth',
  forbidden: 'auth',
  too_many: 'auth',
  internal: 'internal',
}
const TOKEN = 'CROSSPOINT_ADMIN_TOKEN'
/** How long a gateway on this machine may take to say that it is there. */
const LOOK_MS = 2_000

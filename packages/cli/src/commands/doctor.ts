import { createServer } from 'node:net'
import type { UpstreamStatus } from '@crosspoint/gateway'
import type { ConfigIssue, GatewayConfig } from '@crosspoint/gateway/config'
import { locateConfig, readQuietly } from '../configuration.ts'
import { CliError, type ExitKind } from '../exit.ts'
import type { Io } from '../io.ts'
import type { CommonOptions } from '../options.ts'
import { describeCounts, toWord } from '../print/servers.ts'
import { visible } from '../print/visible.ts'
import { askStatus } from '../targets/merged.ts'

/** One thing that was looked at. */
export interface Check {
  readonly about: 'node' | 'config' | 'port' | 'server'
  /** The server, the file or the address. */
  readonly name: string
  readonly status: 'ok' | 'warn' | 'fail' | 'skip'
  readonly message: string
  /** One sentence on what to do. */
  readonly fix?: string
  /** What the command ends with when this is the worst that is wrong. */
  readonly kind?: ExitKind
}

/** Looks at everything that has to be right for `up`, and says what to do about what is not. */
export async function doctor(io: Io, options: CommonOptions): Promise<ExitKind> {
  const checks: Check[] = []
  const note = (check: Check): void => {
    checks.push(check)
    if (!io.terminal.json) io.terminal.data(describeCheck(io, check))
  }
  note({ about: 'node', name: process.version, status: 'ok', message: 'Node is recent enough' })
  const config = await checkConfiguration(io, options, note)
  if (config !== undefined) {
    note(await checkPort(config))
    for (const status of await askStatus(io, config)) note(checkServer(status))
  }
  const end = WORST_FIRST.find((kind) => checks.some((check) => check.status === 'fail' && check.kind === kind)) ?? 'ok'
  if (io.terminal.json) {
    io.terminal.value({ ok: end === 'ok', checks: checks.map(({ kind: _, ...check }) => check) })
  } else
    io.terminal.say(end === 'ok' ? io.terminal.err.green('All is well') : io.terminal.err.red('Something is wrong'))
  return end
}

const WORST_FIRST: readonly ExitKind[] = ['usage', 'auth', 'unreachable']

async function checkConfiguration(
  io: Io,
  options: CommonOptions,
  note: (check: Check) => void,
): Promise<GatewayConfig | undefined> {
  let path: string
  try {
    path = await locateConfig(io, options)
  } catch (error) {
    if (!(error instanceof CliError)) throw error
    note({ about: 'config', name: '', status: 'fail', message: error.message, fix: error.hint ?? '', kind: 'usage' })
    return undefined
  }
  try {
    const { config, warnings } = readQuietly(io, path)
    for (const { message, hint, path: at, line } of warnings) {
      const place = line > 0 ? `${path}:${line}` : path
      note({
        about: 'config',
        name: place,
        status: 'warn',
        message: `${at}: ${message}`,
        ...(hint !== undefined && { fix: hint }),
      })
    }
    const count = config.servers.size
    note({
      about: 'config',
      name: path,
      status: 'ok',
      message: `It can be used: ${count} server${count === 1 ? '' : 's'}`,
    })
    return config
  } catch (error) {
    if (!(error instanceof CliError)) throw error
    const fix = `See every problem with its place: crosspoint config validate ${path}`
    const { message = error.message } = firstIssue(error)
    note({ about: 'config', name: path, status: 'fail', message, fix, kind: 'usage' })
    return undefined
  }
}

function firstIssue(error: CliError): { readonly message?: string } {
  const issues = error.details as readonly ConfigIssue[] | undefined // set by readQuietly
  const [first] = issues ?? []
  return first === undefined ? {} : { message: `${first.path === '' ? '' : `${first.path}: `}${first.message}` }
}

async function checkPort({ listen: { host, port } }: GatewayConfig): Promise<Check> {
  const name = `${host}:${port}`
  const reason = await new Promise<string | undefined>((resolve) => {
    const probe = createServer()
    probe.once('error', (error: NodeJS.ErrnoException) => resolve(error.code ?? error.message))
    probe.listen({ host, port, exclusive: true }, () => probe.close(() => resolve(undefined)))
  })
  if (reason === undefined) return { about: 'port', name, status: 'ok', message: 'The address is free' }
  if (reason === 'EADDRINUSE') {
    const fix = 'If that is not "crosspoint up" already running, stop it or choose another port with --port'
    return { about: 'port', name, status: 'warn', message: 'Something is listening there', fix }
  }
  const fix = 'Set "listen.host" and "listen.port" to an address of this machine that you may use'
  return { about: 'port', name, status: 'fail', message: `The address cannot be used (${reason})`, fix, kind: 'usage' }
}

function checkServer(status: UpstreamStatus): Check {
  const { name, state, reason, remedy } = status
  const about = { about: 'server', name } as const
  if (state === 'disabled') return { ...about, status: 'skip', message: 'It is disabled' }
  if (state === 'ready')
    return { ...about, status: 'ok', message: `${describeIdentity(status)}${describeCounts(status)}` }
  const fix = remedy === undefined ? {} : { fix: remedy }
  if (state === 'degraded')
    return { ...about, status: 'warn', message: `${describeIdentity(status)}${describeCounts(status)}`, ...fix }
  const kind = state === 'needs-sign-in' ? 'auth' : 'unreachable'
  return { ...about, status: 'fail', message: reason ?? `It is ${toWord(state)}`, ...fix, kind }
}

function describeIdentity({ server, revision }: UpstreamStatus): string {
  const who = server === undefined ? '' : `${server.name} ${server.version}, `
  return revision === undefined ? who : `${who}revision ${revision}: `
}

function describeCheck({ terminal: { out } }: Io, { about, name, status, message, fix }: Check): string {
  const paint = { ok: out.green, warn: out.yellow, fail: out.red, skip: out.dim }[status]
  const line = `${paint(status.padEnd(4))}  ${about}${name === '' ? '' : ` ${out.bold(visible(name))}`}: ${visible(message)}`
  return fix === undefined ? line : [line, ...fix.split('\n').map((step) => `      ${visible(step)}`)].join('\n')
}

import { existsSync } from 'node:fs'
import { type ClientCapabilities, findRevision, REVISIONS, type Revision } from '@crosspoint/mcp'
import { type Connection, type ConnectionOptions, openConnection } from '@crosspoint/mcp/client'
import { CliError, type ExitKind } from '../exit.ts'
import { toCliError } from '../faults.ts'
import type { Target } from '../grammar/target.ts'
import { toEnvironment, toHeaders } from '../grammar/values.ts'
import type { Io } from '../io.ts'
import type { TargetOptions } from '../options.ts'
import { visible } from '../print/visible.ts'
import { waiting } from '../print/waiting.ts'
import { openSignIns, signInsFolder } from '../sign-ins.ts'
import { type DialPlan, quoteAll } from './dial.ts'
import type { Peer } from './peer.ts'

/** Opens a target, hands it over, and closes it whatever happens. */
export async function withPeer(
  io: Io,
  target: Target,
  options: TargetOptions,
  use: (peer: Peer) => Promise<ExitKind>,
): Promise<ExitKind> {
  checkOptions(target, options)
  const peer = await openPeer(io, target, options)
  try {
    return await use(peer)
  } finally {
    await peer.close()
  }
}

async function openPeer(io: Io, target: Target, options: TargetOptions): Promise<Peer> {
  // Loaded where they are needed only: what knows configurations and runs a gateway takes longer than a call.
  if (target.kind === 'merged') return (await import('./merged.ts')).openMerged(io, options)
  const { title, connection } = await openDirect(io, target, options)
  const words = toWords(target)
  return { title, words, timeoutMs: options.timeout, handle: connection.handle, close: () => connection.close() }
}

/** Arguments of a child may be secrets, and are known to whoever wrote them. */
function toWords(target: Exclude<Target, { kind: 'merged' }>): string {
  if (target.kind === 'command') return ' -- …'
  return ` ${target.kind === 'url' ? target.url : target.name}`
}

export interface Direct {
  readonly title: string
  readonly connection: Connection
}

/**
 * Connects to one server, without a gateway between.
 * @param capabilities what to declare. Default: nothing
 */
export async function openDirect(
  io: Io,
  target: Exclude<Target, { kind: 'merged' }>,
  options: TargetOptions,
  capabilities?: ClientCapabilities,
): Promise<Direct> {
  const { title, dial, settings } = await toDial(io, target, options)
  const settled: ConnectionOptions = {
    client: { name: 'crosspoint', version: io.version },
    ...settings,
    ...(capabilities !== undefined && { capabilities }),
    ...(options.timeout !== undefined && { connectTimeoutMs: options.timeout, requestTimeoutMs: options.timeout }),
    ...(options.revision !== undefined && { revision: options.revision }),
    signal: io.stopping.signal,
    stderr: (line) => io.terminal.detail(`${title}: ${visible(line)}`),
    fault: (reason, sample) => io.terminal.detail(`${title}: ${visible(reason)}: ${visible(sample)}`),
  }
  try {
    const opened = openConnection(dial, settled)
    return { title, connection: await waiting(io.terminal, () => `Waiting for ${visible(title)}`, opened) }
  } catch (error) {
    throw withHintFor(target, options, toCliError(error, `Cannot connect to ${title}`))
  }
}

/** The doctor knows configured servers only; of others their own words say most. */
function withHintFor(target: Target, options: TargetOptions, error: CliError): CliError {
  const hint = hintFor(target, options, error)
  if (hint === error.hint) return error
  const { kind, message, code, cause, details } = error
  return new CliError(kind, message, { hint, code, cause, details })
}

function hintFor(target: Target, { header }: TargetOptions, { kind, hint, message }: CliError): string | undefined {
  if (kind === 'auth' && target.kind === 'url' && header === undefined) {
    return `Sign in: crosspoint login ${target.url}; or give a token: --header "Authorization: Bearer …"`
  }
  // Somebody answers there who is no MCP server, or one of ours that says so.
  if (target.kind === 'url' && message.includes('path') && new URL(target.url).pathname === '/') {
    return `Most servers are at a path: try ${new URL('/mcp', target.url).href}`
  }
  if (kind !== 'unreachable' || target.kind === 'server') return hint
  return target.kind === 'command' ? 'See what it writes: --verbose, before the "--"' : undefined
}

async function toDial(io: Io, target: Exclude<Target, { kind: 'merged' }>, options: TargetOptions): Promise<DialPlan> {
  switch (target.kind) {
    case 'url':
      return {
        title: target.url,
        dial: { kind: 'http', url: checkUrl(target.url), headers: toHeaders(options.header) },
        settings: await toSignedIn(io, target.url, options),
      }
    case 'command': {
      const { command, args } = target
      const { childEnvironment } = await import('@crosspoint/gateway/config')
      const given = { env: toEnvironment(options.env), inheritEnv: [] }
      const env = childEnvironment(given, io.env, process.platform === 'win32')
      return { title: `"${command}"`, dial: { kind: 'stdio', command, args, env, cwd: io.cwd }, settings: {} }
    }
    case 'server':
      return (await import('./configured.ts')).toServerDial(io, target.name, options)
  }
}

/** What `crosspoint login` got for this URL. Who gives headers says by themselves who they are. */
async function toSignedIn(io: Io, url: string, { header }: TargetOptions): Promise<Partial<ConnectionOptions>> {
  if (header !== undefined || !/^https?:/i.test(url) || !existsSync(signInsFolder(io.env))) return {}
  const { kept } = await openSignIns(io)
  return (await kept.has(url)) ? { authorization: kept.authorization } : {}
}

/** An option that would change nothing for this target is a mistake, not something to drop. */
export function checkOptions(target: Target, { view, header, env, revision }: TargetOptions): void {
  const misplaced =
    (view !== undefined && target.kind !== 'merged' && '--view works without a target only') ||
    (header !== undefined && target.kind !== 'url' && '--header works with a URL only') ||
    (env !== undefined && target.kind !== 'command' && '--env works with a command after "--" only') ||
    (revision !== undefined && target.kind === 'merged' && '--revision works with a target only')
  if (misplaced !== false) throw new CliError('usage', misplaced)
  if (revision !== undefined) toRevision(revision)
}

export function toRevision(name: string): Revision {
  const revision = findRevision(name)
  if (revision !== undefined) return revision
  throw new CliError('usage', `No protocol revision "${name}"`, {
    hint: `There are ${quoteAll(REVISIONS.map((known) => known.name))}`,
  })
}

function checkUrl(url: string): string {
  if (URL.canParse(url)) return url
  throw new CliError('usage', `"${url}" is not a valid URL`)
}

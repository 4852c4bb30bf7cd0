import {
  createGateway,
  createLazyStore,
  type Gateway,
  isAway,
  type Log,
  type LogDetails,
  openStore,
  SILENT,
  type UpstreamStatus,
} from '@crosspoint/gateway'
import type { GatewayConfig } from '@crosspoint/gateway/config'
import { locateConfig, readConfig } from '../configuration.ts'
import { CliError } from '../exit.ts'
import type { Io } from '../io.ts'
import type { TargetOptions } from '../options.ts'
import { describeStarting, toWord } from '../print/servers.ts'
import { visible } from '../print/visible.ts'
import { waiting } from '../print/waiting.ts'
import { didYouMean } from '../suggest.ts'
import type { Peer } from './peer.ts'

/** The configured servers as the gateway merges them, without a door: it runs in this process. */
export async function openMerged(io: Io, options: TargetOptions): Promise<Peer> {
  const { config } = readConfig(io, await locateConfig(io, options))
  if (options.view !== undefined && !config.views.has(options.view)) throw unknownView(options.view, config)
  const gateway = await startGateway(io, config)
  const endpoint = gateway.endpoint(options.view)
  if (endpoint === undefined) throw new Error('A gateway without its own view') // checked above
  const away = gateway.status().filter(isAway)
  for (const { name, state, reason = '' } of away) {
    if (state !== 'disabled')
      io.terminal.say(io.terminal.err.yellow(`server "${name}" is ${toWord(state)}: ${visible(reason)}`))
  }
  return {
    title: options.view === undefined ? 'the configured servers' : `the view "${options.view}"`,
    ...(options.view === undefined ? {} : { words: ` --view ${options.view}` }),
    handle: endpoint.handle,
    servers: [...config.servers.keys()],
    away,
    timeoutMs: options.timeout,
    close: () => gateway.close({ graceMs: 0 }),
  }
}

/** How the configured servers are, after each has had its time to start. */
export async function askStatus(io: Io, config: GatewayConfig): Promise<readonly UpstreamStatus[]> {
  const gateway = await startGateway(io, config)
  const status = gateway.status()
  await gateway.close({ graceMs: 0 })
  return status
}

export function unknownView(view: string, { views }: GatewayConfig): CliError {
  const names = [...views.keys()]
  const all = names.length === 0 ? 'It has no views' : `It has ${names.map((name) => `"${name}"`).join(', ')}`
  return new CliError('usage', `No view "${view}" in the configuration`, { hint: didYouMean(view, names) ?? all })
}

export async function startGateway(io: Io, config: GatewayConfig): Promise<Gateway> {
  const info = { name: 'crosspoint', version: io.version }
  // For credentials of servers alone, and opened where there are such: these calls are nobody's evidence.
  const { keys, credentials } = createLazyStore(() => openStore(config.store, SILENT, { env: io.env }))
  const gateway = createGateway({
    config,
    info,
    env: io.env,
    log: createCallLog(io),
    settleMs: patience(config),
    store: { keys, credentials },
  })
  // Closing ends the waiting as well.
  const stop = () => void gateway.close({ graceMs: 0 })
  io.stopping.signal.addEventListener('abort', stop, { once: true })
  try {
    await waiting(io.terminal, () => describeStarting(gateway.status()), gateway.start())
    io.stopping.signal.throwIfAborted()
  } finally {
    io.stopping.signal.removeEventListener('abort', stop)
  }
  return gateway
}

/** Why a call did not get through, which its answer does not say. How servers are is told by the commands themselves. */
function createCallLog({ terminal }: Io): Log {
  const warn = ({ upstream, method, reason }: LogDetails) => {
    if (method === undefined || typeof reason !== 'string') return
    terminal.say(terminal.err.yellow(`server "${upstream}": ${visible(reason)}`))
  }
  return { ...SILENT, warn }
}

/**
 * Nobody comes back later to ask a one-off command again: every server gets all the time it may take, and the time
 * to be put away, asked first and then told: only after that it is known what was wrong with it.
 */
function patience({ servers, timeouts }: GatewayConfig): number {
  const slowest = Math.max(0, ...[...servers.values()].map(({ connectTimeoutMs }) => connectTimeoutMs))
  return slowest + 2 * timeouts.killGraceMs + 1_000
}

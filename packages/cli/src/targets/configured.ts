import { toTarget } from '@crosspoint/gateway'
import type { ServerConfig } from '@crosspoint/gateway/config'
import type { ConnectionOptions } from '@crosspoint/mcp/client'
import { locateConfig, readConfig } from '../configuration.ts'
import { CliError } from '../exit.ts'
import type { Io } from '../io.ts'
import type { TargetOptions } from '../options.ts'
import { didYouMean } from '../suggest.ts'
import { type DialPlan, quoteAll } from './dial.ts'

/** How the configuration says to reach a server. */
export async function toServerDial(io: Io, name: string, options: TargetOptions): Promise<DialPlan> {
  const path = await locateConfig(io, options)
  const { config } = readConfig(io, path)
  const server = config.servers.get(name)
  if (server === undefined) {
    throw new CliError('usage', `No server "${name}" in ${path}`, {
      hint: hintForName(name, [...config.servers.keys()]),
    })
  }
  const title = `server "${name}"`
  const dial = toTarget(server.transport, io.env, process.platform === 'win32')
  return { title, dial, settings: toSettings(server, config.timeouts) }
}

function hintForName(name: string, names: readonly string[]): string {
  if (/^[^\s/]+:\d+(?:\/|$)/.test(name)) return `For a URL write http:// in front: http://${name}`
  return didYouMean(name, names) ?? `It has ${quoteAll(names)}`
}

function toSettings(
  { connectTimeoutMs, requestTimeoutMs, revision }: ServerConfig,
  { probeMs, killGraceMs }: { readonly probeMs: number; readonly killGraceMs: number },
): Partial<ConnectionOptions> {
  return {
    connectTimeoutMs,
    requestTimeoutMs,
    probeTimeoutMs: probeMs,
    killGraceMs,
    ...(revision !== undefined && { revision }),
  }
}

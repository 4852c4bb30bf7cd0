import { createLazyStore, openCredentialBook, openStore, SILENT } from '@crosspoint/gateway'
import type { ServerConfig } from '@crosspoint/gateway/config'
import type { ConnectionOptions } from '@crosspoint/mcp/client'
import { locateConfig, readConfig } from '../configuration.ts'
import { toCredentialFault } from '../credentials.ts'
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
  // Opened where a secret or a sign-in is in it, if ever.
  const store = createLazyStore(() => openStore(config.store, SILENT, { env: io.env }))
  const book = openCredentialBook({ config, store: store.credentials, env: io.env })
  const dial = await book.target(server).catch((error: unknown) => {
    throw toCredentialFault(error)
  })
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

import type { UpstreamStatus } from '@crosspoint/gateway'
import type { GatewayConfig } from '@crosspoint/gateway/config'
import { locateConfig, readConfig } from '../configuration.ts'
import type { ExitKind } from '../exit.ts'
import { LIST_METHODS } from '../grammar/listing.ts'
import type { Target } from '../grammar/target.ts'
import type { Io } from '../io.ts'
import type { TargetOptions } from '../options.ts'
import { describeServers } from '../print/servers.ts'
import { visibleLines } from '../print/visible.ts'
import { askStatus, unknownView } from '../targets/merged.ts'
import { checkOptions, openDirect } from '../targets/open.ts'
import { listAll, type Peer } from '../targets/peer.ts'

/** Lists the configured servers, or says of one target what it is. */
export async function listServers(io: Io, target: Target, options: TargetOptions): Promise<ExitKind> {
  const { terminal } = io
  checkOptions(target, options)
  if (target.kind === 'merged') {
    const { config } = readConfig(io, await locateConfig(io, options))
    const servers = (await askStatus(io, config)).filter(inView(config, options.view))
    if (terminal.json) terminal.value({ servers })
    else if (servers.length === 0) terminal.say('No server is configured')
    else terminal.data(describeServers(servers, terminal.out))
    return 'ok'
  }
  const { status, instructions } = await examine(io, target, options)
  if (terminal.json) terminal.value({ servers: [{ ...status, ...(instructions !== undefined && { instructions }) }] })
  else {
    terminal.data(describeServers([status], terminal.out))
    if (instructions !== undefined) terminal.data(`\n${visibleLines(instructions)}`)
  }
  return 'ok'
}

function inView(config: GatewayConfig, name: string | undefined): (server: UpstreamStatus) => boolean {
  if (name === undefined) return () => true
  const view = config.views.get(name)
  if (view === undefined) throw unknownView(name, config)
  return (server) => view.servers?.includes(server.name) ?? true
}

interface Examined {
  readonly status: UpstreamStatus
  readonly instructions: string | undefined
}

/** The same as the gateway knows of a configured server, asked of one target directly. */
async function examine(io: Io, target: Exclude<Target, { kind: 'merged' }>, options: TargetOptions): Promise<Examined> {
  const { title, connection } = await openDirect(io, target, options)
  try {
    const { handle, serverInfo, verdict, instructions } = connection
    const peer: Peer = { title, handle, timeoutMs: options.timeout, close: () => connection.close() }
    const count = async (kind: keyof typeof LIST_METHODS) => (await listAll(io, peer, LIST_METHODS[kind])).length
    return {
      instructions,
      status: {
        name: target.kind === 'server' ? target.name : (serverInfo?.name ?? title),
        prefix: '', // asked directly, its names are its own
        transport: target.kind === 'url' ? 'http' : 'stdio',
        state: 'ready',
        since: verdict.at,
        counts: {
          tools: await count('tools'),
          resources: await count('resources'),
          templates: await count('templates'),
          prompts: await count('prompts'),
        },
        revision: verdict.revision,
        ...(serverInfo !== undefined && { server: { name: serverInfo.name, version: serverInfo.version } }),
        restarts: 0,
      },
    }
  } finally {
    await connection.close()
  }
}

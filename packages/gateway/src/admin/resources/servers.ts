import { maskUrl } from '../../config/mask.ts'
import type { TransportConfig } from '../../config/model.ts'
import type { Gateway } from '../../gateway.ts'
import type { UpstreamStatus } from '../../status.ts'
import type { ServerStatus } from '../contract/servers.ts'
import type { AdminNeeds, Handlers } from '../needs.ts'
import { Problem } from '../problem.ts'

export function createServerHandlers({
  gateway,
}: AdminNeeds): Pick<Handlers, 'listServers' | 'readServer' | 'restartServer'> {
  const find = (name: string) => {
    const found = findServer(gateway, name)
    if (found !== undefined) return found
    throw new Problem('not_found', 'No server has this name', { hint: 'GET /api/v1/servers lists them' })
  }
  return {
    listServers: () => ({ servers: listServers(gateway) }),
    readServer: ({ params }) => find(params.name),
    restartServer: ({ params: { name } }, { record }) => {
      const { name: known } = find(name)
      if (gateway.restart(known) !== true) {
        throw new Problem('conflict', 'This server is switched off', { hint: 'Take "enabled: false" out of the file' })
      }
      record('server.restarted', known)
      return find(known)
    },
  }
}

export function listServers(gateway: Gateway): readonly ServerStatus[] {
  return gateway.status().map((status) => toServerStatus(status, gateway))
}

export function findServer(gateway: Gateway, name: string): ServerStatus | undefined {
  const status = gateway.status().find((one) => one.name === name)
  return status === undefined ? undefined : toServerStatus(status, gateway)
}

function toServerStatus(status: UpstreamStatus, { config }: Gateway): ServerStatus {
  const { description, enabled = true, transport } = config.servers.get(status.name) ?? {}
  return {
    ...status,
    ...(description === undefined ? {} : { description }),
    enabled,
    target: transport === undefined ? '' : toShownTarget(transport),
  }
}

/** Arguments, variables and headers may hold secrets, and are not shown. */
function toShownTarget(transport: TransportConfig): string {
  return transport.kind === 'stdio' ? transport.command : maskUrl(transport.url)
}

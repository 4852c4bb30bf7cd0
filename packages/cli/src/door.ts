import type { Gateway, ProcessLog } from '@crosspoint/gateway'
import type { ListenConfig } from '@crosspoint/gateway/config'
import { type HttpDoor, openHttpDoor } from '@crosspoint/mcp/transports'

export interface FrontDoorOptions {
  readonly gateway: Gateway
  readonly listen: ListenConfig
  readonly log: ProcessLog
  readonly view: string | undefined
}

export function openFrontDoor({ gateway, listen, log, view }: FrontDoorOptions): Promise<HttpDoor> {
  return openHttpDoor({
    host: listen.host,
    port: listen.port,
    endpoint: (path) => {
      if (path === '/mcp') return gateway.endpoint(view)
      return path.startsWith('/mcp/') ? gateway.endpoint(path.slice('/mcp/'.length)) : undefined
    },
    log: ({ level, event, ...details }) => log[level](details, event),
  })
}

import { isAway } from '../../status.ts'
import type { AdminNeeds, Handlers } from '../needs.ts'
import { toOpenApi } from '../openapi.ts'
import { listServers } from './servers.ts'

export function createHealthHandlers(needs: AdminNeeds): Pick<Handlers, 'live' | 'ready' | 'status' | 'openapi'> {
  const { gateway, info, file, front, host, wallClock } = needs
  const startedAt = new Date(wallClock()).toISOString()
  return {
    live: () => ({ status: 'ok' }),
    ready: (_, { asker }) => {
      const isReady = gateway.settled
      const servers = gateway.status().map(({ name, state }) => ({ name, state }))
      return {
        isOther: !isReady,
        answer: { status: isReady ? 'ready' : 'starting', ...(asker === undefined ? {} : { servers }) },
      }
    },
    status: () => {
      const { config } = gateway
      const { auth, audit } = config
      const servers = listServers(gateway)
      const { rss, heapUsed } = process.memoryUsage()
      return {
        name: info.name,
        version: info.version,
        ...host,
        startedAt,
        settled: gateway.settled,
        ...(front === undefined ? {} : { url: front.url }),
        config: {
          ...(file === undefined ? {} : { path: file.path }),
          servers: config.servers.size,
          views: config.views.size,
        },
        auth: {
          asks: auth !== undefined,
          keys: auth?.keys.enabled === true,
          issuers: (auth?.issuers ?? []).map(({ issuer }) => issuer),
        },
        audit: { kept: audit !== undefined && needs.store.audit !== undefined },
        memory: { rssBytes: rss, heapUsedBytes: heapUsed },
        servers,
        problems: toProblems(servers),
      }
    },
    openapi: () => toOpenApi(info.version) as { readonly openapi: string }, // as every such document has
  }
}

type Servers = ReturnType<typeof listServers>

/** What somebody should do something about; what is switched off is as it was meant. */
function toProblems(servers: Servers) {
  return servers
    .filter((server) => server.state === 'degraded' || (server.state !== 'disabled' && isAway(server)))
    .filter(({ reason }) => reason !== undefined)
    .map(({ name, reason = '', remedy }) => ({
      about: name,
      what: reason,
      ...(remedy === undefined ? {} : { remedy }),
    }))
}

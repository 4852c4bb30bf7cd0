import type { FrontSession } from '../../front/front-sessions.ts'
import { shown } from '../../shown.ts'
import type { AdminNeeds, Handlers } from '../needs.ts'
import { Problem } from '../problem.ts'

export function createSessionHandlers({ front }: AdminNeeds): Pick<Handlers, 'listSessions' | 'endSession'> {
  return {
    listSessions: ({ query: { tenant, principal, limit } }) => {
      const found = (front?.sessions() ?? [])
        .filter((session) => tenant === undefined || session.principal.tenant === tenant)
        .filter((session) => principal === undefined || session.principal.id === principal)
        .sort((a, b) => (b.idleMs ?? 0) - (a.idleMs ?? 0))
      return { sessions: found.slice(0, limit).map(toShown), total: found.length }
    },
    endSession: ({ params: { session } }, { record }) => {
      const found = front?.sessions().find((one) => one.session === session)
      if (found === undefined) throw new Problem('not_found', 'No session has this digest, or it has ended')
      const { tenant, id } = found.principal
      found.end()
      record('session.closed', session, { forTenant: tenant, forPrincipal: id })
      return toShown(found)
    },
  }
}

function toShown({ session, view, principal, transport, revision, client, idleMs }: FrontSession) {
  return {
    session,
    ...(view === undefined ? {} : { view }),
    tenant: principal.tenant,
    principal: principal.id,
    transport,
    ...(revision === undefined ? {} : { revision }),
    // Anybody can say anything there.
    ...(client === undefined ? {} : { client: { name: shown(client.name), version: shown(String(client.version)) } }),
    ...(idleMs === undefined ? {} : { idleMs: Math.max(0, Math.round(idleMs)) }),
  }
}

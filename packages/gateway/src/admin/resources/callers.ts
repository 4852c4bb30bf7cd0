import type { Sighting } from '../../identity/seen.ts'
import type { AdminNeeds, Handlers } from '../needs.ts'

export function createCallerHandlers({ gateway }: AdminNeeds): Pick<Handlers, 'listPrincipals'> {
  return { listPrincipals: () => ({ principals: gateway.identity.seen.all().map(toCaller) }) }
}

/** Claims are not shown: nobody knows what issuers write there. */
function toCaller({ principal, credential, at }: Sighting) {
  const { tenant, id, scopes, attributes } = principal
  const { key, roles } = attributes ?? {}
  return {
    tenant,
    id,
    credential,
    ...(typeof key === 'string' ? { key } : {}),
    roles: Array.isArray(roles) ? roles.filter((role) => typeof role === 'string') : [],
    ...(scopes === undefined ? {} : { scopes }),
    seenAt: new Date(at).toISOString(),
  }
}

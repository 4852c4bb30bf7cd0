import type { GivenClient } from '../client/identity.ts'
import { aboutResource, type Grant, identifyGiven, request } from './grant.ts'

/** A client that acts for itself (RFC 6749 §4.4; extension `io.modelcontextprotocol/oauth-client-credentials`). */
export function clientCredentialsGrant(given: GivenClient): Grant {
  return {
    asksPerson: false,
    owner: given.id,
    async obtain(context) {
      const client = identifyGiven(given, context.found.issuedBy, context.lastIssuer)
      const params = { grant_type: 'client_credentials', ...aboutResource(context) }
      return { client, response: await request(context, client, params), scopes: context.scopes }
    },
    recall: async (server) => identifyGiven(given, server, server.issuer),
  }
}

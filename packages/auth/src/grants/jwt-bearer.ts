import type { ClientIdentity } from '../client/identity.ts'
import type { TokenResponse } from '../tokens/token-request.ts'
import { aboutResource, type GrantContext, request } from './grant.ts'

/** Shows an assertion somebody else signed (RFC 7523 §2.1). It is shown once: what is refused stays refused. */
export function showAssertion(
  context: GrantContext,
  client: ClientIdentity,
  assertion: string,
): Promise<TokenResponse> {
  const grantType = 'urn:ietf:params:oauth:grant-type:jwt-bearer'
  return request(context, client, { grant_type: grantType, assertion, ...aboutResource(context) })
}

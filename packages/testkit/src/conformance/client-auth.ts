import type { Authorization } from '@crosspoint/auth'
import { clientCredentials, createOAuth, enterpriseManaged, workloadIdentity } from '@crosspoint/auth/node'
import type { JsonObject } from '@crosspoint/mcp'
import { createFollowingRedirect } from '../oauth/following-redirect.ts'

/**
 * The credentials an `auth/…` scenario of the official suite is about.
 * @param context what the suite hands to the client: ids, secrets, keys
 */
export function toAuthorization(scenario: string, context: JsonObject): Authorization {
  const text = (name: string): string => {
    const value = context[name]
    if (typeof value !== 'string') throw new Error(`The context of "${scenario}" has no "${name}"`)
    return value
  }
  const redirect = createFollowingRedirect()
  switch (scenario) {
    case 'auth/client-credentials-basic':
      return clientCredentials({ client: { id: text('client_id'), secret: text('client_secret') } })
    case 'auth/client-credentials-jwt': {
      const { signing_algorithm: algorithm } = context
      const client = { id: text('client_id'), privateKey: text('private_key_pem') }
      return clientCredentials({ client: typeof algorithm === 'string' ? { ...client, algorithm } : client })
    }
    case 'auth/enterprise-managed-authorization':
      return enterpriseManaged({
        client: { id: text('client_id'), secret: text('client_secret') },
        identityProvider: {
          issuer: text('idp_issuer'),
          tokenEndpoint: text('idp_token_endpoint'),
          client: { id: text('idp_client_id') },
          idToken: text('idp_id_token'),
        },
      })
    case 'auth/wif-jwt-bearer':
      return workloadIdentity({ client: { id: text('client_id') }, assertion: text('valid_jwt') })
    case 'auth/pre-registration':
      return createOAuth({ redirect, client: { id: text('client_id'), secret: text('client_secret') } })
    case 'auth/dpop':
    case 'auth/dpop-nonce':
      return createOAuth({ redirect, clientMetadataUrl: CLIENT_METADATA_URL, dpop: true })
    default:
      return createOAuth({ redirect, clientMetadataUrl: CLIENT_METADATA_URL })
  }
}

/** Made up by the suite; its servers take it as it is. */
const CLIENT_METADATA_URL = 'https://conformance-test.local/client-metadata.json'

import type { VerifyToken } from '@crosspoint/auth/node'
import type { JsonObject } from '@crosspoint/mcp'
import type { KoaContextWithOIDC, Provider } from 'oidc-provider'
import type { EnterpriseIssuerConfig } from '../config/model-auth-server.ts'
import { GRANT } from './clients.ts'
import { BASE_SCOPE, type ProviderNeeds } from './provider-needs.ts'

type Errors = typeof import('oidc-provider').errors

/** What an assertion says, once it was checked. */
interface Asserted {
  readonly id: string
  readonly tenant: string
  readonly claims: JsonObject
}

/**
 * Takes what the identity provider of a company says of somebody (ID-JAG) for a token, without anybody looking at a page:
 * `io.modelcontextprotocol/enterprise-managed-authorization`, draft-ietf-oauth-identity-assertion-authz-grant §4.4.
 */
export function addEnterpriseGrant(provider: Provider, needs: ProviderNeeds, errors: Errors): void {
  const { config } = needs
  if (config.enterprise.length === 0) return
  let verify: Promise<VerifyToken<Asserted>> | undefined
  const handle = async (context: KoaContextWithOIDC): Promise<void> => {
    const { assertion, resource, scope } = context.oidc.params as Readonly<Record<string, unknown>>
    const { client } = context.oidc
    if (client === undefined || client.tokenEndpointAuthMethod === 'none')
      throw new errors.UnauthorizedClient('not for this client')
    if (typeof assertion !== 'string') throw new errors.InvalidRequest('missing required parameter "assertion"')
    verify ??= toVerify(needs)
    const check = await verify
    const { claims } = await check({ authorization: `Bearer ${assertion}` }).catch(() => {
      throw new errors.InvalidGrant('the assertion is not good here')
    })
    const issuer = config.enterprise.find((one) => one.issuer === claims.iss)
    const fault = issuer === undefined ? 'issuer' : findFault(claims, needs, client.clientId, resource)
    if (issuer === undefined || fault !== undefined) throw new errors.InvalidGrant(`the assertion has another ${fault}`)
    const { jti, exp } = claims as { readonly jti: string; readonly exp: number } // `findFault` has seen them
    const { ReplayDetection } = provider as unknown as ReplayMemory
    if (!(await ReplayDetection.unique(issuer.issuer, jti, exp + LEEWAY_SECONDS))) {
      throw new errors.InvalidGrant('the assertion was used already')
    }
    context.body = await grantOf(provider, needs, context, { claims, issuer, scope })
  }
  provider.registerGrantType(GRANT.assertion, handle, ['assertion', 'scope', 'resource'], ['resource'])
}

/** What the types of the provider leave out. */
interface ReplayMemory {
  readonly ReplayDetection: { unique(issuer: string, id: string, expires: number): Promise<boolean> }
}

async function toVerify({ issuer, config, now, fetchKeys }: ProviderNeeds): Promise<VerifyToken<Asserted>> {
  const { verifyToken } = await import('@crosspoint/auth/node')
  return verifyToken<Asserted>({
    resource: issuer,
    issuers: config.enterprise.map(({ issuer: name, keys }) => (keys === undefined ? name : { issuer: name, keys })),
    types: ['oauth-id-jag+jwt'],
    leewaySeconds: LEEWAY_SECONDS,
    now,
    ...(fetchKeys === undefined ? {} : { fetch: (url, init) => fetchKeys(url, init) }),
    principal: (claims) => ({ id: '', tenant: '', claims }),
  })
}

/** Which member is not what it has to be. */
function findFault(claims: JsonObject, needs: ProviderNeeds, client: string, asked: unknown): string | undefined {
  const { aud, jti, exp, iat, resource, client_id } = claims
  const seconds = needs.now() / 1_000
  if (client_id !== client) return 'client_id'
  // One that is for others, too, could have been sent on by them.
  if ([aud].flat().length !== 1) return 'audience'
  if (typeof jti !== 'string' || jti === '' || jti.length > MAX_JTI) return 'jti'
  if (typeof exp !== 'number' || exp > seconds + MAX_SECONDS) return 'end'
  if (typeof iat !== 'number' || iat > seconds + LEEWAY_SECONDS) return 'beginning'
  if (typeof resource !== 'string' || !needs.resources().has(resource)) return 'resource'
  return asked !== undefined && asked !== resource ? 'resource' : undefined
}

async function grantOf(
  provider: Provider,
  { people, scopes, config, keys }: ProviderNeeds,
  { oidc }: KoaContextWithOIDC,
  {
    claims,
    issuer,
    scope,
  }: { readonly claims: JsonObject; readonly issuer: EnterpriseIssuerConfig; readonly scope: unknown },
): Promise<object> {
  const { client } = oidc
  if (client === undefined) throw new TypeError('Nobody asks')
  const accountId = await people.remember(claims, issuer)
  const known = config.clients.get(client.clientId)?.scopes
  const allowed = scopes().filter((name) => known === undefined || known.includes(name))
  const given = toScopes(claims.scope) ?? []
  // No more than the identity provider allows, and no more than was asked for.
  const granted = [
    BASE_SCOPE,
    ...given.filter((name) => allowed.includes(name) && (toScopes(scope) ?? given).includes(name)),
  ]
  const resource = String(claims.resource)
  const seconds = Math.max(1, Math.floor(config.ttl.accessMs / 1_000))
  const grant = new provider.Grant({ accountId, clientId: client.clientId, expiresIn: seconds + 60 } as never)
  grant.addResourceScope(resource, granted.join(' '))
  const token = new provider.AccessToken({
    accountId,
    client,
    grantId: await grant.save(),
    gty: GRANT.assertion,
    scope: granted.join(' '),
  } as never)
  const { ResourceServer } = provider as unknown as { readonly ResourceServer: new (id: string, info: object) => never }
  token.resourceServer = new ResourceServer(resource, {
    scope: granted.join(' '),
    audience: resource,
    accessTokenFormat: 'jwt',
    accessTokenTTL: seconds,
    jwt: { sign: { alg: 'ES256', kid: keys.all[0].kid } },
  })
  return { access_token: await token.save(), token_type: 'Bearer', expires_in: seconds, scope: granted.join(' ') }
}

function toScopes(text: unknown): readonly string[] | undefined {
  return typeof text === 'string' ? text.split(' ').filter((name) => name !== '') : undefined
}

const LEEWAY_SECONDS = 30
/** What is not for now is not remembered for so long either. */
const MAX_SECONDS = 3_600
const MAX_JTI = 256

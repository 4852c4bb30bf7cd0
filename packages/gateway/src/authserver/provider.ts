import type { JsonObject } from '@crosspoint/mcp'
import type { Client, Configuration, KoaContextWithOIDC, Provider, ResourceServer } from 'oidc-provider'
import type { KnownClientConfig } from '../config/model-auth-server.ts'
import type { Log } from '../log.ts'
import { createAdapters } from './adapter.ts'
import { GRANT, toKnownClient, toShown } from './clients.ts'
import { addEnterpriseGrant } from './enterprise.ts'
import { codePage, deviceConfirmPage, messagePage, pageHeaders } from './pages.ts'
import { PATHS } from './paths.ts'
import type { People } from './people.ts'
import { BASE_SCOPE, type ProviderNeeds } from './provider-needs.ts'

/** The authorization server itself. It is loaded here, with what it is made of. */
export async function createProvider(needs: ProviderNeeds): Promise<Provider> {
  const { Provider, errors } = await load(needs.log)
  const { issuer, config, log } = needs
  const provider = new Provider(issuer, {
    ...toConfiguration(needs),
    adapter: createAdapters({
      grants: needs.grants,
      seal: needs.seal,
      now: needs.now,
      maxRows: config.maxSessions,
      maxClients: config.registration.maxClients,
      unusedMs: config.registration.unusedMs,
      used: () => new errors.InvalidGrant('it was used already'),
      full: () => new errors.TemporarilyUnavailable('there is no room at the moment'),
    }),
    features: toFeatures(needs, errors),
    async findAccount(_, account) {
      const person = await needs.people.find(account)
      return person === undefined ? undefined : { accountId: account, claims: async () => ({ sub: account }) }
    },
  })
  // Scheme, host and path of everything are what the issuer says: see `AuthServer`, which says so in these headers.
  provider.proxy = true
  provider.use(async (context, next) => {
    await next()
    // Set by the provider for each request it knows.
    if ((context as KoaContextWithOIDC).oidc?.route === 'discovery')
      describe(context.body as Record<string, unknown>, needs)
  })
  addEnterpriseGrant(provider, needs, errors)
  provider.on('server_error', (_, error) => log.error({ error: String(error) }, 'The authorization server failed'))
  provider.on('grant.revoked', (_, grant) => needs.happened('auth.revoked', { grant }))
  provider.on('registration_create.success', (_, client) => {
    needs.happened('auth.client_registered', { client: client.clientId })
  })
  return provider
}

/** What it says to the console while it is loaded belongs into the log. */
async function load(log: Log): Promise<typeof import('oidc-provider')> {
  const { warn } = console
  console.warn = (...words: unknown[]) => {
    if (String(words[0]).startsWith('oidc-provider ')) log.debug({}, String(words[0]))
    else warn(...words)
  }
  try {
    return await import('oidc-provider')
  } finally {
    console.warn = warn
  }
}

function toConfiguration({ config, keys, people, seal, issuer, fetch }: ProviderNeeds): Configuration {
  const isSecure = issuer.startsWith('https:')
  const seconds = (ms: number) => Math.max(1, Math.floor(ms / 1_000))
  const { accessMs, refreshMs, grantMs } = config.ttl
  return {
    jwks: { keys: keys.all },
    clients: [...config.clients].map(([id, client]) => toKnownClient(id, client)),
    clientAuthMethods: ['none', 'client_secret_basic', 'client_secret_post', 'private_key_jwt'],
    clientDefaults: { id_token_signed_response_alg: 'ES256', grant_types: [GRANT.code], response_types: ['code'] },
    enabledJWA: { idTokenSigningAlgValues: ['ES256'] },
    responseTypes: ['code'],
    scopes: ['openid', 'offline_access'],
    claims: { openid: ['sub'] },
    pkce: { required: () => true },
    routes: {
      authorization: PATHS.authorize,
      token: PATHS.token,
      registration: PATHS.register,
      jwks: PATHS.keys,
      revocation: PATHS.revoke,
      device_authorization: PATHS.deviceAuthorize,
      code_verification: PATHS.device,
    },
    interactions: { url: (_, interaction) => `${PATHS.interaction}/${interaction.uid}` },
    cookies: {
      keys: [seal.cookieKey],
      names: isSecure
        ? { session: sessionCookie(issuer), interaction: '__Host-cp_interaction', resume: '__Secure-cp_resume' }
        : { session: sessionCookie(issuer), interaction: 'cp_interaction', resume: 'cp_resume' },
      long: { httpOnly: true, sameSite: 'lax', secure: isSecure, path: '/', overwrite: true },
      short: { httpOnly: true, sameSite: 'lax', secure: isSecure, path: '/', overwrite: true },
    },
    ttl: {
      AccessToken: seconds(accessMs),
      ClientCredentials: seconds(accessMs),
      AuthorizationCode: 60,
      DeviceCode: 600,
      IdToken: 600,
      Interaction: 900,
      RefreshToken: seconds(refreshMs),
      Session: seconds(refreshMs),
      Grant: seconds(grantMs),
    },
    // Whoever may have one gets one; it is good once, and what came of it ends when it is used twice (OAuth 2.1 §4.3).
    issueRefreshToken: (_, client) => client.grantTypeAllowed('refresh_token'),
    rotateRefreshToken: true,
    expiresWithSession: () => false,
    revokeGrantPolicy: () => true,
    clientBasedCORS: () => true,
    conformIdTokenClaims: true,
    allowOmittingSingleRegisteredRedirectUri: false,
    fetch: (url, init) => fetch(url, init as RequestInit),
    formats: {
      customizers: {
        async jwt(_, token, jwt) {
          const payload = jwt.payload as Record<string, unknown>
          Object.assign(payload, await toClaims(token, people, config.clients))
        },
      },
    },
    renderError(context, { error, error_description: description }) {
      showPage(context, messagePage('This did not work', `${description ?? error}`))
    },
  }
}

/** Who calls, for whoever checks the token: what `toBearer` of the identity room reads. */
async function toClaims(
  token: {
    readonly accountId?: string | undefined
    readonly grantId?: string | undefined
    readonly clientId?: string | undefined
  },
  people: People,
  clients: ReadonlyMap<string, KnownClientConfig>,
): Promise<JsonObject> {
  if (token.accountId === undefined) {
    const client = clients.get(token.clientId ?? '')
    if (client === undefined) throw new RangeError('Cannot give a token to a client that is not configured')
    return { tenant: client.tenant, roles: client.roles }
  }
  const person = await people.find(token.accountId)
  if (person === undefined) throw new RangeError('Cannot give a token to somebody who is not known any more')
  return { sub: person.id, tenant: person.tenant, roles: person.roles, grant: token.grantId }
}

type Errors = typeof import('oidc-provider').errors

function toFeatures(needs: ProviderNeeds, errors: Errors): Configuration['features'] {
  const { config } = needs
  const isForItself = [...config.clients.values()].some(({ credentials }) => credentials)
  return {
    devInteractions: { enabled: false },
    dPoP: { enabled: false },
    pushedAuthorizationRequests: { enabled: false },
    rpInitiatedLogout: { enabled: false },
    userinfo: { enabled: false },
    introspection: { enabled: false },
    revocation: { enabled: true, allowedPolicy: (_, client, token) => token.clientId === client.clientId },
    clientCredentials: { enabled: isForItself },
    registration: { enabled: config.registration.dynamic, issueRegistrationAccessToken: false },
    clientIdMetadataDocument: {
      enabled: config.registration.documents,
      ack: 'draft-02',
      cacheDuration: { min: 30, max: 3_600 },
      allowFetch: (context) => needs.mayFetch(context),
    },
    deviceFlow: {
      enabled: true,
      userCodeInputSource: (context, _, __, error) => showCodePage(context, error),
      userCodeConfirmSource: (context, _, client, __, code) => {
        showPage(context, deviceConfirmPage(toShown(client, undefined), toDeviceForm(context), code))
      },
      successSource: (context) => {
        showPage(context, messagePage('Connected', 'You can close this page and go back to the program.'))
      },
    },
    resourceIndicators: {
      enabled: true,
      defaultResource: (_, __, oneOf) => oneOf ?? needs.mainResource,
      useGrantedResource: () => true,
      getResourceServerInfo: (context, resource, client) => toResourceServer(needs, context, resource, client, errors),
    },
  }
}

/** A token is for one endpoint, to the letter (RFC 8707). */
function toResourceServer(
  { config, keys, resources, scopes }: ProviderNeeds,
  context: KoaContextWithOIDC,
  resource: string,
  client: Client,
  errors: Errors,
): ResourceServer {
  if (!resources().has(resource)) throw new errors.InvalidTarget('there is no such resource here')
  const known = config.clients.get(client.clientId)?.scopes
  const allowed = [BASE_SCOPE, ...scopes().filter((scope) => known === undefined || known.includes(scope))]
  const { oidc } = context
  const params = oidc.params as Record<string, unknown> | undefined
  const isAsking = ASKING.has(oidc.route) || params?.grant_type === GRANT.credentials
  if (params !== undefined && isAsking) {
    const asked = typeof params.scope === 'string' ? params.scope.split(' ') : []
    // Whoever asks for nothing in particular gets what opens nothing in particular; an agent, all that it may have.
    const whole = params.grant_type === GRANT.credentials && known !== undefined ? known : []
    const isNothing = !asked.some((scope) => allowed.includes(scope))
    if (isNothing) params.scope = [...asked, BASE_SCOPE, ...(asked.length === 0 ? whole : [])].join(' ')
  }
  return {
    scope: allowed.join(' '),
    audience: resource,
    accessTokenFormat: 'jwt',
    accessTokenTTL: Math.max(1, Math.floor(config.ttl.accessMs / 1_000)),
    // As `readSigningKeys` made it.
    jwt: { sign: { alg: 'ES256', kid: String(keys.all[0].kid) } },
  }
}

/** What the provider does not know of itself. */
function describe(body: Record<string, unknown>, { scopes, config }: ProviderNeeds): void {
  body.scopes_supported = [...new Set([...scopes(), BASE_SCOPE, 'openid', 'offline_access'])]
  body.response_modes_supported = ['query']
  if (config.enterprise.length > 0) body.authorization_grant_profiles_supported = [ID_JAG_PROFILE]
}

function showCodePage(context: KoaContextWithOIDC, error: unknown): void {
  const { name = '', userCode = '' } = (error ?? {}) as { readonly name?: string; readonly userCode?: string }
  // From the address with the code in it, which some programs show: see `AuthServer`.
  const given = context.req.headers['x-crosspoint-user-code']
  const fault = error === undefined ? undefined : (FAULTS[name] ?? 'This did not work. Start again in the program.')
  showPage(context, codePage(toDeviceForm(context), userCode || String(given ?? ''), fault))
}

function toDeviceForm(context: KoaContextWithOIDC) {
  const { state } = context.oidc.session as unknown as { readonly state?: { readonly secret?: string } }
  return { action: PATHS.device, csrf: state?.secret ?? '' }
}

function showPage(context: KoaContextWithOIDC, page: string): void {
  context.set({ ...pageHeaders([]) })
  context.body = page
}

const FAULTS: Readonly<Record<string, string>> = {
  NoCodeError: 'Type the code that the program shows you.',
  NotFoundError: 'There is no such code. It may have a typing error in it, or have ended.',
  ExpiredError: 'This code has ended. Start again in the program.',
  AlreadyUsedError: 'This code was used already. Start again in the program.',
  AbortedError: 'Nobody was signed in.',
}
const ASKING: ReadonlySet<string> = new Set(['authorization', 'device_authorization'])
const ID_JAG_PROFILE = 'urn:ietf:params:oauth:grant-profile:id-jag'

/** Where a browser keeps who is signed in. On loopback without TLS browsers take no cookie that is called a secure one. */
export function sessionCookie(issuer: string): string {
  return issuer.startsWith('https:') ? '__Host-cp_session' : 'cp_session'
}

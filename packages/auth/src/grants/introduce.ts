import type { ClientIdentity, GivenClient } from '../client/identity.ts'
import { parseStoredClient, type RegisteredClient, register, toStoredClient } from '../client/registration.ts'
import type { AuthorizationServer } from '../discovery/server-metadata.ts'
import { AuthError } from '../errors.ts'
import { clientKey, deviceClientKey } from '../keys.ts'
import type { TokenStore } from '../store.ts'
import { type GrantContext, type Granted, identifyGiven } from './grant.ts'

/** How a client that signs people in makes itself known to authorization servers. */
export interface Introduction {
  readonly client?: GivenClient | undefined
  /** `client_id` where the server takes URLs (client id metadata document). */
  readonly clientMetadataUrl?: string | undefined
  readonly clientName: string
}

/** What tokens are kept under: the same whichever way people signed in, so that either way finds those of the other. */
export function ownerOf({ client, clientMetadataUrl, clientName }: Introduction): string {
  return client?.id ?? clientMetadataUrl ?? clientName
}

/**
 * Pre-registered, by URL, registered before, registered now: what comes first in this order (2025-11-25 on).
 * @param redirectUri where people are sent back to; undefined for a client of the device flow
 */
export async function identify(
  { client, clientMetadataUrl, clientName }: Introduction,
  { http, store, found, lastIssuer }: GrantContext,
  redirectUri: string | undefined,
): Promise<ClientIdentity> {
  const server = found.issuedBy
  const { issuer, registrationEndpoint } = server
  if (client !== undefined) return identifyGiven(client, server, lastIssuer)
  if (clientMetadataUrl !== undefined && server.takesClientUrls) {
    return { origin: 'url', id: clientMetadataUrl, issuer, authMethod: 'none' }
  }
  const key = keyOf(issuer, clientName, redirectUri === undefined)
  return store.exclusively(key, async () => {
    const known = parseStoredClient(await store.read(key), issuer)
    if (known !== undefined && known.redirectUri === redirectUri && !isExpired(known)) return known
    if (registrationEndpoint === undefined) {
      throw new AuthError(
        'caller.no_client',
        `Cannot sign in at "${issuer}": it does not let clients register; register one there and configure its id`,
      )
    }
    const registered = await register(http, server, registrationEndpoint, clientName, redirectUri)
    await store.write(key, toStoredClient(registered))
    return registered
  })
}

/** Who we were when somebody signed in, by whichever way. */
export async function recall(
  { client, clientMetadataUrl, clientName }: Introduction,
  server: AuthorizationServer,
  clientId: string,
  store: TokenStore,
): Promise<ClientIdentity | undefined> {
  if (client?.id === clientId) return identifyGiven(client, server, server.issuer)
  if (clientMetadataUrl === clientId) return { origin: 'url', id: clientId, issuer: server.issuer, authMethod: 'none' }
  for (const isDevice of [false, true]) {
    const stored = parseStoredClient(await store.read(keyOf(server.issuer, clientName, isDevice)), server.issuer)
    if (stored?.id === clientId) return stored
  }
  return undefined
}

/** Signs in; where the server has forgotten a client that registered itself it does so again, once. */
export async function untilKnown(
  introduction: Introduction,
  { store, found }: GrantContext,
  isDevice: boolean,
  signIn: () => Promise<Granted>,
): Promise<Granted> {
  try {
    return await signIn()
  } catch (error) {
    if (!(error instanceof AuthError) || error.refusal !== 'invalid_client') throw error
    const { issuer } = found.issuedBy
    const key = keyOf(issuer, introduction.clientName, isDevice)
    const isGiven = introduction.client !== undefined
    if (isGiven || parseStoredClient(await store.read(key), issuer) === undefined) throw error
    await store.write(key, undefined)
    return signIn()
  }
}

function keyOf(issuer: string, clientName: string, isDevice: boolean): string {
  return isDevice ? deviceClientKey(issuer, clientName) : clientKey(issuer, clientName)
}

function isExpired({ expiresAt }: RegisteredClient): boolean {
  return expiresAt !== undefined && expiresAt <= Date.now()
}

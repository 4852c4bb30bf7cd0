import { type CryptoKey, importJWK, importPKCS8, type JWK, SignJWT } from 'jose'
import type { AuthorizationServer } from '../discovery/server-metadata.ts'
import { AuthError } from '../errors.ts'
import type { ClientIdentity, TokenAuthMethod } from './identity.ts'

/** What a request to a token endpoint has, so that the server knows which client asks. */
export interface ClientAuthentication {
  readonly headers: Readonly<Record<string, string>>
  readonly params: Readonly<Record<string, string>>
}

export async function toClientAuthentication(
  client: ClientIdentity,
  server: AuthorizationServer,
): Promise<ClientAuthentication> {
  const { id, secret = '' } = client
  if (client.issuer !== server.issuer) {
    throw new AuthError('internal.error', 'Cannot show credentials to a server they are not of')
  }
  switch (toAuthMethod(client, server.tokenAuthMethods)) {
    case 'none':
      return { headers: {}, params: { client_id: id } }
    case 'client_secret_basic':
      return { headers: { authorization: `Basic ${btoa(`${encode(id)}:${encode(secret)}`)}` }, params: {} }
    case 'client_secret_post':
      return { headers: {}, params: { client_id: id, client_secret: secret } }
    case 'private_key_jwt':
      return {
        headers: {},
        params: {
          client_id: id,
          client_assertion_type: 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer',
          client_assertion: await toAssertion(client, server),
        },
      }
  }
}

/** @param offered what the server takes; undefined means basic alone (RFC 8414 §2) */
function toAuthMethod(client: ClientIdentity, offered: readonly string[] | undefined): TokenAuthMethod {
  const { authMethod, privateKey, secret } = client
  if (authMethod !== undefined) return authMethod
  if (privateKey !== undefined) return 'private_key_jwt'
  if (secret === undefined) return 'none'
  const takesPostOnly = offered?.includes('client_secret_post') === true && !offered.includes('client_secret_basic')
  return takesPostOnly ? 'client_secret_post' : 'client_secret_basic'
}

/** RFC 7523 §3; the audience is the issuer and nothing else, which no other server can be. */
async function toAssertion(client: ClientIdentity, server: AuthorizationServer): Promise<string> {
  const { id, privateKey, keyId } = client
  const [algorithm, key] = await toSigningKey(privateKey, client.algorithm ?? server.tokenAuthAlgorithms?.[0])
  return new SignJWT({})
    .setProtectedHeader({ alg: algorithm, ...(keyId === undefined ? {} : { kid: keyId }) })
    .setIssuer(id)
    .setSubject(id)
    .setAudience(server.issuer)
    .setJti(crypto.randomUUID())
    .setIssuedAt()
    .setExpirationTime('1m')
    .sign(key)
}

async function toSigningKey(
  key: ClientIdentity['privateKey'],
  algorithm: string | undefined,
): Promise<readonly [algorithm: string, key: CryptoKey]> {
  const fallback = algorithm ?? 'ES256'
  try {
    if (typeof key === 'string') return [fallback, await importPKCS8(key, fallback)]
    if (isJwk(key)) {
      const named = key.alg ?? fallback
      const imported = await importJWK(key, named)
      if (imported instanceof Uint8Array) throw new TypeError('Symmetric')
      return [named, imported]
    }
    if (key !== undefined) return [fallback, key]
  } catch {
    // What is wrong with a key is not for an error text.
  }
  throw new AuthError('internal.error', `Cannot sign with the private key of the client: it is none for ${fallback}`)
}

function isJwk(key: JWK | CryptoKey | undefined): key is JWK {
  return key !== undefined && 'kty' in key
}

/** `application/x-www-form-urlencoded`, of which RFC 6749 §2.3.1 wants both parts to be. */
function encode(text: string): string {
  return new URLSearchParams([['', text]]).toString().slice(1)
}

import { decodeProtectedHeader, exportJWK, exportPKCS8, generateKeyPair, jwtVerify } from 'jose'
import { describe, expect, it } from 'vitest'
import { guessMetadata } from '../discovery/server-metadata.ts'
import { toClientAuthentication } from './client-authentication.ts'
import type { ClientIdentity } from './identity.ts'

const issuer = 'https://as.example.com'
const server = (tokenAuthMethods?: readonly string[]) => ({ ...guessMetadata(issuer), tokenAuthMethods })
const client = (more: Partial<ClientIdentity>): ClientIdentity => ({
  id: 'my-client',
  origin: 'given',
  issuer,
  ...more,
})

describe('a client shows who it is', () => {
  it.each([
    ['by its id alone, without a secret', {}, undefined, { headers: {}, params: { client_id: 'my-client' } }],
    [
      'in a header, by default',
      { secret: 's' },
      undefined,
      { headers: { authorization: `Basic ${btoa('my-client:s')}` }, params: {} },
    ],
    [
      'in the form, where nothing else is taken',
      { secret: 's' },
      ['none', 'client_secret_post'],
      { headers: {}, params: { client_id: 'my-client', client_secret: 's' } },
    ],
    [
      'in a header, where both are taken',
      { secret: 's' },
      ['client_secret_post', 'client_secret_basic'],
      { headers: { authorization: `Basic ${btoa('my-client:s')}` }, params: {} },
    ],
    [
      'as somebody said',
      { secret: 's', authMethod: 'none' },
      ['client_secret_basic'],
      { headers: {}, params: { client_id: 'my-client' } },
    ],
  ] as const)('%s', async (_, more, methods, shown) => {
    expect(await toClientAuthentication(client(more), server(methods))).toEqual(shown)
  })

  it('with letters that mean something in a header escaped (RFC 6749 §2.3.1)', async () => {
    const { headers } = await toClientAuthentication(client({ id: 'a:b', secret: 'ü %+' }), server())
    expect(atob(headers.authorization?.slice(6) ?? '')).toBe('a%3Ab:%C3%BC+%25%2B')
  })

  it.each(['pem', 'jwk', 'key'] as const)('by an assertion of its own, signed with a %s', async (form) => {
    const { privateKey, publicKey } = await generateKeyPair('ES384', { extractable: true })
    const key = { pem: await exportPKCS8(privateKey), jwk: await exportJWK(privateKey), key: privateKey }[form]
    const more = { privateKey: key, algorithm: 'ES384', keyId: 'k1' }
    const { params } = await toClientAuthentication(client(more), server())
    const assertion = params.client_assertion ?? ''
    const { payload } = await jwtVerify(assertion, publicKey, {
      audience: issuer,
      issuer: 'my-client',
      subject: 'my-client',
    })
    expect((payload.exp ?? 0) - (payload.iat ?? 0)).toBe(60)
    expect([typeof payload.jti, decodeProtectedHeader(assertion).kid]).toEqual(['string', 'k1'])
  })

  it('and not with a key that is none, of which the error says nothing', async () => {
    const secret = '-----BEGIN PRIVATE KEY-----\nMIGHsecret\n-----END PRIVATE KEY-----'
    await expect(toClientAuthentication(client({ privateKey: secret }), server())).rejects.toThrow(
      'Cannot sign with the private key of the client: it is none for ES256',
    )
  })

  it('trap-47: to the one server it is of, and no other', async () => {
    const other = { ...server(), issuer: 'https://other.example.com' }
    await expect(toClientAuthentication(client({ secret: 's' }), other)).rejects.toThrow('to a server they are not of')
  })
})

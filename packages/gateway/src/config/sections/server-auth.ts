import { z } from 'zod'
import { loose, text, texts } from './shapes.ts'

export const SERVER_AUTH_KINDS = ['oauth', 'client-credentials', 'exchange'] as const
const url = text.regex(/^https?:\/\/[^\s#]+$|\$\{/i, 'Must be an http(s) URL')

const discovery = z
  .strictObject(
    {
      headers: z
        .record(z.string().regex(/^[\w!#$%&'*+.^`|~-]+$/, 'This is not a header name'), loose, {
          error: 'Must be a mapping of texts',
        })
        .describe('HTTP headers the gateway sends when it asks for the lists.'),
    },
    { error: 'Must be a mapping with "headers"' },
  )
  .describe(
    'How the gateway itself reads the lists of the server. Default: with the account of `crosspoint connect`, or without any.',
  )

export const serverAuth = z
  .strictObject(
    {
      kind: z
        .enum(SERVER_AUTH_KINDS, { error: `Must be one of ${SERVER_AUTH_KINDS.join(', ')}` })
        .describe(
          'Each caller signs in by a browser (`oauth`), the gateway signs in as itself (`client-credentials`), or the token of the caller is exchanged for one of the server (`exchange`).',
        ),
      issuer: url
        .describe('Who gives the tokens. Default: whom the server names; of `exchange` it must be said.')
        .optional(),
      clientId: text
        .describe('The client id that was registered there. Default: the gateway registers itself.')
        .optional(),
      clientSecret: text.describe('The secret of that client.').optional(),
      privateKey: text.describe('Or its private key (PKCS #8 as PEM).').optional(),
      algorithm: text.describe('The algorithm of the key. Default: what the issuer offers first, or ES256.').optional(),
      keyId: text.describe('The id of the key, where the issuer knows several.').optional(),
      clientMetadataUrl: text
        .regex(/^https:\/\/|\$\{/i, 'Must be an https URL')
        .describe('The https URL of our client metadata, for issuers that take such as client id.')
        .optional(),
      scopes: texts.default([]).describe('Scopes to ask for besides those the server wants.'),
      trustedHosts: texts
        .default([])
        .describe('Hosts inside your network that may be asked for tokens; others there are not.'),
      tokenEndpoint: url
        .describe('Where tokens are exchanged. Default: what the metadata of the issuer says.')
        .optional(),
      audience: text.describe('The name of the server, as the issuer knows it.').optional(),
      resource: url.describe('The resource to ask a token for. Default: the URL of the server.').optional(),
      discovery: discovery.optional(),
    },
    { error: 'Must be a mapping with "kind"' },
  )
  .describe('How the gateway signs in to a remote server. Default: with `headers`, if any.')

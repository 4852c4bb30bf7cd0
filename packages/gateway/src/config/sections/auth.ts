import { z } from 'zod'
import { authServer } from './auth-server.ts'
import { HOUR_MS, text, texts, truth, whole } from './shapes.ts'

const id = text.max(256, 'Must not be longer than 256 letters')
const NOT_A_URL = 'Must be an http(s) URL, such as "https://auth.example.com"'
const url = text.regex(/^https?:\/\/[^\s#]+$|\$\{/i, NOT_A_URL)
/** A name of a claim, or the way to one inside another. */
const claim = text.max(256, 'Must not be longer than 256 letters')

const keys = z
  .strictObject(
    {
      enabled: truth().prefault(true).describe('Whether callers may come with API keys of the gateway.'),
      cacheMs: whole(0, HOUR_MS)
        .prefault(10_000)
        .describe(
          'How long a key that was found good is not looked up again: a key taken back elsewhere ends by then.',
        ),
      maxCached: whole(1, 1_000_000).prefault(10_000).describe('Most keys remembered at once.'),
    },
    { error: 'Must be a mapping' },
  )
  .prefault({})
  .describe('API keys, as `crosspoint keys` makes them.')

const tokens = z
  .strictObject(
    {
      cacheMs: whole(0, HOUR_MS)
        .prefault(60_000)
        .describe('How long a token that was found good is not checked again; never beyond its own end.'),
      maxCached: whole(1, 1_000_000).prefault(10_000).describe('Most tokens remembered at once.'),
    },
    { error: 'Must be a mapping' },
  )
  .prefault({})
  .describe('Tokens of `issuers`.')

const issuer = z
  .strictObject(
    {
      issuer: url.describe('As its tokens and its metadata write it, to the letter.'),
      audience: texts
        .describe(
          'Names that its tokens may have for all endpoints, besides the URL of the endpoint that is called: for issuers that do not write that one.',
        )
        .optional(),
      keys: url.describe('Where its keys are (JWKS). Default: where its metadata says.').optional(),
      algorithms: texts
        .min(1, 'Must name one at least')
        .describe('Signatures that are taken. Default: RS, PS and ES of 256 to 512, EdDSA.')
        .optional(),
      types: texts
        .min(1, 'Must name one at least')
        .default(['at+jwt'])
        .describe('Kinds of tokens that are taken (`typ`); some issuers write `JWT`.'),
      tenant: id.describe('The tenant of all its callers. Default: the issuer.').optional(),
      tenantClaim: claim
        .describe('The claim that says the tenant of a caller; a token without it is refused.')
        .optional(),
      principalClaim: claim.default('sub').describe('The claim that says who calls.'),
      rolesClaim: claim
        .describe('The claim that says the roles of a caller, such as `roles` or `realm_access.roles`.')
        .optional(),
      scopesImplied: z
        .record(text, texts, { error: 'Must be a mapping from scopes to lists of scopes' })
        .default({})
        .describe('Narrower scopes that a broader one is good for.'),
    },
    { error: 'Must be a mapping' },
  )
  .describe('Somebody whose tokens (JWTs) are taken.')

const stdio = z
  .strictObject(
    {
      principal: id.describe('Who that is.'),
      tenant: id.default('default').describe('In which tenant.'),
      roles: texts.default([]).describe('With which roles.'),
    },
    { error: 'Must be a mapping' },
  )
  .describe('Whose calls those of `crosspoint stdio` are. Default: those of nobody in particular.')

export const auth = z
  .strictObject(
    {
      resource: url
        .describe(
          'Where callers find the gateway, without `/mcp`, such as `https://mcp.example.com`: tokens name it. Default: the address it listens on.',
        )
        .optional(),
      keys,
      tokens,
      issuers: z.array(issuer, { error: 'Must be a list of issuers' }).default([]).describe('Whose tokens are taken.'),
      stdio: stdio.optional(),
      server: authServer.optional(),
    },
    { error: 'Must be a mapping' },
  )
  .describe('Asks every caller over HTTP who they are. Absent: nobody is asked, and only this machine is served.')

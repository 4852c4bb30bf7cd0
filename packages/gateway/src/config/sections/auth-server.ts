import { z } from 'zod'
import { HOUR_MS, text, texts, truth, whole } from './shapes.ts'

const id = text.max(256, 'Must not be longer than 256 letters')
const url = text.regex(/^https?:\/\/[^\s#]+$|\$\{/i, 'Must be an http(s) URL, such as "https://idp.example.com"')
const DAY_MS = 24 * HOUR_MS

/** How people of somebody else's become callers. */
const mapping = {
  tenant: id.describe('The tenant of all its people. Default: the issuer.').optional(),
  tenantClaim: id.describe('The claim that says the tenant of somebody; without it nobody gets in.').optional(),
  principalClaim: id.default('sub').describe('The claim that says who somebody is.'),
  rolesClaim: id.describe('The claim that says the roles of somebody.').optional(),
}

const upstream = z
  .strictObject(
    {
      issuer: url.describe('The OpenID provider, as its metadata writes it, to the letter.'),
      clientId: text.describe('What we are to it. Register `<auth.resource>/login/callback` there.'),
      clientSecret: text.describe('A secret.'),
      scopes: texts.default(['openid', 'profile', 'email']).describe('What we ask of it.'),
      name: text.max(64, 'Must not be longer than 64 letters').describe('What people call it.').optional(),
      ...mapping,
    },
    { error: 'Must be a mapping' },
  )
  .describe('The OpenID provider at which people sign in. Default: local accounts (`crosspoint accounts`).')

const client = z
  .strictObject(
    {
      name: text.max(128, 'Must not be longer than 128 letters').describe('What people are told.').optional(),
      secret: text
        .min(16, 'Must have at least 16 letters')
        .describe('Shows that it is this client. A secret.')
        .optional(),
      keys: url.describe('Where its keys are (JWKS) that sign what it shows (`private_key_jwt`).').optional(),
      redirectUris: texts.default([]).describe('Where people may be sent back to, for clients that sign people in.'),
      credentials: truth()
        .prefault(false)
        .describe('Whether it may call for itself, without anybody signed in (client credentials).'),
      enterprise: truth()
        .prefault(false)
        .describe('Whether it may come with what `enterprise` issuers say of somebody (ID-JAG).'),
      tenant: id.default('default').describe('Its tenant, where it calls for itself.'),
      roles: texts.default([]).describe('Its roles, where it calls for itself.'),
      scopes: texts.describe('What it may ask for. Default: everything.').optional(),
    },
    { error: 'Must be a mapping' },
  )
  .describe('A client that is known from the beginning, such as an agent.')

const enterprise = z
  .strictObject(
    {
      issuer: url.describe('The identity provider, as its assertions write it, to the letter.'),
      keys: url.describe('Where its keys are (JWKS). Default: where its metadata says.').optional(),
      ...mapping,
    },
    { error: 'Must be a mapping' },
  )
  .describe('An identity provider whose identity assertions (ID-JAG) are taken.')

const registration = z
  .strictObject(
    {
      documents: truth().prefault(true).describe('Whether clients may be known by the document at their id, a URL.'),
      dynamic: truth().prefault(true).describe('Whether clients may register themselves (RFC 7591).'),
      maxClients: whole(1, 1_000_000).prefault(1_000).describe('Most clients that registered themselves.'),
      unusedMs: whole(HOUR_MS, 3_650 * DAY_MS)
        .prefault(30 * DAY_MS)
        .describe('How long a client that registered itself is kept that nobody uses.'),
      perHour: whole(1, 1_000_000)
        .prefault(100)
        .describe('Most registrations in an hour; from one address a fifth of it.'),
    },
    { error: 'Must be a mapping' },
  )
  .prefault({})
  .describe('Clients that nobody has configured.')

const ttl = z
  .strictObject(
    {
      accessMs: whole(10_000, HOUR_MS).prefault(300_000).describe('How long an access token is good.'),
      refreshMs: whole(60_000, 3_650 * DAY_MS)
        .prefault(30 * DAY_MS)
        .describe('How long a refresh token is good that is not used; also how long people stay signed in.'),
      grantMs: whole(60_000, 3_650 * DAY_MS)
        .prefault(180 * DAY_MS)
        .describe('How long what somebody agreed to holds, whatever is used.'),
    },
    { error: 'Must be a mapping' },
  )
  .prefault({})
  .describe('How long things are good.')

export const authServer = z
  .strictObject(
    {
      upstream: upstream.optional(),
      clients: z
        .record(id, client, { error: 'Must be a mapping from client ids to clients' })
        .default({})
        .describe('Clients that are known from the beginning, by their id.'),
      enterprise: z
        .array(enterprise, { error: 'Must be a list of issuers' })
        .default([])
        .describe('Whose identity assertions are taken for a token (enterprise-managed authorization).'),
      registration,
      ttl,
      maxSessions: whole(10, 10_000_000)
        .prefault(100_000)
        .describe('Most people signed in, sign-ins under way, and agreements of each kind.'),
      keyFile: text
        .describe(
          'The file of the key that seals what is kept, relative to this file; made where it is not there. Default: auth-server.key beside your own configuration.',
        )
        .optional(),
      key: text
        .min(43, 'Must be 32 random bytes in base64')
        .describe('That key itself, as 32 random bytes in base64: for several gateways with one store. A secret.')
        .optional(),
    },
    { error: 'Must be a mapping' },
  )
  .describe('Signs people in and gives tokens for this gateway, where there is no authorization server.')

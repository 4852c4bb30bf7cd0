import { z } from 'zod'
import { defineOperation } from './operation.ts'
import { cursor, limit, moment, next } from './shapes.ts'

const tag = 'credentials'
const kind = z.enum(['secret', 'connection', 'client'])
const part = z.string().max(1_024)

const credential = z
  .object({
    kind: kind.describe('A secret of the configuration, a sign-in of a caller, a registration of the gateway.'),
    tenant: z.string().describe('Empty with `principal`: the gateway’s own.'),
    principal: z.string(),
    name: z.string().describe('Of the secret, or the server.'),
    keyId: z.string().describe('Names the key it is closed with.'),
    updatedAt: moment,
  })
  .meta({ id: 'Credential', description: 'Whose it is and since when, and never what' })

export const listCredentials = defineOperation({
  tag,
  summary: 'What is kept for signing in to servers',
  role: 'viewer',
  query: z.strictObject({ kind: kind.default('connection'), limit: limit(1_000, 100), cursor }),
  answer: z.object({ credentials: z.array(credential), next }),
})

export const removeCredential = defineOperation({
  tag,
  summary: 'Forget one',
  about: 'What a gateway has in use already goes on until it is looked up again.',
  role: 'admin',
  body: z.strictObject({
    kind,
    tenant: part.default(''),
    principal: part.default(''),
    name: part.min(1),
  }),
  answer: z.object({ removed: z.literal(true) }),
})

import { z } from 'zod'
import { defineOperation } from './operation.ts'
import type { Received } from './received.ts'
import { cursor, limit, moment, name, next, roleName, scopeName } from './shapes.ts'

const tag = 'keys'

const key = z
  .object({
    id: z.string(),
    principal: z.string(),
    tenant: z.string(),
    roles: z.array(z.string()),
    scopes: z.array(z.string()).describe('Absent: everything its roles are good for.').optional(),
    label: z.string().optional(),
    createdAt: moment,
    expiresAt: moment.optional(),
    revokedAt: moment.optional(),
    replacedBy: z.string().describe('Of which key it is the predecessor.').optional(),
    usedAt: moment.describe('At most a minute old.').optional(),
  })
  .meta({ id: 'Key', description: 'What is kept of an API key: nothing that could be used as one' })

const made = key
  .extend({ key: z.string().describe('The key itself, shown this once.') })
  .meta({ id: 'MadeKey', description: 'A key that was just made' })

/** What is kept of an API key: nothing that could be used as one. */
export type Key = Received<z.output<typeof key>>

const params = z.strictObject({
  id: z
    .string()
    .regex(/^[\w-]{1,64}$/, 'Must be the id of a key')
    .describe('Its id.'),
})

export const listKeys = defineOperation({
  tag,
  summary: 'All keys, by id',
  role: 'viewer',
  query: z.strictObject({
    tenant: name.describe('Those of one tenant.').optional(),
    limit: limit(1_000, 100),
    cursor,
  }),
  answer: z.object({ keys: z.array(key), next }),
})

export const createKey = defineOperation({
  tag,
  summary: 'Make a key, and show it this once',
  role: 'admin',
  status: 201,
  body: z.strictObject({
    principal: name.describe('Who calls with it.'),
    tenant: name.default('default'),
    roles: z.array(roleName).max(256).default([]),
    scopes: z.array(scopeName).max(256).describe('Absent: everything its roles are good for.').optional(),
    label: z.string().max(1_024).describe('For people.').optional(),
    expiresInMs: z.int().min(1_000).max(3_200_000_000_000).describe('Absent: it does not end.').optional(),
  }),
  answer: made,
})

export const revokeKey = defineOperation({
  tag,
  summary: 'Take a key back',
  about: 'Gateways that run refuse it within `auth.keys.cacheMs`. To take it back twice changes nothing.',
  role: 'admin',
  params,
  answer: key,
})

export const rotateKey = defineOperation({
  tag,
  summary: 'Make another key for the same caller, and show it this once',
  role: 'admin',
  status: 201,
  params,
  body: z.strictObject({
    graceMs: z.int().min(0).max(3_200_000_000_000).default(86_400_000).describe('How long the old one goes on.'),
  }),
  answer: made
    .extend({ replaced: key.describe('The old one.') })
    .meta({ id: 'RotatedKey', description: 'A key, and the one it replaces' }),
})

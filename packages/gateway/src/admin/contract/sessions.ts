import { z } from 'zod'
import { defineOperation } from './operation.ts'
import { count, limit, name } from './shapes.ts'

const tag = 'sessions'

const session = z
  .object({
    session: z.string().describe('Digest of its id, as in the evidence; the id is its client’s secret.'),
    view: z.string().describe('Absent: the view of everything.').optional(),
    tenant: z.string(),
    principal: z.string(),
    transport: z.enum(['streamable', 'sse']),
    revision: z.string().optional(),
    client: z.object({ name: z.string(), version: z.string() }).describe('What it calls itself.').optional(),
    idleMs: count.describe('How long its client has not come.').optional(),
  })
  .meta({ id: 'Session' })

export const listSessions = defineOperation({
  tag,
  summary: 'Handshake sessions of callers, the one that waits longest first',
  about: 'Of this process. The newest revision has no sessions.',
  role: 'viewer',
  query: z.strictObject({
    tenant: name.optional(),
    principal: name.optional(),
    limit: limit(10_000, 1_000),
  }),
  answer: z.object({ sessions: z.array(session), total: count }),
})

export const endSession = defineOperation({
  tag,
  summary: 'End a session and what it has open',
  about: 'Its client may open another, where its credential is still good.',
  role: 'admin',
  params: z.strictObject({ session: z.string().regex(/^[\da-f]{32}$/, 'Must be the digest of a session') }),
  answer: session,
})

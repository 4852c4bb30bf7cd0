import { z } from 'zod'
import { defineOperation } from './operation.ts'
import { count, cursor, limit, mapping, moment, next, text } from './shapes.ts'

const tag = 'audit'

const filters = {
  tenant: text.optional(),
  principal: text.optional(),
  method: text.describe('Such as `tools/call`, or an event, such as `config.applied`.').optional(),
  target: text.describe('A tool, a prompt, a resource, or what an event is about.').optional(),
  upstream: text.describe('A server.').optional(),
  outcome: text.describe('`complete`, `tool-error`, or the code of an error.').optional(),
  trace: text.optional(),
  since: z.iso.datetime({ offset: true }).describe('From then on.').optional(),
  until: z.iso.datetime({ offset: true }).describe('Before then.').optional(),
}

const row = z
  .object({
    chain: z.string(),
    seq: count,
    at: moment,
    previous: z.string(),
    hash: z.string(),
    record: mapping.describe('What happened; `docs/audit-record.md` names every member.'),
  })
  .meta({ id: 'AuditRow' })

export const searchAudit = defineOperation({
  tag,
  summary: 'Records, newest first',
  role: 'auditor',
  query: z.strictObject({ ...filters, limit: limit(1_000, 100), cursor }),
  answer: z.object({ rows: z.array(row), next }),
})

export const exportAudit = defineOperation({
  tag,
  summary: 'All records that fit, newest first, one a line',
  about: 'Each with all that its hash is made of; `record` is the text that was hashed.',
  role: 'auditor',
  form: 'jsonl',
  query: z.strictObject(filters),
  answer: z
    .object({
      chain: z.string(),
      seq: count,
      at: count.describe('Milliseconds since 1970.'),
      previous: z.string(),
      hash: z.string(),
      record: z.string(),
    })
    .meta({ id: 'AuditLine' }),
})

export const verifyAudit = defineOperation({
  tag,
  summary: 'Say whether the evidence is as it was written',
  about: 'Reads every record; one at a time is at it. Checkpoints are held against the key of this machine.',
  role: 'auditor',
  body: z.strictObject({ chain: text.describe('Only this one, by itself.').optional() }),
  answer: z.object({
    whole: z.boolean(),
    chains: z.array(
      z.object({
        chain: z.string(),
        first: count,
        last: count,
        signed: count.describe('Up to which row a genuine checkpoint vouches.'),
        end: z.enum(['stopped', 'open']),
        finding: z
          .object({
            chain: z.string(),
            seq: count,
            what: z.enum(['changed', 'removed', 'reordered', 'truncated', 'forged']),
            why: z.string(),
          })
          .describe('The first thing that is wrong. Absent: nothing is.')
          .optional(),
      }),
    ),
  }),
})

import { z } from 'zod'
import { defineOperation } from './operation.ts'
import { count, mapping } from './shapes.ts'

const tag = 'traffic'
const figure = z
  .object({
    name: z.string(),
    labels: z.record(z.string(), z.string()).describe('Names of the configuration, and never a caller.'),
    value: z.number(),
  })
  .meta({ id: 'Figure' })
const bound = {
  name: z.string(),
  per: z.array(z.string()).describe('For whom there is a count of its own.'),
  match: mapping.describe('Which calls are meant. Absent: all.').optional(),
  max: z.number(),
}

export const listLimits = defineOperation({
  tag,
  summary: 'Limits, budgets and lines, and what they let through and refused',
  about: 'Counts of this process since they were configured.',
  role: 'viewer',
  answer: z.object({
    door: z
      .object({ requests: count, windowMs: count, refused: count })
      .describe('Of one caller over HTTP.')
      .optional(),
    limits: z.array(
      z.object({
        ...bound,
        kind: z.enum(['limit', 'budget']),
        windowMs: count.describe('Of a window that slides.').optional(),
        every: z
          .enum(['hour', 'day', 'week', 'month'])
          .describe('Of one that begins anew with the calendar.')
          .optional(),
        timezone: z.string().describe('Where the calendar is looked at. Default: UTC.').optional(),
        passed: count,
        refused: count,
      }),
    ),
    concurrency: z.array(
      z.object({
        ...bound,
        queue: z.object({ max: count, maxWaitMs: count }),
        inside: count,
        waiting: count,
        shed: count,
      }),
    ),
    breakers: z.array(z.object({ server: z.string(), open: z.boolean(), refused: count })),
  }),
})

const ms = z.number().describe('Milliseconds; quantiles are within a quarter.')
const calls = {
  calls: count.describe('All that have ended, refused ones among them.'),
  errors: z
    .record(z.string(), count)
    .describe('Those that failed: `tool-error`, or a code such as `upstream.timeout`.'),
  refused: count.describe('Those of `errors` that a rule of the gateway refused.'),
  cacheHits: count,
  latencyMs: z.object({ mean: ms, p50: ms, p95: ms, p99: ms, max: ms }),
}

export const listCalls = defineOperation({
  tag,
  summary: 'What became of calls and how long they took, by tool and by method',
  about:
    'Counts of this process since it started. `_other` is what nobody has, and what is beyond the most that is told apart.',
  role: 'viewer',
  answer: z.object({
    since: z.string().describe('ISO 8601.'),
    tools: z.array(
      z
        .object({
          upstream: z.string().describe('The server; empty together with `_other`.'),
          tool: z.string().describe('Its own name for the tool.'),
          name: z.string().describe('The name in the catalog, whatever a view calls it.'),
          ...calls,
        })
        .meta({ id: 'ToolFigures' }),
    ),
    methods: z.array(z.object({ method: z.string(), ...calls }).meta({ id: 'MethodFigures' })),
  }),
})

export const listFigures = defineOperation({
  tag,
  summary: 'Everything that is counted, at this moment',
  role: 'viewer',
  answer: z.object({ figures: z.array(figure) }),
})

import { z } from 'zod'
import { defineOperation } from './operation.ts'
import type { Received } from './received.ts'
import { count, moment, name } from './shapes.ts'

const tag = 'servers'

const state = z.enum(['stopped', 'disabled', 'starting', 'ready', 'degraded', 'backing-off', 'needs-sign-in', 'failed'])

export const serverStatus = z
  .object({
    name: z.string(),
    prefix: z.string().describe('What stands before `__` in the names of its tools and prompts.'),
    title: z.string().optional(),
    description: z.string().optional(),
    enabled: z.boolean(),
    transport: z.enum(['stdio', 'http', 'sse']),
    target: z.string().describe('The program that is started, or the address without what might be a secret.'),
    state,
    since: moment,
    reason: z.string().describe('Why it is in this state.').optional(),
    remedy: z.string().describe('What can be done about it.').optional(),
    counts: z
      .object({ tools: count, resources: count, templates: count, prompts: count, skills: count.optional() })
      .describe('How much it offers, or offered when it was last there.')
      .optional(),
    revision: z.string().describe('The protocol revision spoken, or last spoken.').optional(),
    server: z.object({ name: z.string(), version: z.string() }).describe('What it calls itself.').optional(),
    restarts: count.describe('Times it was brought back after it had been lost.'),
    replicas: z
      .array(
        z.object({
          name: z.string().describe('Its host and port, or `#1`.'),
          state,
          since: moment,
          reason: z.string().describe('Why it is in this state.').optional(),
          isLeftAlone: z.boolean().describe('Calls go to others for a while, since it fails though it is there.'),
          weight: count,
          pending: count.describe('Calls at work.'),
          calls: count,
          failures: count.describe('Calls that failed on the way.'),
          latencyMs: z.number().describe('How long it takes to answer, as the latest calls had it.').optional(),
          differs: z
            .array(z.string())
            .readonly()
            .describe('What it offers differently from what is listed.')
            .optional(),
        }),
      )
      .readonly()
      .describe('Its addresses or processes, where it has several.')
      .optional(),
  })
  .meta({ id: 'ServerStatus' })

/** What a person wants to know about one server. */
export type ServerStatus = Received<z.output<typeof serverStatus>>

const params = z.strictObject({ name: name.describe('As in the configuration.') })

export const listServers = defineOperation({
  tag,
  summary: 'All configured servers',
  role: 'viewer',
  answer: z.object({ servers: z.array(serverStatus) }),
})

export const readServer = defineOperation({ tag, summary: 'One server', role: 'viewer', params, answer: serverStatus })

export const restartServer = defineOperation({
  tag,
  summary: 'Stop a server and start it again',
  about: 'Calls at work may finish on the old one. What it offered stays listed until the new one says what it offers.',
  role: 'admin',
  params,
  answer: serverStatus,
})

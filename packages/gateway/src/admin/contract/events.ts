import { z } from 'zod'
import { configDiff } from './config.ts'
import { defineOperation } from './operation.ts'
import type { Received } from './received.ts'
import { serverStatus } from './servers.ts'
import { count, mapping, moment } from './shapes.ts'

const at = moment

export const adminEvent = z
  .discriminatedUnion('type', [
    z.object({ type: z.literal('server'), at, server: serverStatus }),
    z.object({ type: z.literal('catalog'), at }),
    z.object({ type: z.literal('config'), at, diff: configDiff }),
    z.object({
      type: z.literal('log'),
      at,
      level: z.enum(['info', 'warn', 'error']),
      message: z.string(),
      details: mapping,
    }),
    z.object({ type: z.literal('dropped'), at, events: count.describe('That came faster than they were read.') }),
  ])
  .meta({ id: 'AdminEvent' })

/** Something that happened. */
export type AdminEvent = Received<z.output<typeof adminEvent>>

export const events = defineOperation({
  tag: 'events',
  summary: 'What happens from now on',
  about:
    'Server-Sent Events: the state of servers, other lists, another configuration, lines of the log but those of calls.',
  role: 'viewer',
  form: 'events',
  answer: adminEvent,
})

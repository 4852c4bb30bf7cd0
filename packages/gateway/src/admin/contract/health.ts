import { z } from 'zod'
import { defineOperation } from './operation.ts'
import { serverStatus } from './servers.ts'
import { count, moment } from './shapes.ts'

const tag = 'health'

export const live = defineOperation({
  tag,
  summary: 'Whether the process answers',
  role: 'anyone',
  answer: z.object({ status: z.literal('ok') }),
})

export const ready = defineOperation({
  tag,
  summary: 'Whether every server settled',
  about: 'Answers 503 until then. Whoever shows a good token is told of each server.',
  role: 'anyone',
  otherStatus: 503,
  answer: z.object({
    status: z.enum(['ready', 'starting']),
    servers: z.array(z.object({ name: z.string(), state: z.string() })).optional(),
  }),
})

export const status = defineOperation({
  tag,
  summary: 'How the gateway is, what is wrong, and what to do about it',
  role: 'viewer',
  answer: z.object({
    name: z.string(),
    version: z.string(),
    host: z.string(),
    pid: count,
    node: z.string(),
    startedAt: moment,
    /** Every enabled server has been ready, or is known not to be. */
    settled: z.boolean(),
    url: z.string().describe('Where callers are served; absent where no door is known.').optional(),
    config: z.object({ path: z.string().optional(), servers: count, views: count }),
    auth: z.object({ asks: z.boolean(), keys: z.boolean(), issuers: z.array(z.string()) }),
    audit: z.object({ kept: z.boolean() }),
    memory: z.object({ rssBytes: count, heapUsedBytes: count }),
    servers: z.array(serverStatus),
    problems: z.array(
      z.object({
        about: z.string().describe('What it is about: the name of a server, or a part of the gateway.'),
        what: z.string(),
        remedy: z.string().optional(),
      }),
    ),
  }),
})

export const openapi = defineOperation({
  tag,
  summary: 'This document',
  role: 'viewer',
  answer: z.looseObject({ openapi: z.string() }).describe('OpenAPI 3.1'),
})

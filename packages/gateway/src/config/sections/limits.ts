import { CALLER_LIMITS, UPSTREAM_LIMITS } from '@crosspoint/mcp'
import { KIB, MIB, section, whole } from './shapes.ts'

export const limits = section(
  {
    maxRequestBytes: whole(KIB, 256 * MIB)
      .prefault(CALLER_LIMITS.maxBytes)
      .describe('Longest message from a caller, in bytes.'),
    maxResponseBytes: whole(KIB, 512 * MIB)
      .prefault(UPSTREAM_LIMITS.maxBytes)
      .describe('Longest message from a server, in bytes.'),
    maxDepth: whole(8, 512).prefault(CALLER_LIMITS.maxDepth).describe('Deepest nesting of a message.'),
    maxBatch: whole(1, 1000).prefault(CALLER_LIMITS.maxBatch).describe('Most members of a batch.'),
    maxConcurrent: whole(1, 10_000).prefault(64).describe('Most requests of one session at work at once.'),
    maxSessions: whole(1, 1_000_000)
      .prefault(10_000)
      .describe('Most sessions alive; beyond it one never used makes room, or new ones are refused.'),
    maxStreamBytes: whole(KIB, 256 * MIB)
      .prefault(4 * MIB)
      .describe('Most bytes waiting on one stream for a caller who does not read.'),
    maxUpstreamSessions: whole(1, 100_000)
      .prefault(256)
      .describe(
        'Most sessions with one server on behalf of callers; beyond it one nobody uses makes room, or calls are refused.',
      ),
    maxParked: whole(1, 100_000)
      .prefault(1_000)
      .describe('Most calls kept open while their callers answer a question of the server between two requests.'),
    maxParkedPerPrincipal: whole(1, 100_000).prefault(250).describe('Most such calls of one caller.'),
    maxParkedBytes: whole(KIB, 8 * 1024 * MIB)
      .prefault(128 * MIB)
      .describe('Most bytes of such calls, their answers and outcomes.'),
    maxIcons: whole(0, 10_000)
      .prefault(64)
      .describe(
        'Most icons of one server that are fetched from its own origin and put into its lists; 0 passes addresses on.',
      ),
    maxIconBytes: whole(KIB, MIB)
      .prefault(64 * KIB)
      .describe('Largest icon of these, in bytes. All of one server add up to no more than `maxIcons` of this size.'),
    pageSize: whole(1, 10_000).prefault(1_000).describe('Things on one page of a list.'),
  },
  'Bounds.',
)

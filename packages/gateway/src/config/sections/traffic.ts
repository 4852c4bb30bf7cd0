import { z } from 'zod'
import { HOUR_MS, KIB, MIB, section, text, texts, truth, whole } from './shapes.ts'

/** For whom a count is kept: one alone, or several together. */
const PER = ['principal', 'tenant', 'tool', 'server', 'all'] as const

const EVERY = ['hour', 'day', 'week', 'month'] as const
const COUNTERS = ['memory', 'store', 'redis'] as const
const ON_LOSS = ['local', 'refuse'] as const
const CLASSES = ['interactive', 'normal', 'batch'] as const
const YEAR_MS = 366 * 24 * HOUR_MS

const one = z.enum(PER, { error: `Must be one of ${PER.join(', ')}, or a list of them` })
const per = z
  .union([one, z.array(one).min(1)], { error: `Must be one of ${PER.join(', ')}, or a list of them` })
  .transform((given) => (typeof given === 'string' ? [given] : given))
  .describe(
    'For whom there is a count of its own: `principal` (a caller of a tenant), `tenant`, `tool` (tool, prompt or resource), `server`, or `all` for one count. Of a list, for each combination.',
  )

const name = text
  .regex(/^[A-Za-z0-9][A-Za-z0-9_-]{0,63}$/, 'Must be 1 to 64 of A-Z a-z 0-9 _ -, beginning with a letter or digit')
  .describe('What callers, log and figures call it.')

const match = z
  .strictObject(
    {
      tools: texts
        .describe(
          'Tools and prompts, as `<server>__<name>`: the name of the server here, and its own name for the thing.',
        )
        .optional(),
      servers: texts.describe('Names of servers.').optional(),
      views: texts.describe('Names of views; `*` alone is any, and that of everything has none.').optional(),
      tenants: texts.describe('Tenants of callers.').optional(),
      principals: texts.describe('Ids of callers.').optional(),
      methods: texts
        .describe(
          'Methods, such as `tools/call`. Default: all that a server answers, but for those about tasks at work.',
        )
        .optional(),
    },
    { error: 'Must be a mapping with "tools", "servers", "views", "tenants", "principals" or "methods"' },
  )
  .describe('Which calls: those that fit all of it. In each, `*` stands for any run of characters. Default: all.')

const windowMs = whole(100, YEAR_MS).describe('How long a call counts, in milliseconds.')

/** Of limits and budgets: one of the first two. */
const window = {
  windowMs: windowMs.optional(),
  every: z
    .enum(EVERY, { error: `Must be one of ${EVERY.join(', ')}` })
    .describe('In place of `windowMs`: counts begin anew with each hour, day, week (on Monday) or month.')
    .optional(),
  timezone: text.describe('Where `every` looks at the clocks, such as `Europe/Berlin`. Default: UTC.').optional(),
}

const limit = z
  .strictObject(
    {
      name,
      per,
      match: match.optional(),
      calls: whole(1, 1_000_000_000).describe('Most calls in any stretch of `windowMs`, or in each `every`.'),
      ...window,
    },
    { error: 'Must be a mapping with "name", "per", "calls" and "windowMs" or "every"' },
  )
  .describe('So many calls in a while, and no more.')

const budget = z
  .strictObject(
    {
      name,
      per,
      match: match.optional(),
      cost: whole(1, 1_000_000_000).describe(
        'Most that calls may cost together in any stretch of `windowMs`, or in each `every`.',
      ),
      ...window,
    },
    { error: 'Must be a mapping with "name", "per", "cost" and "windowMs" or "every"' },
  )
  .describe('So much cost in a while, and no more.')

const cost = z
  .strictObject(
    {
      tools: texts.describe('Tools and prompts, as `<server>__<name>`.'),
      cost: whole(0, 1_000_000).describe('What one call costs; 0 is free.'),
    },
    { error: 'Must be a mapping with "tools" and "cost"' },
  )
  .describe('What calls cost. The first that fits counts; what fits none costs 1.')

const door = z
  .strictObject(
    {
      requests: whole(1, 1_000_000).describe('Most requests of one principal over HTTP in any stretch of `windowMs`.'),
      windowMs,
    },
    { error: 'Must be a mapping with "requests" and "windowMs"' },
  )
  .describe('Bounds requests over HTTP per principal before they are read: beyond it 429 with `Retry-After`.')

const concurrency = z
  .strictObject(
    {
      name,
      per,
      match: match.optional(),
      max: whole(1, 100_000).describe('Most calls at work at once.'),
      queue: section(
        {
          max: whole(0, 100_000)
            .prefault(100)
            .describe('Most calls that wait for their turn; beyond it they are refused.'),
          maxWaitMs: whole(1, HOUR_MS)
            .prefault(10_000)
            .describe('Longest wait, in milliseconds; a call that would wait longer is refused at once.'),
        },
        'Those that wait.',
      ),
    },
    { error: 'Must be a mapping with "name", "per" and "max"' },
  )
  .describe('So many calls at once, and the others in line.')

const priority = z
  .strictObject(
    {
      match: match.optional(),
      class: z.enum(CLASSES, { error: `Must be one of ${CLASSES.join(', ')}` }).describe('How urgent these calls are.'),
    },
    { error: 'Must be a mapping with "match" and "class"' },
  )
  .describe('How urgent calls are that wait in line.')

const cacheRule = z
  .strictObject(
    {
      match: match.optional(),
      ttlMs: whole(1, 24 * HOUR_MS)
        .describe(
          'How long a result holds, in milliseconds; of what was read its server may say less. Default: what the server says of what was read.',
        )
        .optional(),
      maxBytes: whole(KIB, 64 * MIB)
        .prefault(MIB)
        .describe('Largest result that is kept, in bytes.'),
      unsafe: truth()
        .prefault(false)
        .describe(
          'Also tools whose server does not say that they change nothing (`readOnlyHint`). Needs `match.tools`.',
        ),
    },
    { error: 'Must be a mapping' },
  )
  .describe('Which results are given again, each to its own caller. The first rule that fits counts.')

const cache = section(
  {
    maxEntries: whole(1, 10_000_000).prefault(10_000).describe('Most results kept.'),
    maxBytes: whole(KIB, 64 * 1024 * MIB)
      .prefault(64 * MIB)
      .describe('Most bytes of results kept.'),
    rules: list(cacheRule, 'Which results are kept.'),
  },
  'Results that may be given again.',
)

const breaker = z
  .strictObject(
    {
      servers: texts.default(['*']).describe('Names of servers; `*` stands for any run of characters.'),
      failures: whole(1, 10_000)
        .prefault(5)
        .describe('How many calls have to fail on the way in `windowMs`, and be half of all at least.'),
      windowMs: whole(100, HOUR_MS).prefault(30_000).describe('How long a failure counts, in milliseconds.'),
      openMs: whole(100, HOUR_MS)
        .prefault(15_000)
        .describe('How long no call passes before one finds out whether the server is well again, in milliseconds.'),
    },
    { error: 'Must be a mapping' },
  )
  .describe('Servers that are left alone for a while when they fail too often.')

const retry = z
  .strictObject(
    {
      match: match.optional(),
      attempts: whole(2, 10).prefault(2).describe('Times a call is sent in all.'),
      minDelayMs: whole(1, HOUR_MS).prefault(200).describe('First wait, in milliseconds; with jitter, and doubled.'),
      maxDelayMs: whole(1, HOUR_MS)
        .prefault(2_000)
        .describe('Longest wait, in milliseconds; a server that wants a longer one is not asked again.'),
    },
    { error: 'Must be a mapping' },
  )
  .describe('Calls that are sent again, if their server says that this does no harm.')

function list<T extends z.ZodType>(of: T, about: string) {
  return z.array(of, { error: 'Must be a list' }).default([]).describe(about)
}

const durable = section(
  {
    minWindowMs: whole(1_000, YEAR_MS)
      .prefault(60_000)
      .describe('Shortest window whose counts outlive the process, in milliseconds; those of `every` always do.'),
    writeDelayMs: whole(10, HOUR_MS)
      .prefault(1_000)
      .describe('How long after a call its count is kept, in milliseconds: what a crash may lose.'),
  },
  'Counts that are kept in the store.',
)

export const traffic = section(
  {
    counters: z
      .enum(COUNTERS, { error: `Must be one of ${COUNTERS.join(', ')}` })
      .describe(
        'Where calls are counted: `memory`; `store`, where long counts outlive the process; `redis`, where all replicas count together. Default: `redis` where `cluster.redis` is there, else `store` where there are long counts.',
      )
      .optional(),
    onLoss: z
      .enum(ON_LOSS, { error: `Must be ${ON_LOSS.join(' or ')}` })
      .default('local')
      .describe(
        'While Redis is away: `local` counts in each replica, up to its share; `refuse` refuses what is limited.',
      ),
    durable,
    door: door.optional(),
    limits: list(limit, 'How many calls there may be in a while.'),
    budgets: list(budget, 'How much calls may cost in a while.'),
    costs: list(cost, 'What calls cost; one that is not named costs 1.'),
    cache,
    breakers: list(breaker, 'Which servers are left alone when they fail too often. The first that fits counts.'),
    retries: list(retry, 'Which calls are sent again when they fail on the way. The first that fits counts.'),
    concurrency: list(concurrency, 'How many calls may be at work at once.'),
    priorities: list(priority, 'Which calls are more urgent than others; one that is not named is `normal`.'),
  },
  'How much, and how often.',
)

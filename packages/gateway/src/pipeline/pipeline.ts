import { type Clock, compose, type Handle, type Interceptor } from '@crosspoint/mcp'
import type { Evidence } from '../audit/evidence.ts'
import type { Log } from '../log.ts'
import type { Passage } from '../routes/passage.ts'
import type { Tally } from '../telemetry/tally.ts'
import type { Telemetry } from '../telemetry/telemetry.ts'
import type { Traffic } from '../traffic/traffic.ts'
import { audit } from './interceptors/audit.ts'
import { authorize } from './interceptors/authorize.ts'
import { breaker } from './interceptors/breaker.ts'
import { cache } from './interceptors/cache.ts'
import { deadline } from './interceptors/deadline.ts'
import { queue } from './interceptors/queue.ts'
import { retry } from './interceptors/retry.ts'
import { route } from './interceptors/route.ts'
import { throttle } from './interceptors/throttle.ts'
import { type TraceIds, trace } from './interceptors/trace.ts'

export interface PipelineNeeds {
  readonly log: Log
  readonly clock: Clock
  readonly ids: TraceIds
  readonly traffic: Traffic
  /** Where evidence is kept now; a reload may change it. Default: nowhere. */
  readonly evidence?: () => Evidence | undefined
  /** What counts calls, and how long they took. Default: nobody does. */
  readonly tally?: Tally
  /** What is told of calls. Default: nothing. */
  readonly telemetry?: Telemetry
  /** What of a call can only be told with the call is decided; default: there are no rules, and nothing is asked. */
  readonly authorizes?: boolean
  /** Milliseconds since 1970, for rules about the time. Default `Date.now`. */
  readonly wallClock?: () => number
}

/** One place in the order every call passes. A place without `create` has no rule yet and costs nothing. */
export interface Place {
  readonly name: string
  readonly does: string
  /** Why it stands where it stands. */
  readonly because: string
  /** Returns nothing where nothing is configured for it: then it is not in the way of any call. */
  readonly create?: (needs: PipelineNeeds) => Interceptor<Passage> | undefined
}

/** The order, outermost first. Changing it takes an ADR (docs/adr/0005-pipeline-order.md). */
export const PIPELINE: readonly Place[] = [
  {
    name: 'trace',
    does: 'joins the caller’s trace or begins one, and makes its span where that is recorded',
    because: 'everything after it can name the call',
    create: ({ ids, telemetry }) => trace(ids, telemetry),
  },
  {
    name: 'audit',
    does: 'writes one line per call (who, what, of whom, outcome, duration; no values), counts it and, where evidence is kept, writes its record',
    because: 'it stands outside all rules, so that refusals are recorded like successes',
    create: ({ log, clock, evidence, tally }) => audit(log, clock, evidence, tally),
  },
  { name: 'authenticate', does: 'says who the caller is', because: 'every later rule speaks of a principal' },
  {
    name: 'throttle',
    does: 'counts calls and what they cost, and refuses what is too much',
    because: 'limits belong to a principal, and what is not there is counted like what is',
    create: ({ traffic }) => throttle(traffic),
  },
  {
    name: 'route',
    does: 'finds the upstream and its own name for what is asked',
    because: 'later rules speak of the upstream’s thing, whatever a view calls it',
    create: ({ traffic }) => route(traffic.routing),
  },
  {
    name: 'authorize',
    does: 'decides whether this principal may',
    because: 'before the cache, so that a hit never leaks',
    create: ({ authorizes = false, log, wallClock = Date.now }) => (authorizes ? authorize(log, wallClock) : undefined),
  },
  {
    name: 'cache',
    does: 'answers what may be answered again',
    because: 'outside the firewall: a hit has been inspected',
    create: ({ traffic }) => cache(traffic),
  },
  {
    name: 'firewall',
    does: 'inspects arguments and results',
    because: 'it sees all that really goes out and comes in',
  },
  { name: 'approve', does: 'asks a human', because: 'inside the firewall, whose findings can demand one' },
  {
    name: 'breaker',
    does: 'stops calls to an upstream that fails',
    because: 'outside retry: an open breaker is not retried',
    create: ({ traffic }) => breaker(traffic),
  },
  {
    name: 'retry',
    does: 'repeats what is safe to repeat, or never began',
    because: 'around the deadline, which bounds one attempt',
    create: ({ traffic }) => retry(traffic),
  },
  {
    name: 'queue',
    does: 'lets so many calls go on at once, the others in line',
    because:
      'a hit, a person who thinks and an attempt that waits hold no place; whose time is over in line is not sent',
    create: ({ traffic }) => queue(traffic),
  },
  {
    name: 'deadline',
    does: 'does not send what nobody waits for any more',
    because: 'innermost: it bounds one attempt',
    create: ({ clock }) => deadline(clock),
  },
]

/** Composed at start, and anew when a rule was configured or taken away. */
export function createPipeline(needs: PipelineNeeds, innermost: Handle<Passage>): Handle<Passage> {
  const interceptors = PIPELINE.flatMap(({ create }) => create?.(needs) ?? [])
  return compose(interceptors, innermost)
}

/** The table as text for a terminal. */
export function explainPipeline(): string {
  const width = Math.max(...PIPELINE.map(({ name }) => name.length))
  const lines = PIPELINE.map(({ name, does, because, create }, at) => {
    const number = String(at + 1).padStart(2)
    return `${number}  ${name.padEnd(width)}  ${create === undefined ? '–' : '●'}  ${does}; ${because}`
  })
  return `Every call passes these places in this order, and its answer in the reverse (● in force, – no rule yet):\n\n${lines.join('\n')}\n`
}

/** The table as `docs/pipeline.md`, which is generated from it. */
export function toPipelineMarkdown(): string {
  const rows = PIPELINE.map(
    ({ name, does, because, create }, at) =>
      `| ${at + 1} | ${name} | ${create === undefined ? 'no rule yet' : 'in force'} | ${does} | ${because} |`,
  )
  return `# The pipeline

Every call passes these places in this order, and its answer in the reverse. Generated from
\`packages/gateway/src/pipeline/pipeline.ts\`; \`crosspoint pipeline\` prints the same.
Why this order: [ADR 5](adr/0005-pipeline-order.md).

| | place | state | what it does | why here |
|---|---|---|---|---|
${rows.join('\n')}
`
}

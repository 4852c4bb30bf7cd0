/** How much of what may be used, as `traffic` of the configuration says. Nothing of it is there by default. */
export interface TrafficConfig {
  /** Where calls are counted. Default: in Redis where there is one, else in the store where anything is counted for long. */
  readonly counters?: 'memory' | 'store' | 'redis' | undefined
  /** While Redis is away. Default `local`. */
  readonly onLoss: OnCountersLost
  /** Of what is counted in the store. */
  readonly durable: {
    /** Shortest window whose counts outlive the process. Default 60 s. */
    readonly minWindowMs: number
    /** How long after a call its count is kept. Default 1 s. */
    readonly writeDelayMs: number
  }
  /** Of one principal over HTTP, counted before a request is read. */
  readonly door?: DoorLimitConfig | undefined
  readonly limits: readonly LimitConfig[]
  readonly budgets: readonly BudgetConfig[]
  /** The first that fits counts; what fits none costs 1. */
  readonly costs: readonly CostConfig[]
  readonly cache: CacheConfig
  /** The first that fits a server counts. */
  readonly breakers: readonly BreakerConfig[]
  /** The first that fits a call counts. */
  readonly retries: readonly RetryConfig[]
  readonly concurrency: readonly ConcurrencyConfig[]
  /** The first that fits counts; what fits none is `normal`. */
  readonly priorities: readonly PriorityConfig[]
}

/** `local`: each replica counts for itself, up to its share. `refuse`: what is limited is refused. */
export type OnCountersLost = 'local' | 'refuse'

/**
 * For whom there is a count of its own. `principal` is a caller of a tenant; `tool` is a tool, prompt or resource of a
 * server; `all` is everybody together.
 */
export type Per = 'principal' | 'tenant' | 'tool' | 'server' | 'all'

/** Which calls are meant: those that fit every part that is there. In each, `*` stands for any run of characters. */
export interface MatchConfig {
  /** `<server>__<name>`: the server as it is called here, and its own name for the tool or prompt. */
  readonly tools?: readonly string[] | undefined
  readonly servers?: readonly string[] | undefined
  readonly views?: readonly string[] | undefined
  readonly tenants?: readonly string[] | undefined
  readonly principals?: readonly string[] | undefined
  /** Default: all that a server answers, but for those about tasks at work. */
  readonly methods?: readonly string[] | undefined
}

export interface DoorLimitConfig {
  readonly requests: number
  readonly windowMs: number
}

/** How long counts of the calendar go on: weeks begin on Mondays. */
export type Every = 'hour' | 'day' | 'week' | 'month'

export interface LimitConfig {
  readonly name: string
  readonly per: readonly Per[]
  readonly match?: MatchConfig | undefined
  /** Most calls in any stretch of `windowMs`, or in each `every`. */
  readonly calls: number
  readonly windowMs?: number | undefined
  readonly every?: Every | undefined
  /** A name of the IANA database. Default UTC. */
  readonly timezone?: string | undefined
}

export interface BudgetConfig {
  readonly name: string
  readonly per: readonly Per[]
  readonly match?: MatchConfig | undefined
  /** Most that calls may cost together in any stretch of `windowMs`, or in each `every`. */
  readonly cost: number
  readonly windowMs?: number | undefined
  readonly every?: Every | undefined
  /** A name of the IANA database. Default UTC. */
  readonly timezone?: string | undefined
}

export interface CostConfig {
  readonly tools: readonly string[]
  readonly cost: number
}

export interface ConcurrencyConfig {
  readonly name: string
  readonly per: readonly Per[]
  readonly match?: MatchConfig | undefined
  /** Most calls at work at once. */
  readonly max: number
  readonly queue: {
    /** Most that wait. Default 100. */
    readonly max: number
    /** Longest wait. Default 10 s. */
    readonly maxWaitMs: number
  }
}

/** How urgent a call is: the classes are served 16, 4 and 1 times while all of them wait. */
export type CallClass = 'interactive' | 'normal' | 'batch'

export interface PriorityConfig {
  readonly match?: MatchConfig | undefined
  readonly class: CallClass
}

/** What may be answered again. Nothing is, without a rule. */
export interface CacheConfig {
  /** Most results kept. Default 10,000. */
  readonly maxEntries: number
  /** Most bytes of them. Default 64 MiB. */
  readonly maxBytes: number
  readonly rules: readonly CacheRuleConfig[]
}

/** Results of calls of tools, reads of resources and prompts. The first rule that fits counts. */
export interface CacheRuleConfig {
  readonly match?: MatchConfig | undefined
  /** How long a result holds. Of what was read its server may say less. Default: what the server says of what was read. */
  readonly ttlMs?: number | undefined
  /** Largest result that is kept. Default 1 MiB. */
  readonly maxBytes: number
  /** Tools too whose server does not say that they change nothing. Default false. */
  readonly unsafe: boolean
}

/** Servers that are left alone for a while when they fail too often. */
export interface BreakerConfig {
  readonly servers: readonly string[]
  /** So many in `windowMs`, and at least half of the calls. Default 5. */
  readonly failures: number
  /** Default 30 s. */
  readonly windowMs: number
  /** How long no call passes, before one finds out whether the server is well again. Default 15 s. */
  readonly openMs: number
}

/** Calls that are sent again when they fail on the way, if they may reach a server twice. */
export interface RetryConfig {
  readonly match?: MatchConfig | undefined
  /** Times a call is sent in all. Default 2. */
  readonly attempts: number
  /** First wait, with jitter; doubled up to `maxDelayMs`. Default 200 ms. */
  readonly minDelayMs: number
  /** Default 2 s. */
  readonly maxDelayMs: number
}

import type { Clock, Timer } from '@crosspoint/mcp'
import type { Charge, Taken } from '../../traffic/counters.ts'
import { StoreError } from '../contract/store-error.ts'
import { toKept } from '../sql/texts.ts'
import type { RedisConnection, RedisScript } from './connection.ts'

export interface RedisCountersOptions {
  readonly redis: RedisConnection
  readonly clock: Clock
  /** Of this process, and no other. */
  readonly owner: string
  /** Longest wait for Redis. Default 250 ms. */
  readonly timeoutMs?: number
  /** Milliseconds since 1970. Default: by the clock of Redis, so that replicas agree. */
  readonly now?: () => number
}

/**
 * Counts that any number of gateways share: one script takes all charges or none. Windows are those of `MemoryCounters`, in
 * sixteenths. A key goes when it counts nothing any more.
 */
export class RedisCounters {
  readonly #redis: RedisConnection
  readonly #clock: Clock
  readonly #owner: string
  readonly #timeoutMs: number
  readonly #now: (() => number) | undefined
  readonly #take: RedisScript
  readonly #beat: RedisScript
  #timer: Timer | undefined
  #replicas = 1
  #isClosed = false

  constructor({ redis, clock, owner, timeoutMs = 250, now }: RedisCountersOptions) {
    this.#redis = redis
    this.#clock = clock
    this.#owner = owner
    this.#timeoutMs = timeoutMs
    this.#now = now
    this.#take = redis.defineScript(TAKE)
    this.#beat = redis.defineScript(BEAT)
    this.#tellAlive()
  }

  /** How many gateways count here, as far as was heard last. */
  get replicas(): number {
    return this.#replicas
  }

  /** @throws {StoreError} where Redis does not answer in time; then it may have been counted */
  async take(charges: readonly Charge[]): Promise<Taken> {
    const keys: string[] = []
    const args: (string | number)[] = [this.#now?.() ?? '']
    for (const { key, amount, max, windowMs, leftMs = -1 } of charges) {
      keys.push(this.#redis.key(`count:${toKept(key)}`))
      args.push(amount, max, windowMs, leftMs < 0 ? -1 : Math.ceil(leftMs))
    }
    const answer = await this.#take(keys, args, { timeoutMs: this.#timeoutMs })
    const [at, retryAfterMs] = Array.isArray(answer) ? answer : []
    if (typeof at !== 'number' || typeof retryAfterMs !== 'number') {
      throw new StoreError('damaged', 'Cannot use Redis: its answer is not understood')
    }
    return at < 0 ? { isTaken: true } : { isTaken: false, at, retryAfterMs }
  }

  async close(): Promise<void> {
    if (this.#isClosed) return
    this.#isClosed = true
    this.#timer?.cancel()
    await this.#redis.call('ZREM', [this.#redis.key(REPLICAS), this.#owner]).catch(() => {}) // it goes by itself, too
  }

  #tellAlive(): void {
    if (this.#isClosed) return
    this.#beat([this.#redis.key(REPLICAS)], [this.#owner, BEAT_MS * 3]).then(
      (count) => {
        if (typeof count === 'number') this.#replicas = Math.max(1, count)
      },
      () => {}, // as many as there were
    )
    this.#timer = this.#clock.setTimer(BEAT_MS, () => this.#tellAlive())
  }
}

const REPLICAS = 'counting'
const BEAT_MS = 5_000

const BEAT = `
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', now)
redis.call('ZADD', KEYS[1], now + ARGV[2], ARGV[1])
redis.call('PEXPIRE', KEYS[1], ARGV[2])
return redis.call('ZCARD', KEYS[1])
`

/**
 * A window is a hash from the number of a part to what was counted in it; a stretch of the calendar is a number. Answers
 * { -1, 0 } where all was counted, else the place of the charge that was too much, and how long to wait.
 */
const TAKE = `
local PARTS = 16
local SLACK_MS = 60000 -- a replica whose clock is behind looks for a stretch of the calendar longer
local now = tonumber(ARGV[1])
if now == nil then
  local time = redis.call('TIME')
  now = time[1] * 1000 + math.floor(time[2] / 1000)
end

local function waitFor(key, amount, max, windowMs)
  local partMs = windowMs / PARTS
  local newest = math.floor(now / partMs)
  local held = redis.call('HGETALL', key)
  local parts, total, over = {}, 0, {}
  for i = 1, #held, 2 do
    local part = tonumber(held[i])
    if part < newest - PARTS then
      over[#over + 1] = held[i]
    else
      parts[#parts + 1] = { part, tonumber(held[i + 1]) }
      total = total + parts[#parts][2]
    end
  end
  if #over > 0 then redis.call('HDEL', key, unpack(over)) end
  local excess = total + amount - max
  if excess <= 0 then return 0 end
  if amount > max then return windowMs end
  table.sort(parts, function(a, b) return a[1] < b[1] end)
  local freed = 0
  for _, part in ipairs(parts) do
    freed = freed + part[2]
    if freed >= excess then return math.max(1, math.ceil((part[1] + PARTS + 1) * partMs - now)) end
  end
  return windowMs
end

local function add(key, amount, windowMs)
  local partMs = windowMs / PARTS
  local newest = math.floor(now / partMs)
  redis.call('HINCRBY', key, string.format('%.0f', newest), amount)
  redis.call('PEXPIRE', key, string.format('%.0f', math.ceil((newest + PARTS + 1) * partMs - now) + 1))
end

for i, key in ipairs(KEYS) do
  local at = 2 + (i - 1) * 4
  local amount, max, windowMs, leftMs = tonumber(ARGV[at]), tonumber(ARGV[at + 1]), tonumber(ARGV[at + 2]), tonumber(ARGV[at + 3])
  local wait = 0
  if leftMs < 0 then
    wait = waitFor(key, amount, max, windowMs)
  elseif tonumber(redis.call('GET', key) or '0') + amount > max then
    wait = math.max(1, leftMs)
  end
  if wait > 0 then return { i - 1, wait } end
end
for i, key in ipairs(KEYS) do
  local at = 2 + (i - 1) * 4
  local amount, windowMs, leftMs = ARGV[at], tonumber(ARGV[at + 2]), tonumber(ARGV[at + 3])
  if leftMs < 0 then
    add(key, amount, windowMs)
  else
    redis.call('INCRBY', key, amount)
    redis.call('PEXPIRE', key, string.format('%.0f', leftMs + SLACK_MS))
  end
end
return { -1, 0 }
`

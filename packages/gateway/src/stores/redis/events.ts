import { McpError } from '@crosspoint/mcp'
import type { EventStore, StoredEvent } from '@crosspoint/mcp/transports'
import type { RedisConnection } from './connection.ts'

/** Bounds of what is kept. Whatever is beyond one is forgotten, that which was written to longest ago first. */
export interface RedisEventsOptions {
  /** Most events of one stream. Default 1,000. */
  readonly maxEvents?: number
  /** Most streams of one session. Default 256. */
  readonly maxStreams?: number
  /** Most bytes of one session, as they are counted: those of the text and 128 for each event. Default 8 MiB. */
  readonly maxSessionBytes?: number
  /** Most bytes of all sessions of one principal. Default a quarter of `maxBytes`. */
  readonly maxBytesPerPrincipal?: number
  /** Most bytes of all sessions together. Default 256 MiB. */
  readonly maxBytes?: number
  /** What was not written to for so long is forgotten. Default 10 minutes. */
  readonly ttlMs?: number
  /** What an event is turned into before it leaves, and back. Default: nothing. */
  readonly seal?: { readonly close: (text: string) => string; readonly open: (kept: string) => string | undefined }
}

/**
 * An `EventStore` that several gateways share: what one of them said on a stream another can say again. A session is forgotten
 * as a whole where there is no room for it.
 */
export function createRedisEvents(redis: RedisConnection, options: RedisEventsOptions = {}): EventStore {
  const { maxEvents = 1_000, maxSessionBytes = 8 * MIB, maxBytes = 256 * MIB, ttlMs = 600_000 } = options
  const { maxBytesPerPrincipal = maxBytes / 4, maxStreams = 256, seal = PLAIN } = options
  const bounds = [maxEvents, maxSessionBytes, maxBytesPerPrincipal, maxBytes, ttlMs, maxStreams]
  const [append, read, drop] = [APPEND, READ, DROP].map((lua) => redis.defineScript(lua))
  if (!append || !read || !drop) throw new TypeError('Cannot define the scripts')
  const base = redis.key('events:')
  return {
    async append(session, stream, { seq, text, topic }, owner) {
      // What is said meanwhile is said all the same, and missing afterwards; that Redis is away is told once.
      if (!redis.isReady) return
      await append([base], [session, stream, seq, seal.close(text), topic ?? '', owner ?? '', ...bounds])
    },
    async read(session, stream, after, limit) {
      const asked = read([base], [session, stream, after, limit]).catch((cause: unknown) => {
        throw new McpError('policy.busy', 'Cannot look for what was said; try again', { cause })
      })
      const found = (await asked) as (readonly [string, string, string])[] | null
      if (found === null) return undefined
      const events: StoredEvent[] = []
      for (const [seq, kept, topic] of found) {
        const text = seal.open(kept)
        // What was sealed by a key that is known no longer is as good as forgotten.
        if (text === undefined) return undefined
        events.push({ seq: Number(seq), text, ...(topic === '' ? {} : { topic }) })
      }
      return events
    },
    async drop(session, stream) {
      if (redis.isReady) await drop([base], [session, stream ?? ''])
    },
  }
}

const MIB = 1024 * 1024
const PLAIN = { close: (text: string) => text, open: (kept: string) => kept }

/**
 * A stream is a Redis stream (`e:`), an event's place being its id. Beside it a hash (`x:`) says which came last, what was
 * forgotten of it, and where the latest of each topic is. Sets order the streams of a session by when they were written
 * to last (`s:`), and sessions likewise, all of them and those of each owner; what each weighs is summed up beside them.
 */
const COMMON = `
local base = KEYS[1]
local function names(session, stream)
  local name = session .. ':' .. stream
  return base .. 'e:' .. name, base .. 'x:' .. name
end
local function weigh(session, owner, bytes)
  redis.call('hincrby', base .. 'sums', 'all', bytes)
  redis.call('hincrby', base .. 'weights', session, bytes)
  if owner ~= '' and redis.call('hincrby', base .. 'sums', 'o:' .. owner, bytes) <= 0 then
    redis.call('hdel', base .. 'sums', 'o:' .. owner)
  end
end
local function forget(session)
  local streams = base .. 's:' .. session
  for _, stream in ipairs(redis.call('zrange', streams, 0, -1)) do redis.call('del', names(session, stream)) end
  local weight = tonumber(redis.call('hget', base .. 'weights', session) or '0')
  local owner = redis.call('hget', base .. 'owners', session) or ''
  redis.call('hdel', base .. 'weights', session)
  redis.call('hdel', base .. 'owners', session)
  redis.call('hincrby', base .. 'sums', 'all', 0 - weight)
  redis.call('zrem', base .. 'all', session)
  if owner ~= '' then
    redis.call('zrem', base .. 'o:' .. owner, session)
    if redis.call('hincrby', base .. 'sums', 'o:' .. owner, 0 - weight) <= 0 then redis.call('hdel', base .. 'sums', 'o:' .. owner) end
  end
  redis.call('del', streams)
end
local function size(fields) return #fields[2] + 128 end
`

const APPEND = `${COMMON}
local session, stream, seq, text, topic, owner = ARGV[1], ARGV[2], tonumber(ARGV[3]), ARGV[4], ARGV[5], ARGV[6]
local maxEvents, maxSession, maxOwner = tonumber(ARGV[7]), tonumber(ARGV[8]), tonumber(ARGV[9])
local maxAll, ttl, maxStreams = tonumber(ARGV[10]), tonumber(ARGV[11]), tonumber(ARGV[12])
local streams = base .. 's:' .. session
local events, about = names(session, stream)
local time = redis.call('time')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
-- What ended by itself still counts until somebody looks.
for _, old in ipairs(redis.call('zrangebyscore', base .. 'all', '-inf', now - ttl, 'limit', 0, 16)) do forget(old) end
local last = tonumber(redis.call('hget', about, 'last') or '0')
if seq <= last then return 0 end
local function forgetStream(of)
  local its, facts = names(session, of)
  for _, entry in ipairs(redis.call('xrange', its, '-', '+')) do weigh(session, owner, 0 - size(entry[2])) end
  redis.call('del', its, facts)
  redis.call('zrem', streams, of)
end
if last ~= seq - 1 then
  -- Something between was never kept.
  forgetStream(stream)
  redis.call('hset', about, 'gone', seq - 1)
end
redis.call('hset', about, 'last', seq)
redis.call('hset', base .. 'owners', session, owner)
if topic ~= '' then
  local at = redis.call('hget', about, 't:' .. topic)
  if at then
    local earlier = redis.call('xrange', events, at .. '-1', at .. '-1')
    if earlier[1] then
      weigh(session, owner, 0 - size(earlier[1][2]))
      redis.call('xdel', events, at .. '-1')
    end
  end
  redis.call('hset', about, 't:' .. topic, seq)
end
redis.call('xadd', events, seq .. '-1', 'd', text, 't', topic)
weigh(session, owner, #text + 128)
redis.call('zadd', streams, now, stream)
redis.call('zadd', base .. 'all', now, session)
if owner ~= '' then redis.call('zadd', base .. 'o:' .. owner, now, session) end
local function forgetFirst(of)
  local its, facts = names(session, of)
  local first = redis.call('xrange', its, '-', '+', 'count', 1)[1]
  if first then
    weigh(session, owner, 0 - size(first[2]))
    redis.call('xdel', its, first[1])
    redis.call('hset', facts, 'gone', string.match(first[1], '^%d+'))
  end
  if redis.call('xlen', its) == 0 then redis.call('zrem', streams, of) end
end
while redis.call('xlen', events) > maxEvents do forgetFirst(stream) end
while redis.call('zcard', streams) > maxStreams do forgetStream(redis.call('zrange', streams, 0, 0)[1]) end
while tonumber(redis.call('hget', base .. 'weights', session) or '0') > maxSession do
  local oldest = redis.call('zrange', streams, 0, 0)[1]
  if not oldest then break end
  forgetFirst(oldest)
end
if owner ~= '' then
  while tonumber(redis.call('hget', base .. 'sums', 'o:' .. owner) or '0') > maxOwner do
    local oldest = redis.call('zrange', base .. 'o:' .. owner, 0, 0)[1]
    if not oldest then break end
    forget(oldest)
  end
end
while tonumber(redis.call('hget', base .. 'sums', 'all') or '0') > maxAll do
  local oldest = redis.call('zrange', base .. 'all', 0, 0)[1]
  if not oldest then break end
  forget(oldest)
end
for _, name in ipairs({events, about, streams}) do redis.call('pexpire', name, ttl) end
for _, name in ipairs({'all', 'sums', 'weights', 'owners'}) do redis.call('pexpire', base .. name, ttl * 2) end
if owner ~= '' then redis.call('pexpire', base .. 'o:' .. owner, ttl * 2) end
return 1`

const READ = `${COMMON}
local events, about = names(ARGV[1], ARGV[2])
local marks = redis.call('hmget', about, 'last', 'gone')
local after = tonumber(ARGV[3])
if not marks[1] or after > tonumber(marks[1]) or after < tonumber(marks[2] or '0') then return false end
if redis.call('exists', events) == 0 then return false end
local found = {}
for _, entry in ipairs(redis.call('xrange', events, (after + 1) .. '-0', '+', 'count', ARGV[4])) do
  found[#found + 1] = {string.match(entry[1], '^%d+'), entry[2][2], entry[2][4]}
end
return found`

const DROP = `${COMMON}
local session, stream = ARGV[1], ARGV[2]
if stream == '' then
  forget(session)
  return 1
end
local streams = base .. 's:' .. session
local events, about = names(session, stream)
local owner = redis.call('hget', base .. 'owners', session) or ''
for _, entry in ipairs(redis.call('xrange', events, '-', '+')) do weigh(session, owner, 0 - size(entry[2])) end
redis.call('del', events, about)
redis.call('zrem', streams, stream)
if redis.call('zcard', streams) == 0 then forget(session) end
return 1`

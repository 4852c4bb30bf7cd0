import type { KeptSession, SessionStore } from '../contract/session-store.ts'
import type { RedisConnection } from './connection.ts'

/** Sessions of a cluster in Redis: a hash for each, and a key with an end for each gateway. */
export function createRedisSessions(redis: RedisConnection): SessionStore {
  const [beat, keep, find, adopt, forget] = [BEAT, KEEP, FIND, ADOPT, FORGET].map((lua) => redis.defineScript(lua))
  if (!beat || !keep || !find || !adopt || !forget) throw new TypeError('Cannot define the scripts')
  const session = (key: string) => redis.key(`session:${key}`)
  const lease = (node: string) => redis.key(`node:${node}`)
  const lost = (node: string) => redis.key(`lost:${node}`)
  const begun = redis.key('begun')
  return {
    get isReady() {
      return redis.isReady
    },
    onReady: (tell) => redis.onReady(tell),
    async beat(node, address, leaseMs) {
      const [was, ...taken] = (await beat([lease(node), lost(node), begun], [address, leaseMs])) as [
        number,
        ...string[],
      ]
      return { wasThere: was === 1, lost: taken }
    },
    async leave(node, ms) {
      await redis.call('SET', [lease(node), '', 'PX', Math.max(1, ms)])
    },
    async addressOf(node) {
      return ((await redis.call('GET', [lease(node)])) as string | null) ?? undefined
    },
    async keep(key, node, record, ttlMs) {
      return (await keep([session(key)], [node, record, ttlMs])) === 1
    },
    async touch(key, ttlMs) {
      await redis.call('PEXPIRE', [session(key), ttlMs])
    },
    async find(key, graceMs) {
      const found = (await find([session(key), begun], [redis.key('node:'), graceMs])) as readonly unknown[]
      if (found.length === 1) return found[0] === 1 ? 'unsure' : 'unknown'
      const [node, era, record, isAlive] = found as [string, string | null, string, number]
      return { node, era: Number(era ?? 0), record, isAlive: isAlive > 0 } satisfies KeptSession
    },
    async adopt(key, from, to, ttlMs) {
      return (await adopt([session(key), lost(from)], [from, to, ttlMs, key, LOST_MS])) === 1
    },
    async forget(key, node) {
      await forget([session(key)], [node])
    },
  }
}

/** How long a gateway that was taken for dead may hear what was taken from it. */
const LOST_MS = 600_000

const BEAT = `
local was = redis.call('exists', KEYS[1])
redis.call('set', KEYS[1], ARGV[1], 'px', ARGV[2])
local now = redis.call('time')
redis.call('set', KEYS[3], now[1] * 1000 + math.floor(now[2] / 1000), 'nx')
local lost = redis.call('lrange', KEYS[2], 0, 999)
if #lost > 0 then redis.call('ltrim', KEYS[2], #lost, -1) end
return {was, unpack(lost)}`

const KEEP = `
local node = redis.call('hget', KEYS[1], 'node')
if node and node ~= ARGV[1] then return 0 end
redis.call('hset', KEYS[1], 'node', ARGV[1], 'record', ARGV[2])
redis.call('pexpire', KEYS[1], ARGV[3])
return 1`

const FIND = `
local found = redis.call('hmget', KEYS[1], 'node', 'era', 'record')
if found[1] then return {found[1], found[2], found[3], redis.call('strlen', ARGV[1] .. found[1])} end
local time = redis.call('time')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
redis.call('set', KEYS[2], now, 'nx')
if now - redis.call('get', KEYS[2]) < tonumber(ARGV[2]) then return {1} end
return {0}`

const ADOPT = `
if redis.call('hget', KEYS[1], 'node') ~= ARGV[1] then return 0 end
redis.call('hset', KEYS[1], 'node', ARGV[2])
redis.call('hincrby', KEYS[1], 'era', 1)
redis.call('pexpire', KEYS[1], ARGV[3])
redis.call('rpush', KEYS[2], ARGV[4])
redis.call('pexpire', KEYS[2], ARGV[5])
return 1`

const FORGET = `
if redis.call('hget', KEYS[1], 'node') == ARGV[1] then redis.call('del', KEYS[1]) end
return 1`

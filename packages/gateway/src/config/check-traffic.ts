import { nearest } from '@crosspoint/mcp'
import { quoted } from './quoted.ts'
import type { WrittenConfig } from './schema.ts'

type Complain = (path: readonly PropertyKey[], message: string, hint?: string) => void

/**
 * Counts are kept by name, so that no two may have the same; and a rule about what is not there bounds nothing.
 * @param servers names of all servers
 */
export function checkTraffic(
  { traffic, views, cluster }: WrittenConfig,
  servers: readonly string[],
  complain: Complain,
): void {
  checkCache(traffic.cache, complain)
  for (const key of ['limits', 'budgets'] as const) {
    for (const [at, bound] of traffic[key].entries()) checkWindow(['traffic', key, at], bound, complain)
  }
  if (traffic.counters === 'redis' && cluster.redis === undefined) {
    complain(['traffic', 'counters'], 'No Redis is configured', 'write its URL as "cluster.redis"')
  }
  for (const [at, breaker] of traffic.breakers.entries()) {
    checkNames(['traffic', 'breakers', at, 'servers'], 'server', breaker.servers, servers, complain)
  }
  const taken = new Set<string>()
  for (const key of ['limits', 'budgets', 'concurrency'] as const) {
    for (const [at, { name, match }] of traffic[key].entries()) {
      const path = ['traffic', key, at]
      if (taken.has(name)) {
        complain([...path, 'name'], `The name ${quoted(name)} is already taken`, 'choose another one')
      }
      taken.add(name)
      checkNames([...path, 'match', 'servers'], 'server', match?.servers, servers, complain)
      checkNames([...path, 'match', 'views'], 'view', match?.views, Object.keys(views), complain)
    }
  }
}

function checkWindow(
  path: readonly PropertyKey[],
  {
    windowMs,
    every,
    timezone,
  }: WrittenConfig['traffic']['limits'][number] | WrittenConfig['traffic']['budgets'][number],
  complain: Complain,
): void {
  if ((windowMs === undefined) === (every === undefined)) {
    complain(path, 'Must have either "windowMs" or "every"', 'a window that slides, or one of the calendar')
  }
  if (timezone === undefined) return
  if (every === undefined) complain([...path, 'timezone'], 'Only what has "every" has this')
  else if (!isTimezone(timezone)) {
    complain([...path, 'timezone'], 'No time zone has this name', 'write one such as Europe/Berlin')
  }
}

function isTimezone(name: string): boolean {
  try {
    new Intl.DateTimeFormat('en', { timeZone: name })
    return true
  } catch {
    return false
  }
}

function checkCache({ rules }: WrittenConfig['traffic']['cache'], complain: Complain): void {
  for (const [at, { match, unsafe }] of rules.entries()) {
    if (!unsafe || (match?.tools ?? []).length > 0) continue
    complain(
      ['traffic', 'cache', 'rules', at, 'unsafe'],
      'Only tools that are named may be kept so',
      'name them in "match.tools"',
    )
  }
}

function checkNames(
  path: readonly PropertyKey[],
  what: string,
  patterns: readonly string[] = [],
  known: readonly string[],
  complain: Complain,
): void {
  for (const [at, pattern] of patterns.entries()) {
    if (pattern.includes('*') || known.includes(pattern)) continue
    const found = nearest(pattern, known)
    const hint = found === undefined ? undefined : `did you mean ${quoted(found)}?`
    complain([...path, at], `No ${what} is named ${quoted(pattern)}`, hint)
  }
}

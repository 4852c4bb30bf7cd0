import type { ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { readdirSync, readFileSync } from 'node:fs'
import { setTimeout as pause } from 'node:timers/promises'
import { childrenOf } from './footprint.ts'

/** What another process of ours holds; it was started with `collect.mjs`. */
export interface Held {
  readonly rss: number
  readonly heap: number
  readonly descriptors: number
  readonly children: number
}

async function look(child: ChildProcess): Promise<Held> {
  child.send('collect')
  const [{ rss, heap }] = (await once(child, 'message')) as [{ readonly rss: number; readonly heap: number }]
  const descriptors = readdirSync(`/proc/${child.pid}/fd`).length
  return { rss, heap, descriptors, children: childrenOf(child.pid ?? 0).length }
}

/** What it holds once nothing comes or goes any more: sockets to servers are kept for some seconds after a load. */
export async function rest(child: ChildProcess): Promise<Held> {
  const end = performance.now() + PATIENCE_MS
  let seen = await look(child)
  for (let still = 0; still < 14 && performance.now() < end; ) {
    await pause(500)
    const now = await look(child)
    still = now.descriptors === seen.descriptors && now.children === seen.children ? still + 1 : 0
    seen = now
  }
  return seen
}

/** Waits for what ends by itself, then says what is left. */
export async function settle(child: ChildProcess, goal: Held): Promise<Held> {
  const end = performance.now() + PATIENCE_MS
  let seen = await look(child)
  while (performance.now() < end && !isFlat(seen, goal)) {
    await pause(500)
    seen = await look(child)
  }
  return seen
}

function isFlat(seen: Held, goal: Held): boolean {
  return (
    seen.rss - goal.rss <= MAX_GROWTH_BYTES && seen.descriptors <= goal.descriptors && seen.children <= goal.children
  )
}

/** Processes that nobody ended: each has one of the words in its command line. */
export function leftBehind(words: readonly string[]): readonly string[] {
  return readdirSync('/proc').flatMap((pid) => {
    if (!/^\d+$/.test(pid)) return []
    const line = argumentsOf(pid).join(' ')
    return words.some((word) => line.includes(word)) ? [`${pid}: ${line}`] : []
  })
}

export function argumentsOf(pid: number | string): readonly string[] {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0')
  } catch {
    return [] // it ended while we were looking
  }
}

/** How much more may be held at rest after a load than before: V8 keeps room for the next. */
export const MAX_GROWTH_BYTES = 64 * 1024 * 1024
const PATIENCE_MS = 30_000

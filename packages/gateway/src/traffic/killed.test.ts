import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { systemClock } from '@crosspoint/mcp'
import { expect, onTestFinished, test } from 'vitest'
import { SILENT } from '../log.ts'
import { openEmbedded } from '../stores/embedded/store.ts'
import { MemoryCounters } from './counters.ts'
import { LastingCounters } from './lasting-counters.ts'

const PROGRAM = fileURLToPath(new URL('fixtures/counts-until-killed.mjs', import.meta.url))

test('a process that is killed loses nothing of a budget but what it counted since it wrote last', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'crosspoint-counts-'))
  onTestFinished(() => rm(folder, { recursive: true }))
  const path = join(folder, 'store.db')
  const kept = await countUntilKilled(path, 5)
  expect(kept).toBeGreaterThan(0)

  const store = await openEmbedded({ path })
  onTestFinished(() => store.close())
  const counters = new LastingCounters({
    memory: new MemoryCounters({ clock: systemClock }),
    store: store.counts,
    clock: systemClock,
    log: SILENT,
    owner: 'next',
    minWindowMs: 60_000,
    writeDelayMs: 1_000,
  })
  onTestFinished(() => counters.close())
  const spend = (max: number) => counters.take([{ key: 'yearly', amount: 1, max, windowMs: 31_536_000_000 }])
  expect(await spend(kept)).toMatchObject({ isTaken: false })
  expect(await spend(1_000_000_000)).toEqual({ isTaken: true })
}, 30_000)

/** Kills it once it has written so often. @returns how much it said was kept */
async function countUntilKilled(path: string, times: number): Promise<number> {
  const child = spawn(process.execPath, [PROGRAM, path], { stdio: ['ignore', 'pipe', 'inherit'] })
  const exited = once(child, 'exit')
  let said = ''
  let isKilled = false
  for await (const chunk of child.stdout) {
    said += String(chunk)
    if (!isKilled && said.split('\n').length > times) isKilled = child.kill('SIGKILL')
  }
  await exited
  // The last line may be cut.
  return Number(said.split('\n').at(-2))
}

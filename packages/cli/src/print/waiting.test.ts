import { createDeferred, createFakeClock } from '@crosspoint/testkit'
import { expect, it } from 'vitest'
import { createStyle } from './style.ts'
import { waiting } from './waiting.ts'

function watched(isWatched = true) {
  const lines: string[] = []
  const clock = createFakeClock()
  return {
    lines,
    clock,
    terminal: { isWatched, err: createStyle(false), say: (line: string) => void lines.push(line) },
  }
}

it('says after a second what is waited for, once', async () => {
  const { lines, clock, terminal } = watched()
  const work = createDeferred<string>()
  const waited = waiting(terminal, () => 'Waiting for files', work.promise, clock)
  clock.advance(999)
  expect(lines).toEqual([])
  clock.advance(60_000)
  expect(lines).toEqual(['Waiting for files'])
  work.resolve('done')
  expect(await waited).toBe('done')
})

it('is silent about what is quick, and about what fails', async () => {
  const { lines, clock, terminal } = watched()
  await expect(waiting(terminal, () => 'x', Promise.reject(new Error('no')), clock)).rejects.toThrow('no')
  expect([clock.pending, lines]).toEqual([0, []])
})

it('says nothing to a program', async () => {
  const { lines, clock, terminal } = watched(false)
  const work = createDeferred<void>()
  const waited = waiting(terminal, () => 'x', work.promise, clock)
  clock.advance(5_000)
  work.resolve()
  await waited
  expect(lines).toEqual([])
})

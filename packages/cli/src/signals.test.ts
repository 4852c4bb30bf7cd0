import { EventEmitter } from 'node:events'
import { expect, it } from 'vitest'
import { watchSignals } from './signals.ts'

function watched(gone = false) {
  const source = new EventEmitter()
  const codes: number[] = []
  const clock = { now: 0 }
  const stopping = watchSignals(source, {
    forceExit: (code) => void codes.push(code),
    hasTerminalGone: () => gone,
    now: () => clock.now,
  })
  return { source, codes, clock, stopping }
}

it('asks to end with the first signal and forces it with the next', () => {
  const { source, codes, clock, stopping } = watched()
  expect(stopping.by).toBeUndefined()
  source.emit('SIGINT')
  expect(stopping.signal.aborted).toBe(true)
  expect(stopping.by).toBe('SIGINT')
  clock.now = 1
  source.emit('SIGTERM')
  expect(codes).toEqual([143])
  expect(stopping.by).toBe('SIGINT')
})

it('takes the copy of a keystroke that npm passes on for the same keystroke', () => {
  const { source, codes, clock } = watched()
  source.emit('SIGINT')
  clock.now = 30
  source.emit('SIGINT')
  expect(codes).toEqual([])
  clock.now = 5_000
  source.emit('SIGINT')
  expect(codes).toEqual([130])
})

it('ends with SIGHUP unless somebody wants it', () => {
  const plain = watched()
  plain.source.emit('SIGHUP')
  expect(plain.stopping.by).toBe('SIGHUP')
  const wanted = watched()
  let reloads = 0
  wanted.stopping.onHangup(() => void reloads++)
  wanted.source.emit('SIGHUP')
  expect([reloads, wanted.stopping.by]).toEqual([1, undefined])
})

it('ends with SIGHUP when the terminal is gone, wanted or not', () => {
  const { source, stopping } = watched(true)
  stopping.onHangup(() => expect.unreachable())
  source.emit('SIGHUP')
  expect(stopping.by).toBe('SIGHUP')
})

it('leaves no listener behind', () => {
  const { source, stopping } = watched()
  stopping.dispose()
  expect(source.eventNames()).toEqual([])
})

import { expect, test, vi } from 'vitest'
import { CancellationSource, cancellationOf } from './cancellation.ts'

test('tells those who watch, once, and not those who stopped watching', () => {
  const cancellation = new CancellationSource()
  const watching = { cancelled: vi.fn() }
  const gone = { cancelled: vi.fn() }
  cancellation.watch(watching)
  cancellation.watch(gone)
  cancellation.unwatch(gone)
  cancellation.cancel('first')
  cancellation.cancel('second')
  expect(watching.cancelled).toHaveBeenCalledTimes(1)
  expect(gone.cancelled).not.toHaveBeenCalled()
  expect(cancellation).toMatchObject({ isCancelled: true, reason: 'first' })
})

test('aborts a signal made before and one made after', () => {
  const before = new CancellationSource()
  const { signal } = before
  expect(signal.aborted).toBe(false)
  before.cancel('why')
  expect([signal.aborted, signal.reason, before.signal]).toEqual([true, 'why', signal])

  const after = new CancellationSource()
  after.cancel('why')
  expect([after.signal.aborted, after.signal.reason]).toEqual([true, 'why'])
})

test('a watcher may watch something else while it is told', () => {
  const cancellation = new CancellationSource()
  const late = { cancelled: vi.fn() }
  cancellation.watch({ cancelled: () => cancellation.watch(late) })
  cancellation.cancel('why')
  expect(late.cancelled).not.toHaveBeenCalled()
})

test('many watch one signal by one listener', () => {
  const controller = new AbortController()
  const listening = vi.spyOn(controller.signal, 'addEventListener')
  const watchers = Array.from({ length: 50 }, () => ({ cancelled: vi.fn() }))
  for (const watcher of watchers) cancellationOf(controller.signal).watch(watcher)
  expect(listening).toHaveBeenCalledTimes(1)
  controller.abort('why')
  for (const watcher of watchers) expect(watcher.cancelled).toHaveBeenCalledTimes(1)
  expect(cancellationOf(controller.signal)).toMatchObject({ isCancelled: true, reason: 'why' })
})

test('a signal that has aborted gives a cancellation that has happened', () => {
  expect(cancellationOf(AbortSignal.abort('why'))).toMatchObject({ isCancelled: true, reason: 'why' })
})

import { expect, test } from 'vitest'
import { nearest } from './nearest.ts'

test.each([
  ['comand', 'command'],
  ['commnad', 'command'],
  ['Command', 'command'],
  ['request-timeout-ms', 'requestTimeoutMs'],
  ['servres', 'servers'],
  ['nothing_like_it', undefined],
  ['', undefined],
])('%j means %j', (word, meant) => {
  expect(nearest(word, ['command', 'servers', 'requestTimeoutMs', 'url'])).toBe(meant)
})

test('takes the nearest of several, the first of equals', () => {
  expect(nearest('toll', ['tool', 'tools', 'poll'])).toBe('tool')
})

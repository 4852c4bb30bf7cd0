import { expect, it } from 'vitest'
import { didYouMean, suggest } from './suggest.ts'

it('finds the name that was meant, nearest first', () => {
  expect(suggest('ehco', ['echo', 'get-sum', 'each'])[0]).toBe('echo')
  expect(suggest('get_sum', ['echo', 'get-sum'])).toEqual(['get-sum'])
})

it('finds a name by its part after the server', () => {
  expect(suggest('echo', ['everything__echo', 'memory__open_nodes'])).toEqual(['everything__echo'])
  expect(suggest('everything__echo', ['echo', 'get-sum'])).toEqual(['echo'])
})

it('is not misled by what all names have in common', () => {
  const names = ['everything__echo', 'everything__get-env', 'everything__get-sum']
  expect(suggest('everything__ehco', names)).toEqual(['everything__echo'])
})

it('suggests nothing rather than something far off', () => {
  expect(suggest('x', ['everything__echo', 'read_file'])).toEqual([])
  expect(didYouMean('zzz', ['echo'])).toBeUndefined()
})

it('asks in a sentence', () => {
  expect(didYouMean('ech', ['echo'])).toBe('Did you mean "echo"?')
  expect(didYouMean('reat', ['read', 'real', 'echo'])).toBe('Did you mean "read" or "real"?')
})

it('takes no long time over long names', () => {
  expect(suggest('a'.repeat(100_000), [`${'a'.repeat(100_000)}b`])).toHaveLength(0)
})

import { expect, test } from 'vitest'
import { Pins } from './pins.ts'

test('a pin holds as long as somebody comes for it, and the least used go first', () => {
  const pins = new Pins<string>(2)
  pins.set('anna', 'a', 0)
  pins.set('bert', 'b', 1)
  expect([pins.find('anna', 10, 10), pins.find('anna', 11, 10)]).toEqual(['a', undefined])
  pins.set('anna', 'a', 2)
  pins.set('carl', 'c', 3)
  expect([pins.size, pins.find('anna', 3, 10), pins.find('bert', 3, 10)]).toEqual([2, 'a', undefined])
})

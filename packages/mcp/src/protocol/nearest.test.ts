import { expect, test } from 'vitest'
import { closest, didYouMean, nearest } from './nearest.ts'

test.each([
  ['get_wether', ['get_time', 'get_weather'], 'get_weather'],
  ['GET_WEATHER', ['get_weather'], 'get_weather'],
  ['ehco', ['echo', 'exit'], 'echo'],
  ['search_issue', ['search_issues', 'search_users'], 'search_issues'],
  ['request-timeout-ms', ['requestTimeoutMs', 'url'], 'requestTimeoutMs'],
  ['ur', ['command', 'url'], 'url'],
  ['toll', ['tool', 'tools', 'poll'], 'tool'],
])('"%s" probably means one of %j: "%s"', (asked, names, meant) => {
  expect(nearest(asked, names)).toBe(meant)
})

test.each([
  ['x', ['y']],
  ['delete_everything', ['echo']],
  ['', ['echo']],
  ['a'.repeat(300), ['a'.repeat(299)]],
])('"%s" is near none of %j', (asked, names) => {
  expect(nearest(asked, names)).toBeUndefined()
})

test('names those that are about as near, nearest first', () => {
  expect(closest('reat', ['echo', 'realm', 'read', 'real'])).toEqual(['read', 'real'])
  expect(closest('reat', ['echo', 'realm', 'read', 'real'], 1)).toEqual(['read'])
  expect(closest('get_tools', ['get_took', 'get_tool', 'let_rolls'])).toEqual(['get_tool', 'get_took'])
})

test('looks at no more than a thousand names', () => {
  const names = [...Array.from({ length: 1000 }, (_, i) => `unrelated_${i}`), 'get_weather']
  expect(nearest('get_wether', names)).toBeUndefined()
})

test('the half sentence is empty when nothing is near', () => {
  expect(didYouMean('ehco', ['echo'])).toBe('; did you mean "echo"?')
  expect(didYouMean('zzz', ['echo'])).toBe('')
})

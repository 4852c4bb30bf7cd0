import fc from 'fast-check'
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

test('names the nearest by the whole table of slips, of whatever it looks at only a part', () => {
  const word = fc.string({ unit: fc.constantFrom('a', 'b', 'c'), minLength: 3, maxLength: 14 })
  fc.assert(
    fc.property(word, fc.array(word, { maxLength: 6 }), (asked, names) => {
      const allowed = Math.min(3, Math.max(1, Math.floor(asked.length / 3)))
      const fewest = Math.min(...names.map((name) => slips(asked, name)))
      const found = nearest(asked, names)
      if (fewest > allowed) expect(found).toBeUndefined()
      else expect(slips(asked, found ?? '')).toBe(fewest)
    }),
    { numRuns: 2_000 },
  )
})

test('abuse-14: a thousand long names that begin alike cost an unknown name little', () => {
  const asked = `b${'ab'.repeat(59)}zzzzz`
  const names = Array.from({ length: 1000 }, (_, i) => `${'ab'.repeat(60)}${1000 + i}`)
  let [mine, whole] = [0, 0]
  for (let i = 0; i < 2; i++) {
    mine += timeOf(() => expect(nearest(asked, names)).toBeUndefined())
    whole += timeOf(() => names.slice(0, 200).map((name) => slips(asked, name)))
  }
  expect(mine).toBeLessThan(whole)
})

function timeOf(work: () => unknown): number {
  const started = performance.now()
  work()
  return performance.now() - started
}

/** The same, all of it: optimal string alignment. */
function slips(a: string, b: string): number {
  const rows = [Array.from({ length: b.length + 1 }, (_, j) => j)]
  for (let i = 1; i <= a.length; i++) {
    const row = [i]
    for (let j = 1; j <= b.length; j++) {
      const [above = [], before = []] = [rows[i - 1], rows[i - 2]]
      const options = [
        (above[j] ?? 0) + 1,
        (row[j - 1] ?? 0) + 1,
        (above[j - 1] ?? 0) + (a[i - 1] === b[j - 1] ? 0 : 1),
      ]
      if (i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1]) options.push((before[j - 2] ?? 0) + 1)
      row.push(Math.min(...options))
    }
    rows.push(row)
  }
  return rows[a.length]?.[b.length] ?? 0
}

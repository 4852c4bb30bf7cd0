import { MAX_MERGED_NAME, type NativeName } from '@crosspoint/mcp'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { toMergedNames } from './names.ts'

const names = (...things: [server: string, native: string][]) =>
  toMergedNames(things.map(([server, native]) => ({ server, native })))

test('joins server and tool with two underscores', () => {
  expect(names(['github', 'create_issue'], ['files', 'read-file'])).toEqual([
    'github__create_issue',
    'files__read-file',
  ])
})

test('replaces what clients do not accept, and leaves it at that when nothing clashes', () => {
  expect(names(['a', 'repo/issues.list'], ['a', '日本'])).toEqual(['a__repo_issues_list', 'a__' + '__'])
})

test('where two would share a name, the exact one keeps it and the other gets a digest', () => {
  const [exact, changed] = names(['a', 'x_y'], ['a', 'x.y'])
  expect(exact).toBe('a__x_y')
  expect(changed).toMatch(/^a__x_y_[0-9a-f]{8}$/)
})

test('a boundary that could be read two ways gives both a digest', () => {
  const [one, other] = names(['a_', 'b'], ['a', '_b'])
  expect(one).toMatch(/^a___b_[0-9a-f]{8}$/)
  expect(other).toMatch(/^a___b_[0-9a-f]{8}$/)
  expect(one).not.toBe(other)
})

test('cuts what is too long to 64, digest included', () => {
  const [name] = names(['server', 'x'.repeat(100)])
  expect(name).toMatch(/^server__x{47}_[0-9a-f]{8}$/)
  expect(name).toHaveLength(64)
})

test('a tool that is named like the digest of another takes nothing from it', () => {
  const [, digestName] = names(['a', 'x_y'], ['a', 'x.y'])
  const squatter = (digestName ?? '').slice('a__'.length)
  const all = names(['a', 'x_y'], ['a', 'x.y'], ['a', squatter])
  expect(new Set(all).size).toBe(3)
  expect(all[2]).toBe(digestName)
})

test('a prefix stands in place of the server’s name, and several servers may have the same', () => {
  const things = [
    { server: 'a', native: 'x', prefix: 'p' },
    { server: 'b', native: 'y', prefix: 'p' },
    { server: 'b', native: 'x', prefix: 'p' },
  ]
  const [first, second, third] = toMergedNames(things)
  expect(second).toBe('p__y')
  expect(first).toMatch(/^p__x_[0-9a-f]{8}$/)
  expect(third).toMatch(/^p__x_[0-9a-f]{8}$/)
  expect(first).not.toBe(third)
})

test('without a prefix names that are allowed and unique stay exactly as the server says', () => {
  const bare = (server: string, native: string) => ({ server, native, prefix: '' })
  const things = [bare('a', 'x'), bare('b', 'y__z'), bare('a', 'no.dots'), bare('a', '_'), bare('a', 'x'.repeat(64))]
  expect(toMergedNames(things)).toEqual(['x', 'y__z', 'no_dots', '_', 'x'.repeat(64)])
})

test('without a prefix a name can neither be empty nor taken from whom it belongs to as it is', () => {
  const bare = (server: string, native: string) => ({ server, native, prefix: '' })
  const [empty] = toMergedNames([bare('a', '')])
  expect(empty).toMatch(/^_[0-9a-f]{8}$/)
  const both = toMergedNames([bare('a', 'b__x'), { server: 'b', native: 'x' }])
  for (const name of both) expect(name).toMatch(/^b__x_[0-9a-f]{8}$/)
  const [changed, exact] = toMergedNames([bare('a', 'b__x'), bare('a', 'b..x')].reverse())
  expect([exact, changed]).toEqual(['b__x', expect.stringMatching(/^b__x_[0-9a-f]{8}$/)])
})

const server = fc.stringMatching(/^[A-Za-z0-9_-]{1,32}$/).filter((name) => !name.includes('__'))
const native = fc.oneof(
  fc.string({ minLength: 1, maxLength: 90 }),
  fc.constantFrom('x.y', 'x_y', 'x y', '_b', 'b', 'x-y'),
)
const prefixes = fc.constantFrom(undefined, '', 'a', 'x')
const plain = fc.uniqueArray(fc.record({ server, native }), {
  selector: ({ server, native }) => JSON.stringify([server, native]),
  maxLength: 40,
})
/** Some with the prefix of their own name, some with another or none. */
const things = fc
  .tuple(plain, fc.array(prefixes, { minLength: 40, maxLength: 40 }))
  .map(([given, drawn]) =>
    given.map((thing, at) => (drawn[at] === undefined ? thing : { ...thing, prefix: drawn[at] })),
  )

test('names are unique, at most 64 of [A-Za-z0-9_-], and lead back to one thing each', () => {
  fc.assert(
    fc.property(things, (given) => {
      const merged = toMergedNames(given)
      expect(new Set(merged).size).toBe(given.length)
      for (const name of merged) expect(name).toMatch(/^[A-Za-z0-9_-]{1,64}$/)
      expect(Math.max(0, ...merged.map(({ length }) => length))).toBeLessThanOrEqual(MAX_MERGED_NAME)
    }),
  )
})

test('names do not depend on the order in which things are given', () => {
  fc.assert(
    fc.property(things, fc.nat(), (given, seed) => {
      const shuffled = [...given].sort((a, b) => mixed(a, seed) - mixed(b, seed))
      const before = new Map(given.map((thing, at) => [thing, toMergedNames(given)[at]]))
      const after = toMergedNames(shuffled)
      for (const [at, thing] of shuffled.entries()) expect(after[at]).toBe(before.get(thing))
    }),
  )
})

function mixed({ server, native }: NativeName, seed: number): number {
  let at = seed
  for (const letter of server + native) at = (Math.imul(at, 31) + letter.charCodeAt(0)) | 0
  return at
}

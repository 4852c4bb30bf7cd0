import type { Result } from '@crosspoint/mcp'
import { openHttpDoor } from '@crosspoint/mcp/transports'
import { sendEnveloped } from '@crosspoint/testkit'
import fc from 'fast-check'
import { expect, onTestFinished, test } from 'vitest'
import { type Pages, toPages } from './pages.ts'

const listOf = (keys: readonly string[], size: number) =>
  toPages(
    'tools',
    keys.map((name) => ({ name })),
    keys,
    size,
  )

function walk(pages: Pages): string[] {
  const seen: string[] = []
  let page = pages.page(undefined)
  seen.push(...namesOf(page))
  while (page.nextCursor !== undefined) {
    page = pages.page(page.nextCursor)
    seen.push(...namesOf(page))
  }
  return seen
}

const namesOf = (page: Result) => (page.tools as readonly { readonly name: string }[]).map(({ name }) => name)

test('every thing is on exactly one page, whatever the size', () => {
  const keys = fc.uniqueArray(fc.string({ minLength: 1 }), { maxLength: 50 })
  fc.assert(
    fc.property(keys, fc.integer({ min: 1, max: 60 }), (all, size) => {
      expect(walk(listOf(all, size))).toEqual(all)
    }),
  )
})

test('the same page is the same object until the list changes', () => {
  const pages = listOf(['a', 'b', 'c'], 2)
  const first = pages.page(undefined)
  expect(pages.page(undefined)).toBe(first)
  expect(pages.page(first.nextCursor)).toBe(pages.page(first.nextCursor))
  expect(Object.isFrozen(first)).toBe(true)
})

test('a page is written once for a revision, however many ask for it', async () => {
  let written = 0
  const toJSON = () => {
    written++
    return { name: 'a' }
  }
  const pages = toPages('tools', [{ toJSON }], ['a'], 10)
  const endpoint = { handle: async () => pages.page(undefined), serverInfo: { name: 's', version: '1' } }
  const door = await openHttpDoor({ endpoint: () => endpoint })
  onTestFinished(() => door.close({ drainMs: 0 }))
  for (let turn = 0; turn < 3; turn++) {
    expect((await sendEnveloped(`${door.url}/mcp`, 'tools/list')).text).toContain('"tools":[{"name":"a"}]')
  }
  expect(written).toBe(1)
})

test('a cursor goes on behind the same thing after others came and went', () => {
  const cursor = listOf(['a', 'b', 'c', 'd'], 2).page(undefined).nextCursor
  expect(namesOf(listOf(['0', 'a', 'b', 'c', 'd'], 2).page(cursor))).toEqual(['c', 'd'])
  expect(namesOf(listOf(['b', 'c', 'd'], 2).page(cursor))).toEqual(['c', 'd'])
})

test('a cursor whose thing is gone goes on at its place', () => {
  const cursor = listOf(['a', 'b', 'c', 'd'], 2).page(undefined).nextCursor
  expect(namesOf(listOf(['a', 'c', 'd'], 2).page(cursor))).toEqual(['c', 'd'])
  expect(namesOf(listOf(['a'], 2).page(cursor))).toEqual([])
})

test('the cursor survives names that are not ASCII', () => {
  expect(walk(listOf(['日本', '🦆', 'é'], 1))).toEqual(['日本', '🦆', 'é'])
})

test.each(['', 'nonsense', 'W10=', 42, null, {}, btoa('["prompts",0,"a"]'), btoa('["tools",-1,"a"]')])(
  'refuses %j, which is no cursor of ours, with -32602',
  (cursor) => {
    expect(() => listOf(['a', 'b'], 1).page(cursor)).toThrow(expect.objectContaining({ code: 'caller.invalid_params' }))
  },
)

test('an empty list is one empty page', () => {
  expect(listOf([], 10).page(undefined)).toEqual({ tools: [] })
})

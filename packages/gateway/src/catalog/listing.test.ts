import { type Handle, type JsonObject, McpError } from '@crosspoint/mcp'
import { expect, test } from 'vitest'
import { LIST_BOUNDS, listAll } from './listing.ts'

const signal = new AbortController().signal
const tool = (name: string, more: object = {}) => ({ name, inputSchema: { type: 'object' }, ...more })

/** Serves pages by cursor; the first by undefined. */
function pages(all: Readonly<Record<string, JsonObject>>): Handle {
  return async ({ params }) => {
    const page = all[String(params.cursor)]
    if (page === undefined) throw new McpError('upstream.error', 'No such page')
    return page
  }
}

test('reads all pages, an empty cursor included', async () => {
  const handle = pages({
    undefined: { tools: [tool('a')], nextCursor: '' },
    '': { tools: [tool('b')], nextCursor: 'z' },
    z: { tools: [tool('c')] },
  })
  const { items, problem } = await listAll(handle, 'tools', signal)
  expect(items.map(({ name }) => name)).toEqual(['a', 'b', 'c'])
  expect(problem).toBeUndefined()
})

test('pages that go round in a circle end, and say so', async () => {
  const handle = pages({
    undefined: { tools: [tool('a')], nextCursor: 'x' },
    x: { tools: [tool('b')], nextCursor: 'x' },
  })
  const { items, problem } = await listAll(handle, 'tools', signal)
  expect(items).toHaveLength(2)
  expect(problem).toBe('its pages go round in a circle')
})

test('a method the server lacks is an empty list', async () => {
  for (const error of [
    new McpError('upstream.error', 'x', { rpc: { code: -32601, message: 'x' } }),
    new McpError('caller.unknown_method', 'x'),
  ]) {
    expect(await listAll(() => Promise.reject(error), 'prompts', signal)).toEqual({ items: [], problem: undefined })
  }
})

test('a first page that fails is thrown, a later one ends the list with what there was', async () => {
  const gone = new McpError('upstream.closed', 'gone')
  await expect(listAll(() => Promise.reject(gone), 'tools', signal)).rejects.toBe(gone)
  const handle = pages({ undefined: { tools: [tool('a')], nextCursor: 'x' } })
  const { items, problem } = await listAll(handle, 'tools', signal)
  expect(items).toHaveLength(1)
  expect(problem).toBe('page 2 failed: No such page')
})

test('abuse-16: a list without end stops at its bounds', async () => {
  let n = 0
  const endless: Handle = async () => ({ tools: [tool(`t${n++}`)], nextCursor: String(n) })
  const byPages = await listAll(endless, 'tools', signal, [], { ...LIST_BOUNDS, maxPages: 10 })
  expect(byPages.items).toHaveLength(10)
  expect(byPages.problem).toMatch(/more than 10 pages/)
  const byItems = await listAll(endless, 'tools', signal, [], { ...LIST_BOUNDS, maxItems: 5 })
  expect(byItems).toMatchObject({ problem: 'the list is too long and was cut' })
  expect(byItems.items).toHaveLength(5)
  const byChars = await listAll(endless, 'tools', signal, [], { ...LIST_BOUNDS, maxChars: 200 })
  expect(byChars.problem).toBe('the list is too long and was cut')
})

test('things without a name, or with one used before, are left out and counted', async () => {
  const handle = pages({ undefined: { tools: [tool('a'), tool('a'), null, 7, { name: 3 }, { name: '' }, tool('b')] } })
  const { items, problem } = await listAll(handle, 'tools', signal)
  expect(items.map(({ name }) => name)).toEqual(['a', 'b'])
  expect(problem).toBe('5 of its tools were left out: no name, one used before, or a wrong shape')
})

test('what did not change is the very object known before', async () => {
  const known = [tool('a'), tool('b')]
  const handle = pages({ undefined: { tools: [tool('a'), tool('b', { title: 'B' })] } })
  const { items } = await listAll(handle, 'tools', signal, known)
  expect(items[0]).toBe(known[0])
  expect(items[1]).not.toBe(known[1])
})

test('an answer that is no list is an empty list with a problem', async () => {
  expect(await listAll(async () => ({ tools: 'many' }), 'tools', signal)).toEqual({
    items: [],
    problem: '"tools" is not a list',
  })
})

test('one careless tool neither spoils the list nor goes unmentioned', async () => {
  const handle = pages({
    undefined: { tools: [tool('a'), tool('b', { description: { text: 'x' } }), { name: 'c' }, null, tool('a')] },
  })
  const { items, problem } = await listAll(handle, 'tools', signal)
  expect(items).toEqual([tool('a'), tool('b')])
  expect(problem).toBe(
    '3 of its tools were left out: no name, one used before, or a wrong shape; 1 of its tools have members of a wrong shape, which are left out',
  )
})

test('abuse-20: a tool with a bad annotation stays, and is warned of', async () => {
  const inputSchema = { type: 'object', properties: { x: { type: 'string', 'x-mcp-header': '' } } }
  const handle = pages({ undefined: { tools: [tool('a', { inputSchema }), tool('b')] } })
  expect(await listAll(handle, 'tools', signal)).toEqual({
    items: [tool('a', { inputSchema: { type: 'object', properties: { x: { type: 'string' } } } }), tool('b')],
    problem: undefined,
    warnings: ['Left an annotation out of the tool "a": "x-mcp-header" is not a header name'],
  })
})

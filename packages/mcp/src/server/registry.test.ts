import { recordCall } from '@crosspoint/testkit'
import { expect, test } from 'vitest'
import { createServer, type Server } from './index.ts'

const who = { name: 'test', version: '1.0.0' }

async function page(server: Server, cursor?: unknown) {
  const params = cursor === undefined ? {} : { cursor }
  const result = await server.endpoint.handle(recordCall('tools/list', params).call)
  const tools = result.tools as { name: string }[]
  return { names: tools.map((tool) => tool.name), nextCursor: result.nextCursor as string | undefined }
}

function createNumbered(count: number, pageSize: number) {
  const server = createServer({ ...who, pageSize })
  const tools = Array.from({ length: count }, (_, i) => server.tool(`t${i}`, {}, () => String(i)))
  return { server, tools }
}

test('pages hold every entry once, in the order of registration', async () => {
  const { server } = createNumbered(7, 3)
  const names: string[] = []
  let cursor: string | undefined
  do {
    const next = await page(server, cursor)
    expect(next.names.length).toBeLessThanOrEqual(3)
    names.push(...next.names)
    cursor = next.nextCursor
  } while (cursor !== undefined)
  expect(names).toEqual(['t0', 't1', 't2', 't3', 't4', 't5', 't6'])
})

test('a list that fits one page exactly has no next one', async () => {
  const { server } = createNumbered(3, 3)
  expect(await page(server)).toEqual({ names: ['t0', 't1', 't2'], nextCursor: undefined })
})

test('a cursor goes on at the right place after entries before it were removed and new ones added', async () => {
  const { server, tools } = createNumbered(5, 2)
  const first = await page(server)
  tools[0]?.remove()
  tools[1]?.remove()
  tools[3]?.disable()
  server.tool('new', {}, () => 'x')
  expect(await page(server, first.nextCursor)).toMatchObject({ names: ['t2', 't4'] })
})

test('a cursor past the end gives an empty last page', async () => {
  const { server, tools } = createNumbered(3, 2)
  const { nextCursor } = await page(server)
  for (const tool of tools) tool.remove()
  expect(await page(server, nextCursor)).toEqual({ names: [], nextCursor: undefined })
})

test.each([
  ['', 'empty'],
  ['nonsense', 'nonsense'],
  [3, 'a number'],
  [null, 'null'],
  [btoa('tool:0'), 'zero'],
  [btoa('tool:-1'), 'negative'],
  [btoa('tool:999'), 'beyond what was ever registered'],
  [btoa('tool:01'), 'not as we write it'],
  [btoa('prompt:1'), 'of another list'],
  ['A'.repeat(10_000), 'very long'],
])('the cursor %j is answered with -32602 (%s)', async (cursor, _why) => {
  const { server } = createNumbered(5, 2)
  await expect(page(server, cursor)).rejects.toMatchObject({ code: 'caller.invalid_params' })
})

test('a name cannot be registered twice, and can again after it was removed', () => {
  const server = createServer(who)
  const tool = server.tool('t', {}, () => 'a')
  expect(() => server.tool('t', {}, () => 'b')).toThrow('Cannot register the tool "t" twice')
  tool.remove()
  expect(() => server.tool('t', {}, () => 'b')).not.toThrow()
})

test('a definition that is refused leaves nothing behind', async () => {
  const server = createServer(who)
  expect(() => server.tool('t', { input: { type: 'array' } }, () => 'a')).toThrow()
  expect(() => server.tool('t', {}, () => 'a')).not.toThrow()
})

test('a disabled tool is neither listed nor callable, and comes back at its place', async () => {
  const { server, tools } = createNumbered(3, 10)
  tools[1]?.disable()
  expect(tools[1]?.enabled).toBe(false)
  expect(await page(server)).toMatchObject({ names: ['t0', 't2'] })
  await expect(server.endpoint.handle(recordCall('tools/call', { name: 't1' }).call)).rejects.toMatchObject({
    code: 'caller.invalid_params',
  })
  tools[1]?.enable()
  expect(await page(server)).toMatchObject({ names: ['t0', 't1', 't2'] })
})

test('an update replaces what is given and keeps the rest', async () => {
  const server = createServer(who)
  const tool = server.tool('t', { title: 'Old', description: 'Kept' }, () => 'old')
  tool.update({ title: 'New' })
  const list = await server.endpoint.handle(recordCall('tools/list').call)
  expect(list.tools).toMatchObject([{ title: 'New', description: 'Kept' }])
  expect(await server.endpoint.handle(recordCall('tools/call', { name: 't' }).call)).toMatchObject({
    content: [{ text: 'old' }],
  })
  tool.update({}, () => 'new')
  tool.update({ title: 'Newer' })
  expect(await server.endpoint.handle(recordCall('tools/call', { name: 't' }).call)).toMatchObject({
    content: [{ text: 'new' }],
  })
})

test('an update that is refused changes nothing', async () => {
  const server = createServer(who)
  const tool = server.tool('t', { title: 'Old' }, () => 'old')
  expect(() => tool.update({ title: 'New', input: { type: 'string' } })).toThrow()
  tool.update({ description: 'More' })
  const list = await server.endpoint.handle(recordCall('tools/list').call)
  expect(list.tools).toMatchObject([{ title: 'Old', description: 'More' }])
})

test('a removed registration stays removed', () => {
  const server = createServer(who)
  const tool = server.tool('t', {}, () => 'a')
  tool.remove()
  tool.remove()
  expect(tool.enabled).toBe(false)
  expect(() => tool.enable()).toThrow('Cannot enable the tool "t": it was removed')
  expect(() => tool.update({})).toThrow('it was removed')
  server.tool('t', {}, () => 'b')
  expect(() => tool.disable()).toThrow('it was removed')
})

test.each([0, -1, 1.5, Number.NaN])('a page size of %d is refused', (pageSize) => {
  expect(() => createServer({ ...who, pageSize })).toThrow('pageSize')
})

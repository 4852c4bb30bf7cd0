import { recordCall } from '@crosspoint/testkit'
import { expect, test } from 'vitest'
import type { JsonObject } from '../jsonrpc/frame.ts'
import type { CompletionContext } from './index.ts'
import { createServer, type Server } from './index.ts'

const cities = ['Paris', 'Parma', 'Rome']
const prompt = { type: 'ref/prompt', name: 'p' }
const template = { type: 'ref/resource', uri: 'app://{country}/{city}' }

function createCompleting() {
  const seen: CompletionContext[] = []
  const server = createServer({ name: 'test', version: '1.0.0' })
  const complete = (typed: string, context: CompletionContext) => {
    seen.push(context)
    return cities.filter((city) => city.startsWith(typed))
  }
  server.prompt('p', { arguments: { city: { complete }, plain: {} } }, () => 'x')
  server.template('app://{country}/{city}', { name: 't', complete: { city: complete } }, () => 'x')
  return { server, seen }
}

function complete(server: Server, ref: unknown, name: string, value: unknown, context?: JsonObject) {
  const params = { ref, argument: { name, value }, ...(context === undefined ? {} : { context }) }
  return server.endpoint.handle(recordCall('completion/complete', params).call)
}

test.each([prompt, template])('completes an argument of %j', async (ref) => {
  const { server } = createCompleting()
  expect(await complete(server, ref, 'city', 'Par')).toEqual({ completion: { values: ['Paris', 'Parma'] } })
})

test('hands on what is filled in already, texts only', async () => {
  const { server, seen } = createCompleting()
  await complete(server, template, 'city', '', { arguments: { country: 'it', odd: 3 } })
  await complete(server, template, 'city', '')
  expect(seen.map((context) => context.arguments)).toEqual([{ country: 'it' }, {}])
})

test.each([
  [prompt, 'plain'],
  [template, 'country'],
])('an argument of %j without a completer has no suggestions', async (ref, name) => {
  const { server } = createCompleting()
  expect(await complete(server, ref, name, 'x')).toEqual({ completion: { values: [], hasMore: false } })
})

test.each([
  [{ type: 'ref/prompt', name: 'q' }, 'city', 'No prompt named "q"'],
  [{ type: 'ref/resource', uri: 'app://{other}' }, 'city', 'No resource template "app://{other}"'],
  [prompt, 'citty', 'No argument named "citty"; did you mean "city"?'],
  [prompt, 'toString', 'No argument named "toString"'],
  [template, 'zzz', 'No argument named "zzz"'],
  [{ type: 'ref/tool', name: 'p' }, 'city', 'Cannot complete a "ref"'],
  [undefined, 'city', 'Cannot complete a "ref"'],
])('%j with argument "%s" is answered with -32602', async (ref, name, message) => {
  const { server } = createCompleting()
  await expect(complete(server, ref, name, 'x')).rejects.toMatchObject({
    code: 'caller.invalid_params',
    message: expect.stringContaining(message),
  })
})

test('an argument whose value is not text is answered with -32602', async () => {
  const { server } = createCompleting()
  await expect(complete(server, prompt, 'city', 3)).rejects.toMatchObject({ code: 'caller.invalid_params' })
})

test('trap-52: no more than a hundred values are sent, and the caller is told that there are more', async () => {
  const server = createServer({ name: 'test', version: '1.0.0' })
  const many = Array.from({ length: 250 }, (_, i) => `v${i}`)
  server.prompt(
    'p',
    { arguments: { a: { complete: () => many }, b: { complete: () => ({ values: many, total: 9000 }) } } },
    () => 'x',
  )
  expect(await complete(server, prompt, 'a', '')).toEqual({
    completion: { values: many.slice(0, 100), total: 250, hasMore: true },
  })
  expect(await complete(server, prompt, 'b', '')).toMatchObject({ completion: { total: 9000, hasMore: true } })
})

test('what a completer says about total and more is sent', async () => {
  const server = createServer({ name: 'test', version: '1.0.0' })
  server.prompt(
    'p',
    { arguments: { a: { complete: async () => ({ values: ['x'], total: 5, hasMore: true }) } } },
    () => 'x',
  )
  expect(await complete(server, prompt, 'a', '')).toEqual({ completion: { values: ['x'], total: 5, hasMore: true } })
})

import { openWireSession, recordCall, sendEnveloped } from '@crosspoint/testkit'
import { describe, expect, it, onTestFinished } from 'vitest'
import { z } from 'zod'
import { REVISIONS } from '../revisions/index.ts'
import { testClient } from '../testing/index.ts'
import { createServer, serve } from './index.ts'

const stock = new Map([['a', 3]])

function shop() {
  const server = createServer({ name: 'shop', version: '1', log() {} })
  const params = z.object({ sku: z.string().transform((sku) => sku.trim()) })
  server.method('acme/stock', { params }, ({ sku }, { principal }) => ({ left: stock.get(sku), for: principal.id }))
  server.method('acme/ask', {}, async (_, { elicit }) => ({
    sure: await elicit('Sure?', z.object({ yes: z.boolean() })),
  }))
  server.method('acme/nothing', {}, () => {})
  server.method('acme/fail', {}, () => {
    throw new Error('on purpose')
  })
  server.method('acme/admin', { access: ({ id }) => id === 'root' }, () => ({ secret: 1 }))
  return server
}

describe.each(REVISIONS.map((revision) => [revision.name, revision] as const))(
  'a method of its own, in %s',
  (revision, { methods }) => {
    it('is called with checked parameters, and answers with an object', async () => {
      const client = await testClient(shop(), { revision })
      expect(await client.request('acme/stock', { sku: ' a ' })).toMatchObject({ left: 3, for: 'anonymous' })
      expect(await client.request('acme/nothing')).toBeTypeOf('object')
      await expect(client.request('acme/stock', { sku: 7 })).rejects.toMatchObject({
        rpc: { code: -32602, message: expect.stringMatching(/^Cannot answer "acme\/stock": .*sku/) },
      })
      await expect(client.request('acme/fail')).rejects.toThrow('Cannot answer "acme/fail": on purpose')
      await client.close()
    })

    it('may ask its caller, where the revision has such questions', async () => {
      const elicit = () => ({ action: 'accept' as const, content: { yes: true } })
      const client = await testClient(shop(), { revision, handlers: { elicit } })
      const asked = client.request('acme/ask')
      const canAsk = methods.has('elicitation/create') || revision === REVISIONS[0]?.name
      if (canAsk) expect(await asked).toMatchObject({ sure: { yes: true } })
      else await expect(asked).rejects.toThrow(revision)
      await client.close()
    })

    it('is not there for who may not use it, exactly as one that nobody registered', async () => {
      const server = shop()
      const client = await testClient(server, { revision })
      const refusal = (method: string) => client.request(method).catch(({ rpc }) => rpc)
      const { code, message } = await refusal('acme/none')
      expect(await refusal('acme/admin')).toEqual({ code, message: message.replace('none', 'admin') })
      const root = await testClient(server, { revision, principal: { id: 'root', tenant: 't' } })
      expect(await root.request('acme/admin')).toMatchObject({ secret: 1 })
      server.access((_, { kind }) => kind !== 'method')
      await expect(root.request('acme/admin')).rejects.toMatchObject({ rpc: { code: -32601 } })
      await client.close()
      await root.close()
    })
  },
)

it('is there over HTTP, with and without a session', async () => {
  const serving = await serve(shop(), { port: 0 })
  onTestFinished(() => serving.close())
  const { messages } = await sendEnveloped(serving.url ?? '', 'acme/stock', { sku: 'a' })
  expect(messages[0].result).toMatchObject({ left: 3 })
  const session = await openWireSession(serving.url ?? '')
  expect((await session.request('acme/stock', { sku: 'a' })).messages[0].result).toMatchObject({ left: 3 })
  const unknown = await sendEnveloped(serving.url ?? '', 'acme/none')
  expect([unknown.status, unknown.messages[0].error.code]).toEqual([404, -32601])
})

class Report {
  readonly #lines: number
  constructor(lines: number) {
    this.#lines = lines
  }
  toJSON() {
    return { lines: this.#lines }
  }
}

async function outcomeOf(output: unknown) {
  const server = createServer({ name: 's', version: '1' })
  server.method('acme/x', {}, () => output as object)
  return server.endpoint.handle(recordCall('acme/x').call)
}

it.each<[unknown, string]>([
  ['text', 'it is "text", and must be an object, such as { value: … }'],
  [7, 'it is a number, and must be an object'],
  [null, 'it is null, and must be an object'],
  [[1, 2], 'it is a list, and must be an object'],
  [new Date(0), 'it is "1970-01-01T00:00:00.000Z", and must be an object'],
  [new Map([[1, 2]]), 'JSON has no Map; use Object.fromEntries(map)'],
  [{ tags: new Set() }, 'JSON has no Set, as at .tags; use [...set]'],
  [{ id: 7n }, 'JSON has no BigInt, as at .id'],
  [() => 1, 'JSON has no function; call it, or leave it out'],
  [Symbol('x'), 'JSON has no symbol'],
])('tells its author why %o cannot be its result', async (output, why) => {
  const failed = outcomeOf(output)
  await expect(failed).rejects.toThrow(`Cannot send what the method "acme/x" returned: ${why}`)
  await expect(failed).rejects.toBeInstanceOf(TypeError)
})

it('answers with any object, as JSON has it', async () => {
  const given = JSON.parse('{"__proto__":{"x":1},"constructor":2}')
  expect(JSON.stringify(await outcomeOf(given))).toBe('{"__proto__":{"x":1},"constructor":2}')
  expect(await outcomeOf(new Report(3))).toEqual({ lines: 3 })
  expect(await outcomeOf({ at: new Date(0), none: undefined })).toEqual({ at: new Date(0) })
})

it('goes through middleware, and can be taken out again', async () => {
  const server = shop()
  const stocked = server.method('acme/once', {}, () => ({ ok: true }))
  const seen: string[] = []
  server.use('acme/*', (call, next) => {
    seen.push(call.method)
    return next(call)
  })
  const client = await testClient(server)
  await client.request('acme/once')
  expect(seen).toEqual(['acme/once'])
  stocked.remove()
  await expect(client.request('acme/once')).rejects.toMatchObject({ rpc: { code: -32601 } })
  await client.close()
})

it.each([
  ['tools/call', 'names below "tools/" are the protocol\'s own'],
  ['tools/mine', 'names below "tools/"'],
  ['notifications/mine', 'names below "notifications/"'],
  ['ping', 'write it as "acme/thing"'],
  ['acme', 'write it as "acme/thing"'],
  ['rpc.discover', 'write it as "acme/thing"'],
  ['acme/ü', 'write it as "acme/thing"'],
  [`acme/${'x'.repeat(128)}`, 'write it as "acme/thing"'],
])('refuses the name %s', (name, message) => {
  expect(() => shop().method(name, {}, () => ({}))).toThrow(message)
})

it('refuses what is registered twice, is no function, or has members nobody reads', () => {
  expect(() => shop().method('acme/stock', {}, () => ({}))).toThrow('Cannot register the method "acme/stock" twice')
  expect(() => shop().method('acme/x', {}, undefined as never)).toThrow('its third argument is the function')
  expect(() => shop().method('acme/x', { param: {} } as never, () => ({}))).toThrow('did you mean "params"?')
  expect(() => shop().use('acmee/*', (call, next) => next(call))).toThrow('there is no such method')
})

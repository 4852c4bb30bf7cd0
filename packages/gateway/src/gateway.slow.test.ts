import type { ConnectionOptions } from '@crosspoint/mcp/client'
import { createServer } from '@crosspoint/mcp/server'
import { connectDirectly, createFakeClock, recordCall } from '@crosspoint/testkit'
import { expect, onTestFinished, test } from 'vitest'
import { configOf, openGateway } from '../fixtures/open-gateway.ts'

const never = () => new Promise<never>(() => {})

test('servers that never connect, never list and never answer delay nobody but those who call them', async () => {
  const clock = createFakeClock()
  const quick = (name: string) => async () => {
    const server = createServer({ name, version: '1.0.0' })
    server.tool('do', {}, () => name)
    server.resource(`${name}://thing`, { name: 'thing' }, () => name)
    return connectDirectly(server.endpoint)
  }
  const muted = (name: string, isMute: (method: string) => boolean) => async () => {
    const connection = await quick(name)()
    return {
      ...connection,
      handle: (call: Parameters<typeof connection.handle>[0]) =>
        isMute(call.method) ? never() : connection.handle(call),
    }
  }
  const others = Array.from({ length: 30 }, (_, at) => `s${at}`)
  const dialers = {
    deaf: ({ signal }: ConnectionOptions) =>
      new Promise<never>((_, reject) => signal?.addEventListener('abort', () => reject(signal.reason))),
    mute: muted('mute', (method) => method.endsWith('/list')),
    slow: muted('slow', (method) => method === 'tools/call' || method === 'resources/read'),
    ...Object.fromEntries(others.map((name) => [name, quick(name)])),
  }
  const gateway = openGateway(configOf(['deaf', 'mute', 'slow', ...others]), dialers, clock)
  onTestFinished(async () => {
    let isClosed = false
    const closing = gateway.close({ graceMs: 0 }).finally(() => {
      isClosed = true
    })
    while (!isClosed) {
      clock.advance(1)
      await new Promise((resolve) => setImmediate(resolve))
    }
    await closing
  })
  void gateway.start()
  const ask = (method: string, params = {}) => {
    const answer = gateway.endpoint()?.handle(recordCall(method, params, { progress: false }).call)
    if (answer === undefined) throw new Error('There is always an endpoint of everything')
    return answer
  }
  // No time passes on this clock: whatever waited for one of them would wait forever.
  await expect.poll(() => gateway.status().filter(({ state }) => state === 'ready').length).toBe(31)
  const stuck = Array.from({ length: 20 }, () =>
    Promise.all([ask('tools/call', { name: 'slow__do' }), ask('resources/read', { uri: 'slow://thing' })]),
  )
  for (const answer of stuck) answer.catch(() => {})
  expect((await ask('tools/list')).tools).toHaveLength(31)
  expect((await ask('resources/list')).resources).toHaveLength(31)
  const answers = await Promise.all(
    others.flatMap((name) => [
      ask('tools/call', { name: `${name}__do` }),
      ask('resources/read', { uri: `${name}://thing` }),
    ]),
  )
  expect(answers).toHaveLength(60)
  expect(answers.filter(({ isError }) => isError === true)).toEqual([])
})

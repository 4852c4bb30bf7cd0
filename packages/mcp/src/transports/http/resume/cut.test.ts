import { setImmediate as turn } from 'node:timers/promises'
import { createDoors } from '@crosspoint/testkit'
import fc from 'fast-check'
import { afterEach, describe, expect, it } from 'vitest'
import { openConnection } from '../../../client/open.ts'
import type { Notification } from '../../../protocol/call.ts'
import { cancellationOf } from '../../../protocol/cancellation.ts'
import { recordingInterim, toCall } from '../../../protocol/fixtures/calls.ts'
import { createServer, type Server } from '../../../server/index.ts'
import { startCuttingProxy } from '../fixtures/cutting-proxy.ts'

/** Our client and our server, and between them a network that breaks. */

const doors = createDoors()
const ended: (() => Promise<void>)[] = []
afterEach(async () => {
  for (const end of ended.splice(0).reverse()) await end()
  await doors.closeAll()
})

// Told with the first event of every stream, so that the client is back at once. Nothing is let go in that time.
const resume = { retryMs: 50, pollAfterMs: 600_000 }

async function openCutting(server: Server, cutAfter: readonly number[], revision = '2025-11-25') {
  const { url } = await doors.open(server.endpoint.handle, { resume })
  const proxy = await startCuttingProxy(url, cutAfter)
  const connection = await openConnection(
    { kind: 'http', url: proxy.url },
    { client: { name: 'test', version: '1' }, revision },
  )
  const end = async () => {
    await connection.close()
    await proxy.stop()
  }
  ended.push(end)
  return { proxy, connection, end }
}

function createTalking(): Server {
  const server = createServer({ name: 's', version: '1' })
  server.tool('count', { input: { type: 'object' } }, async ({ to }, { progress }) => {
    for (let i = 1; i <= Number(to); i++) {
      progress(i, undefined, 'x'.repeat(i % 50))
      if (i % 7 === 0) await turn()
    }
    return `counted to ${String(to)}`
  })
  return server
}

describe('over a network that breaks', () => {
  it('a call brings all it says, once and in order, and its result', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(fc.nat(4_000), { minLength: 2, maxLength: 5 }), async (cutAfter) => {
        // One of them is for the stream of news, which says nothing here and so is never cut.
        const { connection, proxy, end } = await openCutting(createTalking(), cutAfter)
        const interim = recordingInterim({ progress: true })
        const call = toCall('tools/call', { name: 'count', arguments: { to: 60 } }, { interim })
        expect(await connection.handle(call)).toMatchObject({ content: [{ text: 'counted to 60' }] })
        expect(interim.heard.map(({ params }) => params.progress)).toEqual(Array.from({ length: 60 }, (_, i) => i + 1))
        expect(proxy.cuts()).toBeGreaterThan(0)
        ended.splice(ended.indexOf(end), 1)
        await end()
      }),
      { numRuns: 10 },
    )
  }, 60_000)

  it('a call that let go of its stream is answered all the same', async () => {
    const server = createServer({ name: 's', version: '1' })
    server.tool('t', {}, async (_args, { closeStream, progress }) => {
      closeStream({ retryMs: 50 })
      progress(1)
      for (let i = 0; i < 10; i++) await turn()
      return 'done'
    })
    const { connection } = await openCutting(server, [])
    const interim = recordingInterim({ progress: true })
    const result = await connection.handle(toCall('tools/call', { name: 't' }, { interim }))
    expect(result).toMatchObject({ content: [{ text: 'done' }] })
    expect(interim.heard).toHaveLength(1)
  })

  it('news arrives, though the stream for it is cut with every second message', async () => {
    const server = createServer({ name: 's', version: '1' })
    server.resource('app://r', { name: 'r' }, () => 'x')
    const tool = server.tool('t', {}, () => 'x')
    const { connection, proxy } = await openCutting(server, [150, 150, 150, 150])
    const cancel = new AbortController()
    const heard: Notification[] = []
    const waiting = new Set<() => void>()
    const notify = (notification: Notification) => {
      heard.push(notification)
      for (const wake of waiting) wake()
    }
    const until = async (count: number) => {
      while (heard.length < count) await new Promise<void>((resolve) => waiting.add(resolve))
    }
    const filter = { toolsListChanged: true, resourceSubscriptions: ['app://r'] }
    const listen = toCall(
      'subscriptions/listen',
      { notifications: filter },
      { interim: { ...recordingInterim(), notify }, cancellation: cancellationOf(cancel.signal) },
    )
    connection.handle(listen).catch(() => {})
    await until(1) // acknowledged
    for (let i = 0; i < 8; i++) {
      const before = heard.length
      tool.update({ title: `T${i}` })
      await until(before + 1)
    }
    cancel.abort()
    expect(proxy.cuts()).toBeGreaterThan(1)
    expect(heard.slice(1).every(({ method }) => method === 'notifications/tools/list_changed')).toBe(true)
  }, 20_000)
})

import { createDeferred, createDoors, createFakeClock, openHttp, sendEnveloped, toEnveloped } from '@crosspoint/testkit'
import { afterEach, describe, expect, it } from 'vitest'
import { createServer } from '../../server/index.ts'

const doors = createDoors()
afterEach(() => doors.closeAll())
const open = async (...given: Parameters<typeof doors.open>) => (await doors.open(...given)).url

describe('subscriptions/listen', () => {
  function createWatched() {
    const server = createServer({ name: 's', version: '1' })
    const tool = server.tool('t', {}, () => 'x')
    server.resource('app://r', { name: 'r' }, () => 'x')
    return { server, tool }
  }
  const asked = {
    notifications: { toolsListChanged: true, promptsListChanged: true, resourceSubscriptions: ['app://r', 'app://no'] },
  }

  it.each([1, '1', 'listen'])('acknowledges first, then tells changes, each with the id %j', async (id) => {
    const { server, tool } = createWatched()
    const url = await open(server.endpoint.handle)
    const stream = await openHttp(url, toEnveloped('subscriptions/listen', asked, { id }))
    const tag = { 'io.modelcontextprotocol/subscriptionId': id }
    expect(stream.headers['content-type']).toBe('text/event-stream')
    expect(await stream.next()).toEqual({
      jsonrpc: '2.0',
      method: 'notifications/subscriptions/acknowledged',
      params: { notifications: { toolsListChanged: true, resourceSubscriptions: ['app://r'] }, _meta: tag },
    })
    server.resourceUpdated('app://r')
    expect(await stream.next()).toEqual({
      jsonrpc: '2.0',
      method: 'notifications/resources/updated',
      params: { uri: 'app://r', _meta: tag },
    })
    tool.update({ title: 'T' })
    expect(await stream.next()).toEqual({
      jsonrpc: '2.0',
      method: 'notifications/tools/list_changed',
      params: { _meta: tag },
    })
    server.close()
    expect(await stream.next()).toMatchObject({ id, result: { resultType: 'complete', _meta: tag } })
    await stream.closed
  })

  it('drops what comes before the acknowledgement, and kinds nobody asked for', async () => {
    const url = await open(async (call) => {
      call.interim.notify({ method: 'notifications/tools/list_changed', params: {} })
      call.interim.notify({
        method: 'notifications/subscriptions/acknowledged',
        params: { notifications: { toolsListChanged: true, promptsListChanged: true } },
      })
      call.interim.notify({ method: 'notifications/prompts/list_changed', params: {} })
      call.interim.notify({ method: 'notifications/progress', params: { progress: 1 } })
      call.interim.notify({ method: 'notifications/message', params: { level: 'error', data: 1 } })
      call.interim.notify({ method: 'notifications/tools/list_changed', params: {} })
      return {}
    })
    const meta = { progressToken: 1, 'io.modelcontextprotocol/logLevel': 'debug' }
    const params = { notifications: { toolsListChanged: true } }
    const { messages } = await sendEnveloped(url, 'subscriptions/listen', params, { meta })
    expect(messages.map((sent) => sent.method)).toEqual([
      'notifications/subscriptions/acknowledged',
      'notifications/tools/list_changed',
      undefined,
    ])
    expect(messages[0].params.notifications).toEqual({ toolsListChanged: true })
  })

  it('ends when the client hangs up', async () => {
    const aborted = createDeferred<void>()
    const { server } = createWatched()
    const url = await open((call) => {
      call.cancellation.signal.addEventListener('abort', () => aborted.resolve())
      return server.endpoint.handle(call)
    })
    const stream = await openHttp(url, toEnveloped('subscriptions/listen', asked))
    await stream.next()
    stream.destroy()
    await aborted.promise
  })

  it('refuses a client that cannot read streams', async () => {
    const { server } = createWatched()
    const url = await open(server.endpoint.handle)
    const answer = await sendEnveloped(url, 'subscriptions/listen', asked, { headers: { accept: 'application/json' } })
    expect(answer.status).toBe(406)
  })

  it('answers -32601 where nothing can be heard', async () => {
    const url = await open(createServer({ name: 's', version: '1' }).endpoint.handle)
    const answer = await sendEnveloped(url, 'subscriptions/listen', asked)
    expect([answer.status, answer.messages[0].error.code]).toEqual([404, -32601])
  })

  it('is kept alive by comments', async () => {
    const clock = createFakeClock()
    const { server } = createWatched()
    const url = await open(server.endpoint.handle, {}, { clock })
    const stream = await openHttp(url, toEnveloped('subscriptions/listen', asked))
    await stream.next()
    clock.advance(60_000)
    server.resourceUpdated('app://r')
    await stream.next()
    expect(stream.comments).toBe(3)
  })
})

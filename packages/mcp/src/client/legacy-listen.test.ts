import { describe, expect, it } from 'vitest'
import type { Notification } from '../protocol/call.ts'
import type { ServerCapabilities } from '../protocol/capabilities.ts'
import type { ListenFilter } from '../protocol/features/subscriptions.ts'
import { recordingInterim, toCall } from '../protocol/fixtures/calls.ts'
import type { ChangeListener, Closed, Wire } from '../transports/wire.ts'
import { Listening } from './legacy-listen.ts'

const ALL: ServerCapabilities = {
  tools: { listChanged: true },
  prompts: { listChanged: true },
  resources: { listChanged: true, subscribe: true },
}

interface Given {
  readonly capabilities?: ServerCapabilities
  readonly hears?: boolean
  readonly agrees?: (uri: string) => boolean
}

function setUp({ capabilities = ALL, hears = true, agrees = () => true }: Given = {}) {
  const asked: string[] = []
  let change: ChangeListener = () => {}
  let close: (closed: Closed) => void = () => {}
  const wire: Pick<Wire, 'onChange' | 'hearsChanges' | 'closed'> = {
    onChange: (listener) => {
      change = listener
    },
    hearsChanges: Promise.resolve(hears),
    closed: new Promise((resolve) => {
      close = resolve
    }),
  }
  const listening = new Listening({
    wire,
    capabilities,
    subscribe: async (method, uri) => {
      asked.push(`${method.slice('resources/'.length)} ${uri}`)
      return agrees(uri)
    },
  })
  const listen = (notifications: unknown) => {
    const cancel = new AbortController()
    const interim = recordingInterim()
    const call = toCall('subscriptions/listen', { notifications }, { interim, signal: cancel.signal })
    return { heard: interim.heard, result: listening.listen(call), cancel: () => cancel.abort() }
  }
  return {
    asked,
    listening,
    listen,
    change: (notification?: Notification) => change(notification),
    close: (reason: string) => close({ reason, asked: false }),
  }
}

const settled = () => new Promise((resolve) => setImmediate(resolve))
const ack = (notifications: ListenFilter) => ({
  method: 'notifications/subscriptions/acknowledged',
  params: { notifications },
})
const updated = (uri: string) => ({ method: 'notifications/resources/updated', params: { uri } })
const TOOLS = { method: 'notifications/tools/list_changed', params: {} }

describe('listening to a server that has no subscriptions', () => {
  it('promises what the server offers and agrees to, and nothing else', async () => {
    const filter = { toolsListChanged: true, promptsListChanged: true, resourceSubscriptions: ['a:1', 'a:2', 'a:1'] }
    const rows: [Given, ListenFilter][] = [
      [{}, { toolsListChanged: true, promptsListChanged: true, resourceSubscriptions: ['a:1', 'a:2'] }],
      [
        { agrees: (uri) => uri !== 'a:1' },
        { toolsListChanged: true, promptsListChanged: true, resourceSubscriptions: ['a:2'] },
      ],
      [{ capabilities: { tools: { listChanged: true }, prompts: {}, resources: {} } }, { toolsListChanged: true }],
      [{ hears: false }, {}],
    ]
    for (const [given, honoured] of rows) {
      const { listen } = setUp(given)
      const { heard } = listen(filter)
      await settled()
      expect(heard).toEqual([ack(honoured)])
    }
  })

  it('tells of what was promised only', async () => {
    const { listen, change } = setUp()
    const tools = listen({ toolsListChanged: true })
    const resource = listen({ resourceSubscriptions: ['a:1'] })
    await settled()
    for (const uri of ['a:1', 'a:1/part', 'a:10', 'a:2']) change(updated(uri))
    change(TOOLS)
    change({ method: 'notifications/prompts/list_changed', params: {} })
    expect(tools.heard.slice(1)).toEqual([TOOLS])
    expect(resource.heard.slice(1)).toEqual([updated('a:1'), updated('a:1/part')])
  })

  it('tells of changes only after the acknowledgement, and once of each', async () => {
    const { listen, change } = setUp()
    const { heard } = listen({ toolsListChanged: true, resourceSubscriptions: ['a:1'] })
    change(TOOLS)
    change(updated('a:1'))
    change(TOOLS)
    await settled()
    expect(heard).toEqual([ack({ toolsListChanged: true, resourceSubscriptions: ['a:1'] }), TOOLS, updated('a:1')])
  })

  it('abuse-16: holds little of a storm that comes before the acknowledgement, and loses none of what is watched', async () => {
    const { listen, change } = setUp()
    const { heard } = listen({ toolsListChanged: true, resourceSubscriptions: ['a:1', 'a:2'] })
    for (let i = 0; i < 20_000; i++) change(updated(`a:1/${i}`))
    change(updated(`a:2/${'x'.repeat(10_000)}`))
    change(updated('a:3'))
    change(TOOLS)
    await settled()
    expect(heard.length).toBeLessThan(1_100)
    expect(heard).toContainEqual(updated('a:1'))
    expect(heard).toContainEqual(updated('a:2'))
    expect(heard).toContainEqual(TOOLS)
    expect(heard).not.toContainEqual(updated('a:3'))
  })

  it('subscribes once however many listen, and unsubscribes with the last', async () => {
    const { asked, listen } = setUp()
    const [first, second] = [listen({ resourceSubscriptions: ['a:1'] }), listen({ resourceSubscriptions: ['a:1'] })]
    await settled()
    first.cancel()
    expect(await first.result).toEqual({})
    expect(asked).toEqual(['subscribe a:1'])
    second.cancel()
    await second.result
    await settled()
    expect(asked).toEqual(['subscribe a:1', 'unsubscribe a:1'])
  })

  it('does not unsubscribe where somebody came back, or where the server never agreed', async () => {
    const { asked, listen } = setUp({ agrees: (uri) => uri !== 'a:2' })
    const both = listen({ resourceSubscriptions: ['a:1', 'a:2'] })
    await settled()
    both.cancel()
    const again = listen({ resourceSubscriptions: ['a:1'] })
    await both.result
    await settled()
    expect(asked.filter((line) => line.startsWith('unsubscribe'))).toEqual([])
    again.cancel()
    await again.result
    await settled()
    expect(asked.filter((line) => line.startsWith('unsubscribe'))).toEqual(['unsubscribe a:1'])
  })

  it('subscribes anew with a new session, and makes up for what may have changed', async () => {
    const { asked, listen, listening, change } = setUp()
    const { heard } = listen({ toolsListChanged: true, resourceSubscriptions: ['a:1'] })
    await settled()
    listening.renew()
    expect(asked).toEqual(['subscribe a:1', 'subscribe a:1'])
    expect(heard.slice(1)).toEqual([TOOLS, updated('a:1')])
    change(undefined)
    expect(heard.slice(3)).toEqual([TOOLS, updated('a:1')])
  })

  it('ends with the server, and says so', async () => {
    const { listen, close } = setUp()
    const { result } = listen({ toolsListChanged: true })
    await settled()
    close('it exited')
    await expect(result).rejects.toMatchObject({
      code: 'upstream.closed',
      message: 'The subscription is over: it exited',
    })
  })

  it('refuses a filter that is none, or has no end', async () => {
    const { listen } = setUp()
    const many = { resourceSubscriptions: Array.from({ length: 1_001 }, (_, at) => `a:${at}`) }
    for (const filter of [undefined, [], { resourceSubscriptions: 'a' }, { resourceSubscriptions: [1] }, many]) {
      await expect(listen(filter).result).rejects.toMatchObject({ code: 'caller.invalid_params' })
    }
  })
})

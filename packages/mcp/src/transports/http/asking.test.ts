import {
  createDeferred,
  createDoors,
  createFakeClock,
  type Message,
  openWireSession,
  sendEnveloped,
} from '@crosspoint/testkit'
import { afterEach, describe, expect, it } from 'vitest'
import { McpError } from '../../errors.ts'
import type { Call, Handle, Notification } from '../../protocol/call.ts'
import { createServer, UrlElicitationRequired } from '../../server/index.ts'

const doors = createDoors()
afterEach(() => doors.closeAll())
const open = async (...given: Parameters<typeof doors.open>) => (await doors.open(...given)).url

const HANDSHAKES = ['2025-11-25', '2025-06-18', '2025-03-26', '2024-11-05']
const capabilities = { sampling: {}, roots: {}, elicitation: {} }
const ROOTS: Notification = { method: 'roots/list', params: {} }
const FORM: Notification = {
  method: 'elicitation/create',
  params: { message: 'Who?', requestedSchema: { type: 'object', properties: { name: { type: 'string' } } } },
}

/** Asks what it is told to, one after the other, and answers with what it heard. */
const asking =
  (...requests: readonly Notification[]): Handle =>
  async (call) => {
    if (call.method !== 'tools/call') return { capabilities: { tools: {} } }
    const heard: unknown[] = []
    for (const request of requests) heard.push(await call.interim.ask(request).catch(toSaid))
    return { content: [{ type: 'text', text: JSON.stringify(heard) }] }
  }

const toSaid = (error: unknown) => (error instanceof McpError ? { code: error.code, data: error.data } : String(error))
const said = ({ result }: Message) => JSON.parse(result.content[0].text)
const reply = (id: unknown, result: object) => JSON.stringify({ jsonrpc: '2.0', id, result })

describe('a question to the client of a session', () => {
  it.each(HANDSHAKES)(
    '%s: goes on the stream of its call, and the answer comes with another POST',
    async (revision) => {
      const session = await openWireSession(await open(asking(ROOTS, ROOTS)), { revision, capabilities })
      const stream = await session.open('tools/call', { name: 'x' })
      const first = await stream.next()
      expect(first).toMatchObject({ jsonrpc: '2.0', method: 'roots/list' })
      expect(await session.post(reply(first.id, { roots: [{ uri: 'file:///a' }] }))).toMatchObject({
        status: 202,
        text: '',
      })
      const second = await stream.next()
      expect(second.id).not.toBe(first.id)
      await session.post(reply(second.id, { roots: [] }))
      expect(said(await stream.next())).toEqual([{ roots: [{ uri: 'file:///a' }] }, { roots: [] }])
      await stream.closed
    },
  )

  it.each([
    ['2025-11-25', true],
    ['2025-06-18', true],
    ['2025-03-26', false],
    ['2024-11-05', false],
  ])('%s: has forms: %s', async (revision, hasForms) => {
    const session = await openWireSession(await open(asking(FORM)), { revision, capabilities })
    const lacking = { code: 'caller.missing_capability', data: { requiredCapabilities: { elicitation: { form: {} } } } }
    if (!hasForms) {
      expect(said((await session.request('tools/call', { name: 'x' })).messages[0])).toEqual([lacking])
      return
    }
    const stream = await session.open('tools/call', { name: 'x' })
    await session.post(reply((await stream.next()).id, { action: 'accept', content: { name: 'Ada' } }))
    expect(said(await stream.next())).toEqual([{ action: 'accept', content: { name: 'Ada' } }])
  })

  it('needs a stream: who reads only JSON cannot be asked', async () => {
    let canAsk: boolean | undefined
    const handle: Handle = async (call) => {
      if (call.method === 'tools/call') canAsk = call.interim.canAsk
      return asking(ROOTS)(call)
    }
    const session = await openWireSession(await open(handle), { capabilities })
    const headers = { accept: 'application/json' }
    const answer = await session.request('tools/call', { name: 'x' }, { headers })
    expect(said(answer.messages[0])).toMatchObject([{ code: 'caller.missing_capability' }])
    expect(canAsk).toBe(false)
  })

  it('is answered by nobody else: not twice, not late, not from another session', async () => {
    const url = await open(asking(ROOTS, FORM))
    const session = await openWireSession(url, { capabilities })
    const other = await openWireSession(url, { capabilities })
    const stream = await session.open('tools/call', { name: 'x' })
    const { id } = await stream.next()
    expect((await other.post(reply(id, { roots: ['theirs'] }))).status).toBe(202)
    expect((await session.post(reply(id, { roots: [] }))).status).toBe(202)
    expect((await session.post(reply(id, { roots: ['again'] }))).status).toBe(202)
    await session.post(reply((await stream.next()).id, { action: 'decline' }))
    expect(said(await stream.next())).toEqual([{ roots: [] }, { action: 'decline' }])
    expect((await session.post(reply(id, { roots: ['late'] }))).status).toBe(202)
  })

  it('that the client refuses is an error where it was asked', async () => {
    const session = await openWireSession(await open(asking(ROOTS)), { capabilities })
    const stream = await session.open('tools/call', { name: 'x' })
    const { id } = await stream.next()
    await session.post(JSON.stringify({ jsonrpc: '2.0', id, error: { code: -1, message: 'User rejected' } }))
    expect(said(await stream.next())).toEqual([
      { code: 'caller.unanswered', data: { code: -1, reason: 'User rejected' } },
    ])
  })

  it('answers come in a batch where there are batches', async () => {
    const both: Handle = async ({ method, interim }) => {
      if (method !== 'tools/call') return { capabilities: { tools: {} } }
      const heard = await Promise.all([interim.ask(ROOTS), interim.ask({ ...ROOTS, params: { second: true } })])
      return { content: [{ type: 'text', text: JSON.stringify(heard) }] }
    }
    const session = await openWireSession(await open(both), { revision: '2025-03-26', capabilities })
    const stream = await session.open('tools/call', { name: 'x' })
    const [a, b] = [await stream.next(), await stream.next()]
    const batch = await session.post(`[${reply(b.id, { roots: ['b'] })},${reply(a.id, { roots: ['a'] })}]`)
    expect(batch.status).toBe(202)
    expect(said(await stream.next())).toEqual([{ roots: ['a'] }, { roots: ['b'] }])
  })

  it('is taken back when its call is cancelled', async () => {
    const caught = createDeferred<unknown>()
    const handle: Handle = async (call) => {
      if (call.method === 'tools/call') await call.interim.ask(ROOTS).catch(caught.resolve)
      return { capabilities: { tools: {} }, content: [] }
    }
    const session = await openWireSession(await open(handle), { capabilities })
    const stream = await session.open('tools/call', { name: 'x' })
    const { id } = await stream.next()
    await session.notify('notifications/cancelled', { requestId: 1 })
    expect(await stream.next()).toMatchObject({ method: 'notifications/cancelled', params: { requestId: id } })
    expect(await caught.promise).toMatchObject({ code: 'caller.cancelled' })
    await stream.closed
  })

  it('is taken back when its call ends without waiting for it', async () => {
    const handle: Handle = async (call) => {
      if (call.method === 'tools/call') call.interim.ask(ROOTS).catch(() => {})
      return { capabilities: { tools: {} }, content: [] }
    }
    const session = await openWireSession(await open(handle), { capabilities })
    const { messages } = await session.request('tools/call', { name: 'x' })
    expect(messages).toMatchObject([
      { method: 'roots/list', id: 1 },
      { method: 'notifications/cancelled', params: { requestId: 1 } },
      { id: 1, result: {} },
    ])
  })

  it('fails with its session', async () => {
    const caught = createDeferred<unknown>()
    const handle: Handle = async (call) => {
      if (call.method === 'tools/call') await call.interim.ask(ROOTS).catch(caught.resolve)
      return { capabilities: { tools: {} }, content: [] }
    }
    const session = await openWireSession(await open(handle), { capabilities })
    const stream = await session.open('tools/call', { name: 'x' })
    await stream.next()
    await session.end()
    expect(await caught.promise).toMatchObject({ code: 'caller.cancelled' })
  })

  it('holds up the deadline of its call, which has all of its time again when it is answered', async () => {
    const clock = createFakeClock()
    const working = createDeferred()
    let call: Call | undefined
    const handle: Handle = async (given) => {
      if (given.method !== 'tools/call') return { capabilities: { tools: {} } }
      call = given
      await given.interim.ask(ROOTS)
      working.resolve()
      return new Promise(() => {})
    }
    const session = await openWireSession(await open(handle, { clock, callTimeoutMs: 1_000 }), { capabilities })
    const stream = await session.open('tools/call', { name: 'x' })
    const { id } = await stream.next()
    clock.advance(60_000)
    expect(call?.cancellation.isCancelled).toBe(false)
    await session.post(reply(id, { roots: [] }))
    await working.promise
    expect(call?.deadline).toBe(61_000)
    clock.advance(999)
    expect(call?.cancellation.isCancelled).toBe(false)
    clock.advance(1_001)
    expect((await stream.next()).error.message).toContain('within 1000 ms')
  })

  it('that nobody answers fails by itself', async () => {
    const clock = createFakeClock()
    const session = await openWireSession(await open(asking(ROOTS), { clock, questionTimeoutMs: 5_000 }), {
      capabilities,
    })
    const stream = await session.open('tools/call', { name: 'x' })
    await stream.next()
    clock.advance(5_000)
    expect((await stream.next()).method).toBe('notifications/cancelled')
    expect(said(await stream.next())).toMatchObject([{ code: 'caller.unanswered' }])
  })

  it('trap-15: a tool that returns what it wants to know asks it, round by round', async () => {
    const handle: Handle = async ({ method, params }) => {
      if (method !== 'tools/call') return { capabilities: { tools: {} } }
      const { inputResponses, requestState } = params
      if (inputResponses === undefined) {
        return { resultType: 'input_required', inputRequests: { r: ROOTS, f: FORM }, requestState: 's' }
      }
      return { content: [{ type: 'text', text: JSON.stringify({ inputResponses, requestState }) }] }
    }
    const session = await openWireSession(await open(handle), { capabilities })
    const stream = await session.open('tools/call', { name: 'x' })
    const [roots, form] = [await stream.next(), await stream.next()]
    await session.post(reply(form.id, { action: 'cancel' }))
    await session.post(reply(roots.id, { roots: [] }))
    expect(said(await stream.next())).toEqual({
      inputResponses: { r: { roots: [] }, f: { action: 'cancel' } },
      requestState: 's',
    })
  })
})

describe('a page that has to be visited', () => {
  const page = { url: 'https://example.com/connect', message: 'Sign in', elicitationId: 'e-1' }

  function createNeedy() {
    const server = createServer({ name: 's', version: '1' })
    let isIn = false
    server.tool('t', {}, () => {
      if (!isIn) throw new UrlElicitationRequired([page])
      return 'in'
    })
    server.prompt('p', {}, () => {
      throw new UrlElicitationRequired([page])
    })
    return {
      server,
      visit() {
        isIn = true
        server.elicitationComplete('e-1')
      },
    }
  }

  it('is an error of its own where there is a code for it, and its end is told, to that client alone', async () => {
    const { server, visit } = createNeedy()
    const url = await open(server.endpoint.handle)
    const session = await openWireSession(url, { capabilities: { elicitation: { url: {} } } })
    const other = await openWireSession(url, { capabilities: { elicitation: { url: {} } } })
    const { messages } = await session.request('tools/call', { name: 't' })
    expect(messages[0].error).toEqual({
      code: -32042,
      message: 'Sign in',
      data: { elicitations: [{ mode: 'url', ...page }] },
    })
    const [stream, otherStream] = [await session.listen(), await other.listen()]
    visit()
    expect(await stream.next()).toEqual({
      jsonrpc: '2.0',
      method: 'notifications/elicitation/complete',
      params: { elicitationId: 'e-1' },
    })
    expect((await session.request('tools/call', { name: 't' })).messages[0].result.content[0].text).toBe('in')
    otherStream.destroy()
    await other.end()
    expect(await otherStream.rest().catch(() => '')).not.toContain('e-1')
  })

  it.each(HANDSHAKES)('%s: is a text for the model where the client opens no pages', async (revision) => {
    const { server, visit } = createNeedy()
    const session = await openWireSession(await open(server.endpoint.handle), { revision, capabilities })
    const { messages } = await session.request('tools/call', { name: 't' })
    expect(messages[0].result).toEqual({ content: [{ type: 'text', text: 'Sign in' }], isError: true })
    const prompt = await session.request('prompts/get', { name: 'p' })
    expect(prompt.messages[0].error).toMatchObject({ code: -32603, message: 'Sign in' })
    visit()
  })

  it('trap-21: is a question in the newest revision, never a code', async () => {
    const url = await open(createNeedy().server.endpoint.handle)
    const meta = { 'io.modelcontextprotocol/clientCapabilities': { elicitation: { url: {} } } }
    const { messages } = await sendEnveloped(url, 'tools/call', { name: 't' }, { meta })
    expect(messages[0].result).toMatchObject({
      resultType: 'input_required',
      inputRequests: {
        'page-1.1': { method: 'elicitation/create', params: { mode: 'url', url: page.url, message: 'Sign in' } },
      },
    })
    const refused = await sendEnveloped(url, 'tools/call', { name: 't' })
    expect([refused.status, refused.messages[0].error.code]).toEqual([400, -32021])
  })
})

describe('requestState', () => {
  it('trap-14, abuse-24: that does not verify is refused with -32602', async () => {
    const server = createServer({ name: 's', version: '1' })
    server.tool('t', {}, async (_args, { roots }) => `${(await roots()).length} roots`)
    const url = await open(server.endpoint.handle)
    const meta = { 'io.modelcontextprotocol/clientCapabilities': { roots: {} } }
    const { result } = (await sendEnveloped(url, 'tools/call', { name: 't' }, { meta })).messages[0]
    const retry = { name: 't', inputResponses: { 'ask-1': { roots: [] } }, requestState: result.requestState }
    const wrong = await sendEnveloped(
      url,
      'tools/call',
      { ...retry, requestState: `${result.requestState}A` },
      { meta },
    )
    expect(wrong.messages[0].error.code).toBe(-32602)
    const right = await sendEnveloped(url, 'tools/call', retry, { meta })
    expect(right.messages[0].result).toMatchObject({ resultType: 'complete', content: [{ text: '0 roots' }] })
  })
})

import type { Id, JsonObject } from '@crosspoint/mcp'
import { Heard } from '../heard.ts'
import type { Message } from '../http.ts'
import { createJudge } from '../older/judge.ts'
import type { Take } from '../older/pipes.ts'
import { withEnvelope } from '../wire-client.ts'
import { refereeOf } from './referees.ts'
import type { Speaks } from './speaks.ts'

/** A client of one revision, written by hand: what it gets is judged by the official schema of that revision. */
export interface MatrixClient {
  readonly speaks: Speaks
  /** Sends a request and answers what is asked on its behalf, to the answer. */
  ask(method: string, params?: JsonObject, wants?: Wants): Promise<Exchange>
  begin(method: string, params?: JsonObject, wants?: Wants): Open
  /** Asks to be told of changes, as its revision does. */
  watch(wanted: { readonly tools?: true; readonly uri?: string }): Promise<Watching>
  /** What is wrong with anything that was said to it, and with what it said. */
  readonly faults: readonly string[]
  close(): Promise<void>
}

export interface Wants {
  readonly progressToken?: string
  readonly logLevel?: string
  /** Done by the user when sent to a page, before saying so. */
  readonly visit?: () => Promise<unknown>
  /** The user says no to what is asked. */
  readonly declines?: true
}

export interface Exchange {
  readonly answer: Message
  /** Notifications that came for this request, in order. */
  readonly before: readonly Message[]
  /** What was asked, in order. */
  readonly asked: readonly Message[]
  /** Requests it took: one, and one more for each result that asked. */
  readonly requests: number
}

export interface Open {
  readonly done: Promise<Exchange>
  /** Takes the request back in the way of the revision and the transport. */
  cancel(): void
  /** Whether an answer came. */
  readonly isAnswered: boolean
}

/** Of what was asked for, and whatever else comes. */
export interface Watching {
  /** Of what was asked for, what will be told; undefined where the revision does not say. */
  readonly acknowledged: JsonObject | undefined
  /** The next notification of this method: each is given once. */
  next(method: string): Promise<Message>
  stop(): Promise<void>
}

/** How messages go out. What comes in is handed to the {@link Take} it was opened with. */
export interface Wire {
  /** Messages that belong to a request come on a stream of its own. */
  readonly hasStreams: boolean
  send(message: JsonObject): void
  /** Leaves the stream of a request; false where there is none to leave. */
  leave(id: Id): boolean
  /** After the handshake. */
  ready?(): Promise<void>
  close(): Promise<void>
}

export type OpenWire = (take: Take) => Promise<Wire>

export async function openMatrixClient(speaks: Speaks, openWire: OpenWire, extensions = {}): Promise<MatrixClient> {
  const talk = await openTalk(speaks, openWire)
  return speaks.shakesHands ? openByHandshake(talk) : openByEnvelope(talk, extensions)
}

/** What both kinds of client have: messages out, messages in, a judge between. */
interface Talk {
  readonly speaks: Speaks
  readonly wire: Wire
  readonly faults: readonly string[]
  readonly heard: Heard
  send(message: JsonObject): void
  nextId(): string
  /** All that came since a place in the order, and belongs to a request. */
  of(id: Id, since: number): readonly Message[]
  /** Told of what the server asks by a request. */
  question: (message: Message) => void
}

async function openTalk(speaks: Speaks, openWire: OpenWire): Promise<Talk> {
  const judge = createJudge(speaks.name, refereeOf(speaks.name))
  const heard = new Heard()
  const streams = new Map<Message, Id | undefined>()
  let last = 0
  const wire = await openWire((taken, via) => {
    for (const message of Array.isArray(taken) ? taken : [taken]) {
      judge.judge(message, 'server')
      streams.set(message, via)
      heard.add(message)
      if (message.id !== undefined && message.method !== undefined) {
        judge.asked(message)
        // Never while the server is still writing: no pipe between processes does that.
        setImmediate(() => talk.question(message))
      }
    }
    heard.wake()
  })
  const talk: Talk = {
    speaks,
    wire,
    faults: judge.faults,
    heard,
    send(message) {
      judge.judge(message, 'client')
      if (message.method !== undefined) judge.asked(message)
      wire.send(message)
    },
    nextId: () => `r${++last}`,
    of(id, since) {
      const isOwn = (message: Message) => !wire.hasStreams || streams.get(message) === id
      return heard.got.slice(since).filter(isOwn)
    },
    question() {},
  }
  return talk
}

/** What is answered to any question. */
function toAnswer({ method, params }: Message, { declines }: Wants): JsonObject {
  if (method === 'roots/list') return { roots: [{ uri: 'file:///home' }] }
  if (method === 'sampling/createMessage') {
    const [{ content }] = params.messages
    const text = `sampled ${(Array.isArray(content) ? content[0] : content).text}`
    return { role: 'assistant', model: 'm', content: { type: 'text', text } }
  }
  if (declines === true) return { action: 'decline' }
  return params.mode === 'url' ? { action: 'accept' } : { action: 'accept', content: { name: 'Ada' } }
}

/** What a client of the revision can say that it can do. */
function toCapabilities({ elicitsForms, elicitsPages }: Speaks): JsonObject {
  const elicitation = elicitsPages ? { form: {}, url: {} } : {}
  return { sampling: {}, roots: {}, ...(elicitsForms ? { elicitation } : {}) }
}

const isAnswerTo = (id: Id) => (message: Message) => message.id === id && message.method === undefined

async function openByHandshake(talk: Talk): Promise<MatrixClient> {
  const { speaks, wire, heard } = talk
  const notify = (method: string, params: JsonObject = {}) => talk.send({ jsonrpc: '2.0', method, params })
  /** Of the last request: one is open at a time when questions come. */
  let now: Wants = {}
  talk.question = (message) => talk.send({ jsonrpc: '2.0', id: message.id, result: toAnswer(message, now) })
  const begin: MatrixClient['begin'] = (method, params = {}, wants = {}) => {
    const { progressToken } = wants
    now = wants
    const id = talk.nextId()
    const since = heard.got.length
    const meta = progressToken === undefined ? {} : { _meta: { progressToken } }
    talk.send({ jsonrpc: '2.0', id, method, params: { ...params, ...meta } })
    const read = async (): Promise<Exchange> => {
      const answer = await heard.until(isAnswerTo(id))
      const all = talk.of(id, since)
      const before = all.slice(0, all.indexOf(answer)).filter((message) => message.method !== undefined)
      return {
        answer,
        before: before.filter((message) => message.id === undefined),
        asked: before.filter((message) => message.id !== undefined),
        requests: 1,
      }
    }
    return {
      done: read(),
      cancel: () => notify('notifications/cancelled', { requestId: id }),
      get isAnswered() {
        return heard.got.some(isAnswerTo(id))
      },
    }
  }
  const request = async (method: string, params: JsonObject) => (await begin(method, params).done).answer
  const opened = await request('initialize', {
    protocolVersion: speaks.name,
    capabilities: toCapabilities(speaks),
    clientInfo: { name: 'matrix', version: '1' },
  })
  if (opened.result?.protocolVersion !== speaks.name) throw new Error(`Not opened: ${JSON.stringify(opened)}`)
  notify('notifications/initialized')
  await wire.ready?.()
  return {
    speaks,
    begin,
    async ask(method, params, wants = {}) {
      if (wants.logLevel !== undefined) await request('logging/setLevel', { level: wants.logLevel })
      return begin(method, params, wants).done
    },
    async watch({ uri }) {
      const since = heard.got.length
      if (uri !== undefined) await request('resources/subscribe', { uri })
      return {
        acknowledged: undefined,
        next: toNext(heard, since, () => true),
        async stop() {
          if (uri !== undefined) await request('resources/unsubscribe', { uri })
        },
      }
    },
    faults: talk.faults,
    close: () => wire.close(),
  }
}

function openByEnvelope(talk: Talk, extensions: JsonObject): MatrixClient {
  const { speaks, wire, heard } = talk
  const capabilities = { ...toCapabilities(speaks), ...(Object.keys(extensions).length === 0 ? {} : { extensions }) }
  const send = (method: string, params: JsonObject, { progressToken, logLevel }: Wants): string => {
    const id = talk.nextId()
    const meta = {
      [`${P}clientCapabilities`]: capabilities,
      ...(progressToken === undefined ? {} : { progressToken }),
      ...(logLevel === undefined ? {} : { [`${P}logLevel`]: logLevel }),
    }
    talk.send({ jsonrpc: '2.0', id, method, params: withEnvelope(params, meta) })
    return id
  }
  const cancel = (id: string) => {
    if (wire.leave(id)) return
    talk.send({ jsonrpc: '2.0', method: 'notifications/cancelled', params: withEnvelope({ requestId: id }) })
  }
  const begin: MatrixClient['begin'] = (method, params = {}, wants = {}) => {
    let id = ''
    const read = async (): Promise<Exchange> => {
      const before: Message[] = []
      const asked: Message[] = []
      let given: JsonObject = {}
      for (let requests = 1; ; requests++) {
        const since = heard.got.length
        id = send(method, { ...params, ...given }, wants)
        const answer = await heard.until(isAnswerTo(id))
        const all = talk.of(id, since)
        before.push(...all.slice(0, all.indexOf(answer)))
        if (answer.result?.resultType !== 'input_required' || requests > 10) return { answer, before, asked, requests }
        const { inputRequests = {}, requestState } = answer.result
        const questions = Object.entries<Message>(inputRequests)
        asked.push(...questions.map(([, question]) => question))
        if (questions.some(([, { params: of }]) => of?.mode === 'url')) await wants.visit?.()
        given = {
          inputResponses: Object.fromEntries(questions.map(([key, question]) => [key, toAnswer(question, wants)])),
          ...(requestState === undefined ? {} : { requestState }),
        }
      }
    }
    return {
      done: read(),
      cancel: () => cancel(id),
      get isAnswered() {
        return heard.got.some(isAnswerTo(id))
      },
    }
  }
  return {
    speaks,
    begin,
    ask: (method, params, wants) => begin(method, params, wants).done,
    async watch({ tools, uri }) {
      const notifications = {
        ...(tools === undefined ? {} : { toolsListChanged: true }),
        ...(uri === undefined ? {} : { resourceSubscriptions: [uri] }),
      }
      const since = heard.got.length
      const id = send('subscriptions/listen', { notifications }, {})
      const next = toNext(heard, since, (message) => message.params?._meta?.[`${P}subscriptionId`] === id)
      const { params } = await next('notifications/subscriptions/acknowledged')
      return {
        acknowledged: params.notifications,
        next,
        stop: () => Promise.resolve(cancel(id)),
      }
    },
    faults: talk.faults,
    close: () => wire.close(),
  }
}

/** Gives what fits one after the other, from a place in the order on. */
function toNext(heard: Heard, since: number, fits: (message: Message) => boolean): Watching['next'] {
  let from = since
  return async (method) => {
    const found = await heard.until(
      (message) => message.method === method && fits(message) && heard.got.indexOf(message, from) !== -1,
    )
    from = heard.got.indexOf(found, from) + 1
    return found
  }
}

const P = 'io.modelcontextprotocol/'

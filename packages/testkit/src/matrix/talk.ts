import type { Id, JsonObject } from '@crosspoint/mcp'
import { Heard } from '../heard.ts'
import type { Message } from '../http.ts'
import { createJudge } from '../older/judge.ts'
import type { OpenWire, Wants, Watching, Wire } from './conversation.ts'
import { refereeOf } from './referees.ts'
import type { Speaks } from './speaks.ts'

/** What both kinds of client have: messages out, messages in, a judge between. */
export interface Talk {
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

export async function openTalk(speaks: Speaks, openWire: OpenWire): Promise<Talk> {
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
export function toAnswer({ method, params }: Message, { declines }: Wants): JsonObject {
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
export function toCapabilities({ elicitsForms, elicitsPages }: Speaks): JsonObject {
  const elicitation = elicitsPages ? { form: {}, url: {} } : {}
  return { sampling: {}, roots: {}, ...(elicitsForms ? { elicitation } : {}) }
}

export const isAnswerTo = (id: Id) => (message: Message) => message.id === id && message.method === undefined

/** Gives what fits one after the other, from a place in the order on. */
export function toNext(heard: Heard, since: number, fits: (message: Message) => boolean): Watching['next'] {
  let from = since
  return async (method) => {
    const found = await heard.until(
      (message) => message.method === method && fits(message) && heard.got.indexOf(message, from) !== -1,
    )
    from = heard.got.indexOf(found, from) + 1
    return found
  }
}

import { McpError } from '../../errors.ts'
import { encodeNotification } from '../../jsonrpc/encode.ts'
import type { JsonObject } from '../../jsonrpc/frame.ts'
import { Conversation } from '../../peer/conversation.ts'
import type { Answer, Waiting } from '../../peer/pending.ts'
import { encodeCall, type Outgoing } from '../../protocol/envelope.ts'
import type { Revision } from '../../revisions/revision.ts'
import type { Channel } from '../channel.ts'
import type { ChangeListener, Closed, Wire, WireOptions } from '../wire.ts'

/** The client's end of a channel: stdio or memory, any revision. The channel is started here. */
export function openDuplexWire(channel: Channel, options: WireOptions): Wire {
  return new DuplexWire(channel, options)
}

class DuplexWire implements Wire {
  readonly hearsChanges = Promise.resolve(true)
  readonly closed: Promise<Closed>
  readonly #channel: Channel
  readonly #conversation: Conversation
  #end: Closed | undefined
  #asked = false
  /** Why we gave the server up. */
  #problem: string | undefined
  /** Messages held back while the channel is full; undefined while it is not. */
  #held: string[] | undefined

  constructor(channel: Channel, options: WireOptions) {
    this.#channel = channel
    this.#conversation = new Conversation({
      ...options,
      reply: (text) => this.#write(text),
      abandon: (waiting, reason) => this.#abandon(waiting, reason),
    })
    this.closed = new Promise((resolve) => {
      channel.start({
        message: (text) => this.#conversation.receive(text),
        whole: (bytes) => this.#conversation.relay([bytes], bytes.length),
        fault: (reason, sample) => options.fault?.(reason, sample),
        closed: (error) => resolve(this.#over(error)),
      })
    })
  }

  get revision(): Revision {
    return this.#conversation.revision
  }

  adopt(revision: Revision): void {
    this.#conversation.revision = revision
  }

  onChange(listener: ChangeListener): void {
    this.#conversation.changed = listener
  }

  /** A pipe that is there keeps its session. */
  onLost(): void {}

  request(outgoing: Outgoing, hop: string, timeoutMs?: number): Promise<Answer> {
    if (this.#end !== undefined) throw unavailable(outgoing.method, this.#end.reason)
    const waiting = this.#conversation.pending.open(outgoing, timeoutMs)
    this.#write(encodeCall(waiting.id, outgoing, hop, waiting.asksProgress))
    return waiting.answer
  }

  notify(method: string, params: JsonObject): Promise<void> {
    this.#write(encodeNotification(method, params))
    return Promise.resolve()
  }

  close(): Promise<void> {
    if (!this.#asked) this.#conversation.leave()
    this.#asked = true
    return this.#channel.close()
  }

  #write(text: string): void {
    if (this.#end !== undefined) return
    if (this.#held === undefined) {
      if (!this.#channel.send(text)) this.#hold()
    } else if (this.#held.length < MAX_HELD) this.#held.push(text)
    else {
      this.#problem ??= 'The server does not read what it is sent'
      void this.#channel.close()
    }
  }

  #hold(): void {
    this.#held = []
    void this.#channel.drained().then(() => {
      const held = this.#held ?? []
      this.#held = undefined
      for (const text of held) this.#write(text)
    })
  }

  #abandon(waiting: Waiting, reason: string): void {
    // `initialize` cannot be cancelled in any revision that has it.
    if (waiting.outgoing.method === 'initialize') return
    void this.notify('notifications/cancelled', { requestId: waiting.id, reason })
  }

  #over(error: Error | undefined): Closed {
    const reason = this.#problem ?? error?.message ?? (this.#asked ? 'Closed by us' : 'Closed by the server')
    this.#end = { reason, asked: this.#asked }
    this.#held = undefined
    this.#conversation.pending.failAll(({ outgoing }) => lost(outgoing.method, reason))
    return this.#end
  }
}

/** A tool may have run before its answer was lost; everything else can simply be asked again. */
export function lost(method: string, reason: string): McpError {
  return method === 'tools/call'
    ? new McpError(
        'upstream.closed',
        `Lost the server while "${method}" was at work, its outcome is unknown: ${reason}`,
      )
    : new McpError('upstream.unavailable', `Lost the server while "${method}" was at work: ${reason}`)
}

function unavailable(method: string, reason: string): McpError {
  return new McpError('upstream.unavailable', `Cannot send "${method}", the server is gone: ${reason}`, {
    neverRan: true,
  })
}

/** Messages that wait for a full channel. */
const MAX_HELD = 4_096

import { randomBytes } from 'node:crypto'
import { McpError } from '../../../errors.ts'
import type { Id } from '../../../jsonrpc/frame.ts'
import type { EventStream } from '../sse.ts'
import { askedOn, type Position, parseEventId, toEventId, toStreamName } from './event-id.ts'
import type { FoundEvents, StoredEvent } from './event-store.ts'
import type { Resume } from './options.ts'
import { PAGE_EVENTS, ResumableStream, type StreamHome } from './resumable-stream.ts'

export interface SharedStreams {
  /** What the session is called in the store, by all of them. */
  readonly name: string
  /** The first number that no stream of an earlier process has. */
  readonly since: number
}

/** The resumable streams of one session: those of answers under way, and those for news, with or without a reader. */
export class SessionStreams implements StreamHome {
  readonly resume: Resume
  readonly isPriming: boolean
  readonly owner: string | undefined
  readonly #maxStanding: number
  #name: string | undefined
  #count: number
  readonly #since: number
  readonly #isShared: boolean
  readonly #open = new Map<string, ResumableStream>()
  /** Those for news, that which found its reader last at the end. */
  #standing: readonly ResumableStream[] = []
  /** Connections of answers that were taken up again, by stream. */
  #resumed: Map<string, EventStream> | undefined
  isClosed = false

  /**
   * @param maxStanding most streams for news without a reader that are remembered
   * @param owner whose they are, where callers are known
   * @param shared where other processes may go on with them. Default: none may
   */
  constructor(
    resume: Resume,
    isPriming: boolean,
    maxStanding: number,
    owner: string | undefined,
    shared?: SharedStreams,
  ) {
    this.#name = shared?.name
    this.#count = shared?.since ?? 0
    this.#since = this.#count
    this.#isShared = shared !== undefined
    this.owner = owner
    this.resume = resume
    this.isPriming = isPriming
    this.#maxStanding = maxStanding
  }

  /** Random, and made when there is a stream: most sessions never have one. */
  get name(): string {
    this.#name ??= randomBytes(NAME_BYTES).toString('base64url')
    return this.#name
  }

  /** An answer becomes a stream. */
  openAnswer(outlet: EventStream, asked?: readonly Id[]): ResumableStream {
    return this.#begin(outlet, false, this.#isShared ? asked : undefined)
  }

  openStanding(outlet: EventStream): ResumableStream {
    const stream = this.#begin(outlet, true)
    this.#standing = this.#standing.concat(stream)
    if (this.#standing.length > this.#maxStanding * 2) this.#forgetUnread()
    return stream
  }

  /** The stream for news that is read, the newest of several. */
  reading(): ResumableStream | undefined {
    return this.#standing.findLast((stream) => stream.hasReader)
  }

  /**
   * Where a client wants to go on.
   * @throws {McpError} `peer.invalid_request` for an id that is none of this session's, whoever else may have it
   */
  find(lastEventId: string): Position {
    const position = parseEventId(lastEventId)
    if (position === undefined || position.session !== this.#name || position.number > this.#count) throw notOurs()
    const stream = this.#open.get(position.stream)
    if (stream !== undefined && position.seq > stream.last) throw notOurs()
    return position
  }

  /** What comes first there; undefined where that is not held any more. */
  async read({ stream, seq }: Position): Promise<FoundEvents> {
    const last = this.#open.get(stream)?.last
    if (seq === last) return NOTHING
    const found = await this.resume.store.read(this.name, stream, seq, PAGE_EVENTS)
    // A store that finds nothing newer although something was said has lost it.
    return found?.length === 0 && last !== undefined ? undefined : found
  }

  /** A stream for news that was given up cannot go on; one that ended with its answer can be heard again. */
  canTakeUp({ stream, isStanding }: Position): boolean {
    return !isStanding || this.#open.has(stream)
  }

  /** Whether a process that is gone had it: what it did not say will never be said. */
  isOrphan({ number, isStanding }: Position): boolean {
    return !isStanding && this.#isShared && number <= this.#since
  }

  /**
   * Hands the stream of an answer that a process which is gone began to the connection of a client that came back for it:
   * what was said of it, and then, where the answer is not among that, that there will be none.
   */
  async takeUpOrphan(position: Position, outlet: EventStream, toLost: (ids: readonly Id[]) => readonly string[]) {
    const { stream } = position
    const pending = new Set(askedOn(stream))
    let last = 0
    for (let after = 0; ; after = last) {
      const page = await this.resume.store.read(this.name, stream, after, PAGE_EVENTS)
      if (page === undefined || page.length === 0) break
      for (const { seq, text } of page) {
        last = seq
        pending.delete(answeredBy(text))
        if (seq > position.seq) outlet.send(text, toEventId(this.name, stream, seq))
      }
      if (outlet.isFull) await outlet.drained()
      if (!outlet.isOpen) return
    }
    for (const text of toLost([...pending])) outlet.send(text)
    outlet.end()
  }

  /** Hands a stream to the connection of a client that came back for it, with what comes first. */
  takeUp(position: Position, outlet: EventStream, page: readonly StoredEvent[]): ResumableStream {
    const stream = this.#open.get(position.stream) ?? new ResumableStream(position.stream, this, true)
    if (position.isStanding) {
      this.#standing = this.#standing.filter((other) => other !== stream).concat(stream)
    } else this.#addResumed(position.stream, outlet)
    stream.takeUp(outlet, position.seq, page)
    return stream
  }

  /** @throws {McpError} `policy.limit` where no other answer may be taken up now */
  checkRoom({ stream, isStanding }: Position): void {
    const { maxResumed } = this.resume
    const resumed = this.#resumed
    if (isStanding || resumed === undefined || resumed.has(stream) || resumed.size < maxResumed) return
    throw new McpError('policy.limit', `Cannot resume another stream: this session has taken up ${maxResumed}`)
  }

  beat(): void {
    for (const outlet of this.#resumed?.values() ?? []) outlet.beat()
  }

  left(stream: ResumableStream): void {
    this.#open.delete(stream.name)
  }

  /** The session is over here. Unless it goes on elsewhere, nothing of it can be resumed. */
  close(goesOn = false): void {
    this.isClosed = true
    for (const stream of this.#open.values()) stream.close()
    for (const outlet of this.#resumed?.values() ?? []) outlet.end()
    this.#open.clear()
    this.#standing = []
    if (this.#name !== undefined && !goesOn) this.#drop(undefined)
  }

  #begin(outlet: EventStream, isStanding: boolean, asked?: readonly Id[]): ResumableStream {
    const stream = new ResumableStream(toStreamName(isStanding, ++this.#count, asked), this)
    this.#open.set(stream.name, stream)
    stream.begin(outlet)
    return stream
  }

  #addResumed(name: string, outlet: EventStream): void {
    this.#resumed ??= new Map()
    const resumed = this.#resumed
    resumed.get(name)?.drop()
    resumed.set(name, outlet)
    outlet.onClose(() => {
      if (resumed.get(name) === outlet) resumed.delete(name)
    })
  }

  #forgetUnread(): void {
    const stream = this.#standing.find(({ hasReader }) => !hasReader)
    if (stream === undefined) return
    this.#standing = this.#standing.filter((other) => other !== stream)
    stream.end()
    this.#drop(stream.name)
  }

  #drop(stream: string | undefined): void {
    const failed = (error: unknown) => this.resume.log('error', 'event_store.failed', { error })
    try {
      this.resume.store.drop(this.name, stream)?.catch(failed)
    } catch (error) {
      failed(error)
    }
  }
}

/** What a message answers; undefined where it is no answer. */
function answeredBy(text: string): Id {
  const { id, method } = JSON.parse(text) as { readonly id?: Id; readonly method?: unknown } // we wrote it
  return method === undefined && id !== undefined ? id : NONE
}

function notOurs(): McpError {
  return new McpError('peer.invalid_request', 'Cannot resume: "Last-Event-ID" is no event of this session')
}

/** No request has it. */
const NONE: Id = Number.NaN
const NOTHING: readonly StoredEvent[] = Object.freeze([])
/** 128 bits less four bytes: it guards nothing by itself, since the session is found by its own id first. */
const NAME_BYTES = 12

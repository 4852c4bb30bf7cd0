import { McpError, toHttpStatus, toRetryAfterMs, toRpcError } from '../../errors.ts'
import { encodeErrorFor } from '../../jsonrpc/encode.ts'
import type { Id } from '../../jsonrpc/frame.ts'
import { FrameFault } from '../../jsonrpc/parse.ts'
import type { Clock } from '../../peer/clock.ts'
import type { Held } from '../../peer/held.ts'
import type { OpenCall, Way } from '../../peer/open-call.ts'
import { type Reply, toText } from '../../peer/reply.ts'
import type { Log } from '../../peer/served.ts'
import type { Accepts } from './accept.ts'
import { toChallenge } from './challenge.ts'
import type { HttpResponse, HttpSocket } from './exchange.ts'
import type { ResourceMetadata } from './resource-metadata.ts'
import type { SessionStreams } from './resume/session-streams.ts'
import { EventStream } from './sse.ts'

/** What everything behind one door has in common. */
export interface DoorState {
  readonly log: Log
  readonly clock: Clock
  /** No connection is used again. */
  isClosing: boolean
  /**
   * Bytes of bodies that are not answered yet: as long as one is at work, it is held. Beyond the first chunk of each,
   * where the answer goes the same way: the connections bound those.
   */
  heldBytes: number
  readonly maxHeldBytes: number
  /** Large answers that did not leave yet, the oldest first: of them as many bytes may be held. */
  readonly unread: Set<HttpReply>
  unreadBytes: number
  /** What is said of the resource that a request was for. */
  readonly resourceMetadata: ((url: string) => ResourceMetadata | undefined) | undefined
}

/** What replies of one endpoint have in common. */
export interface ReplyContext {
  readonly door: DoorState
  /** Replies under way: the door beats and counts them. */
  readonly open: Set<Held<HttpReply>>
  /** Most bytes that may wait for a reader who does not read. */
  readonly maxStreamBytes: number
  /** Told of a reader who was cut off. */
  readonly cut: () => void
}

/** What a reply becomes that is no longer one JSON body. */
interface Outlet {
  /** Something can be said on it. */
  readonly isOpen: boolean
  send(text: string): void
  beat(): void
  end(): void
  /** Only of one that outlives its connection. */
  pause?(retryMs?: number): void
}

/**
 * The way back of one POST. It is one JSON body, unless something has to be said before the answer: then it
 * becomes a stream, and the answer is its last event.
 */
export class HttpReply implements Way {
  readonly accepts: Accepts
  /** Only a stream carries anything before the answer. */
  readonly canSend: boolean
  readonly response: HttpResponse
  /** Taken back when the client has gone before its answer. */
  call: OpenCall | undefined
  /** Where it can be resumed once it is a stream. */
  streams: SessionStreams | undefined
  /** What it answers, where another process may have to say that it never will. */
  asked: readonly Id[] | undefined
  /** Bytes of its body that count among those of the door. */
  heldBytes: number
  readonly #context: ReplyContext
  #stream: Outlet | undefined
  #beats: number
  #isLeaving: boolean
  /** Bytes of its answer that count among those of the door. */
  #unread: number

  constructor(response: HttpResponse, accepts: Accepts, context: ReplyContext) {
    this.response = response
    this.accepts = accepts
    this.canSend = accepts.sse
    this.call = undefined
    this.streams = undefined
    this.asked = undefined
    this.heldBytes = 0
    this.#context = context
    this.#stream = undefined
    this.#beats = 0
    this.#isLeaving = false
    this.#unread = 0
    const held: Held<HttpReply> = { it: this }
    context.open.add(held)
    whenGone(response, () => {
      context.open.delete(held)
      held.it = undefined
      if (this.#unread > 0) this.#left()
      if (!response.writableFinished && this.call !== undefined) this.call.drop(hungUp())
    })
  }

  get traceparent(): string | undefined {
    const { traceparent } = this.response.req.headers
    return typeof traceparent === 'string' ? traceparent : undefined
  }

  get network(): 'tcp' {
    return 'tcp'
  }

  notify(text: string): void {
    if (this.accepts.sse) this.#begin()?.send(text)
  }

  send(text: string): boolean {
    const stream = this.accepts.sse ? this.#begin() : undefined
    if (stream === undefined || !stream.isOpen) return false
    stream.send(text)
    return true
  }

  answer(answer: Reply | undefined): void {
    const { response } = this
    if (this.heldBytes > 0) this.release()
    // A stream that can be resumed takes its answer even when nobody is there.
    const isGone = response.writableEnded || response.destroyed || this.#isLeaving
    if (isGone && this.#stream === undefined) return
    if (!isGone && answer !== undefined && (answer.tail !== undefined || answer.text.length >= LARGE_BYTES))
      this.#count(answer)
    const { json, ratherSse } = this.accepts
    // A stream that is primed survives the loss of its connection, which a client that asks for streams first wants.
    if (this.#stream !== undefined || !json || (ratherSse === true && this.streams?.isPriming === true)) {
      const stream = this.#begin()
      if (answer !== undefined) stream?.send(toText(answer))
      stream?.end()
    } else if (answer === undefined) this.nothing(202)
    else if (answer.tail === undefined) this.#json(answer.status, answer.text, answer.retryAfterMs)
    else if (response.req.complete) this.#ready(answer.text, answer.tail.pieces)
    else this.#json(answer.status, toText(answer))
  }

  /** Counts a large answer until it has left. Of too many those go that have waited for their readers longest. */
  #count({ text, tail }: Reply): void {
    const { door } = this.#context
    let bytes = text.length
    for (const piece of tail?.pieces ?? []) bytes += piece.length
    if (bytes < LARGE_BYTES) return
    this.#unread = bytes
    door.unreadBytes += bytes
    door.unread.add(this)
    for (const oldest of door.unread) {
      if (door.unreadBytes <= door.maxHeldBytes || oldest === this) return
      door.log('warn', 'answer.cut', { bytes: oldest.#unread, maxBytes: door.maxHeldBytes })
      oldest.#left()
      oldest.response.req.socket.destroy()
    }
  }

  /** Its answer waits for nobody any more. */
  #left(): void {
    const { door } = this.#context
    door.unread.delete(this)
    door.unreadBytes -= this.#unread
    this.#unread = 0
  }

  /** Its body is needed no longer. */
  release(): void {
    this.#context.door.heldBytes -= this.heldBytes
    this.heldBytes = 0
  }

  /**
   * What the body asks for is answered elsewhere. All of it counts on, the first chunk too, since no connection is held
   * by it any more, until the function returned is called.
   * @throws {McpError} `policy.busy` where there is no room for that
   */
  handOver(bytes: number): () => void {
    const { door } = this.#context
    this.release()
    if (door.heldBytes > 0 && door.heldBytes + bytes > door.maxHeldBytes) throw tooManyBytes()
    door.heldBytes += bytes
    return () => {
      door.heldBytes -= bytes
    }
  }

  /** Somebody else answers: nothing of ours goes out meanwhile. */
  yield(): void {
    this.#isLeaving = true
  }

  /** Nobody else did. */
  takeBack(): void {
    this.#isLeaving = false
  }

  /** Lets the connection go while the call goes on: where its sender knows to come back, nothing elsewhere. */
  pause(retryMs?: number): void {
    if (this.accepts.sse && this.streams?.isPriming === true) this.#begin()?.pause?.(retryMs)
  }

  /** The messages were taken and there is nothing to say. */
  nothing(status: number): void {
    this.release()
    if (this.#context.door.isClosing) this.response.shouldKeepAlive = false
    this.response.writeHead(status, NO_CONTENT).end()
  }

  /** What came was no message we take. `idText` is the id as its sender wrote it. */
  refuse(error: unknown, idText?: string): void {
    this.release()
    if (error instanceof FrameFault) {
      this.#json(400, encodeErrorFor(error.idText, { code: error.rpcCode, message: error.message }))
    } else if (error instanceof McpError) this.#refuse(error, idText)
    else this.#refuse(new McpError('internal.error', 'Internal error', { cause: error }), idText)
  }

  #refuse(error: McpError, idText: string | undefined): void {
    // Without a request to answer, a fault of ours is one of the server and not of a call.
    const status = error.code === 'internal.error' ? 500 : toHttpStatus(error)
    if (status === 413 || status === 408) this.response.shouldKeepAlive = false
    if (error.challenge !== undefined || status === 401) this.#challenge(error)
    if (status === 500) this.#context.door.log('error', 'request.failed', { error: error.cause })
    else this.#context.door.log('info', 'request.refused', { code: error.code, message: error.message })
    this.#json(status, encodeErrorFor(idText, toRpcError(error, 'modern')), toRetryAfterMs(error))
  }

  #challenge({ challenge }: McpError): void {
    const { door } = this.#context
    let metadata: ResourceMetadata | undefined
    try {
      metadata = door.resourceMetadata?.(this.response.req.url ?? '/')
    } catch (error) {
      door.log('error', 'metadata.failed', { error })
    }
    this.response.setHeader('www-authenticate', toChallenge(challenge, metadata))
  }

  /** Keeps a silent connection alive: a reply that is long in coming becomes a stream at the second beat. */
  beat(): void {
    if (!this.accepts.sse || this.#isLeaving || this.#beats++ === 0) return
    this.#begin()?.beat()
  }

  #json(status: number, text: string, retryAfterMs = 1_000): void {
    const { response } = this
    if (this.#context.door.isClosing || (!response.req.complete && !isShort(response))) response.shouldKeepAlive = false
    if (status === 503 || status === 429) {
      response.setHeader('retry-after', String(Math.max(1, Math.ceil(retryAfterMs / 1_000))))
    }
    response.writeHead(status, { 'content-type': 'application/json', 'content-length': Buffer.byteLength(text) })
    if (response.req.complete) response.end(text)
    else if (response.shouldKeepAlive) {
      response.end(text)
      // The little that is left: unread, it would stop the whole connection, and with it the news that its client went.
      response.req.resume()
    } else this.#linger(text)
  }

  /** What is kept or relayed goes out as the bytes it is, without a copy. */
  #ready(text: string, pieces: readonly Uint8Array[]): void {
    const { response } = this
    if (this.#context.door.isClosing) response.shouldKeepAlive = false
    let length = Buffer.byteLength(text)
    for (const piece of pieces) length += piece.length
    response.writeHead(200, { 'content-type': 'application/json', 'content-length': length })
    response.write(text)
    for (const piece of pieces) response.write(piece)
    response.end()
  }

  /**
   * Answers while the client is still sending. To close at once would reset the connection, and the answer with it;
   * so what is on its way is thrown away for a moment. Who sends more than that is not read any more: its bytes stay
   * where they are until the connection ends, with that moment. Nor would we hear of its going then, which other
   * requests may wait for: where they are before this one, the connection ends at once.
   */
  #linger(text: string): void {
    const { req } = this.response
    this.#isLeaving = true
    this.response.write(text)
    // Out with it now: the parser may end the connection over what comes next.
    this.response.socket?.uncork()
    let bytes = 0
    const timer = this.#context.door.clock.setTimer(LINGER_MS, () => {
      this.response.end()
      if (bytes >= LINGER_BYTES) req.socket.destroy()
    })
    this.response.once('close', () => timer.cancel())
    req.once('end', () => this.response.end())
    req.on('data', (chunk) => {
      bytes += chunk.length
      if (bytes < LINGER_BYTES) return
      if (this.response.socket === null || this.response.writableEnded) req.socket.destroy()
      else req.pause()
    })
    req.resume()
  }

  #begin(): Outlet | undefined {
    if (this.#stream === undefined) {
      if (this.response.writableEnded || this.response.destroyed) return undefined
      if (this.#context.door.isClosing) this.response.shouldKeepAlive = false
      const { maxStreamBytes, cut } = this.#context
      const stream = new EventStream(this.response, maxStreamBytes, cut)
      const { streams } = this
      this.#stream = streams === undefined || streams.isClosed ? stream : streams.openAnswer(stream, this.asked)
    }
    return this.#stream
  }
}

/**
 * Hears of the end of a response, whether it was sent or its client has gone; never before its caller returns. A
 * response behind another one on the same connection has no socket yet, and Node tells it nothing when that closes:
 * such ones are told here. So are those that were over before anybody asked: nothing tells them a second time.
 */
export function whenGone(response: HttpResponse, gone: () => void): void {
  if (isGone(response)) queueMicrotask(gone)
  else if (response.socket === null) standInLine(response, gone)
  else response.on('close', gone)
}

/**
 * Nobody is there to answer any more. To be asked after each wait before {@link whenGone}: for a name, or in a host
 * application before the request was ours. Of a connection that is only about to close, its end is still to be heard.
 */
export function isGone({ destroyed, req }: HttpResponse): boolean {
  return destroyed || req.socket.closed
}

function standInLine(response: HttpResponse, gone: () => void): void {
  const { socket } = response.req
  const line = lines.get(socket) ?? openLine(socket)
  if (line.size >= MAX_IN_LINE) socket.destroy()
  const leave = () => {
    if (line.delete(leave)) gone()
  }
  line.add(leave)
  response.on('close', leave)
}

/** One listener for the connection, however many stand in line. */
function openLine(socket: HttpSocket): Set<() => void> {
  const line = new Set<() => void>()
  lines.set(socket, line)
  socket.once('close', () => {
    for (const leave of line) leave()
  })
  return line
}

/** By connection: who waits there for the answers before theirs. */
const lines = new WeakMap<HttpSocket, Set<() => void>>()
/** Requests that may stand behind an unanswered one. Hardly a client sends any; each may hold a whole body. */
const MAX_IN_LINE = 100

/** What is left of a request is so little that its connection may go on after it. */
function isShort({ req }: HttpResponse): boolean {
  const { 'content-length': length, 'transfer-encoding': coding } = req.headers
  return coding === undefined && Number(length ?? 0) <= LINGER_BYTES
}

export function tooManyBytes(): McpError {
  return new McpError('policy.busy', 'Cannot take so large a body now: too many wait for their answers')
}

function hungUp(): McpError {
  return new McpError('caller.cancelled', 'The caller closed the connection')
}

/** Answers of fewer bytes are not counted: the connections bound them. */
const LARGE_BYTES = 64 * 1024
const LINGER_MS = 1_000
/** What is thrown away of a body after it was refused. */
const LINGER_BYTES = 64 * 1024
const NO_CONTENT = Object.freeze({ 'content-length': 0 })

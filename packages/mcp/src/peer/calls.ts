import { McpError } from '../errors.ts'
import type { Id } from '../jsonrpc/frame.ts'
import type { Timer } from './clock.ts'
import type { Held } from './held.ts'
import type { Keeper, OpenCall } from './open-call.ts'
import type { Served } from './served.ts'
import type { Shares } from './shares.ts'

export interface CallsOptions {
  /** Whether calls are found by their ids, as within one conversation; ids of different callers would collide. */
  readonly keyed: boolean
  /** Most at work at once; more wait in line. */
  readonly maxConcurrent: number
  /** Most in line; more are refused with `policy.limit`. */
  readonly maxWaiting: number
  /** Most bytes in line. Default: not counted. */
  readonly maxWaitingBytes?: number
  /** How many bytes the message has that is being taken. Asked for those alone that have to wait. */
  readonly weigh?: () => number
  /** Most listening at once, beside the others. Default 256. */
  readonly maxListening?: number
  /** Where callers are known: how many of those each may have. */
  readonly listeners?: Shares | undefined
}

interface Waiting {
  readonly call: OpenCall
  readonly bytes: number
}

/** The calls of one conversation, or of one door: how many work at once, how long each may, and how they all end. */
export class Calls implements Keeper {
  readonly #served: Served
  readonly #options: CallsOptions
  /** Oldest first, so the first one is the first to be overdue. Made with the first: many sessions only listen. */
  #open: Map<Id, Held<OpenCall>> | undefined
  /** Made with the first: a session of a handshake revision has none. */
  #listening: Map<Id, OpenCall> | undefined
  /** Stands for the id of a call that is not found by its own. */
  #count = 0
  #line: Waiting[] = []
  #lineBytes = 0
  #running = 0
  #isHeld = false
  #overdue: Timer | undefined
  #whenIdle: (() => void)[] = []

  constructor(served: Served, options: CallsOptions) {
    this.#served = served
    this.#options = options
  }

  get size(): number {
    return (this.#open?.size ?? 0) + (this.#listening?.size ?? 0)
  }

  /** Bytes of what is in line. */
  get waitingBytes(): number {
    return this.#lineBytes
  }

  /** Runs the call now, or when one before it ends. A call that cannot be taken fails at once. */
  take(call: OpenCall): void {
    const { keyed, maxListening = MAX_LISTENING, maxConcurrent, listeners } = this.#options
    call.key = keyed ? call.id : this.#count++
    if (this.#open?.has(call.key) === true || this.#listening?.has(call.key) === true) {
      call.fail(new McpError('peer.invalid_request', `Cannot take a request whose id is that of one still open`))
      return
    }
    call.keeper = this
    if (call.isListening) {
      this.#listening ??= new Map()
      if (this.#listening.size >= maxListening) {
        call.keeper = undefined
        call.fail(new McpError('policy.limit', `Cannot listen: ${maxListening} requests do already`))
        return
      }
      if (listeners?.hasRoomFor(call.caller.principal) === false) {
        call.keeper = undefined
        call.fail(tooManyListen(listeners))
        return
      }
      listeners?.add(call.caller.principal)
      this.#listening.set(call.key, call)
      call.run()
      return
    }
    const mustWait = this.#isHeld || this.#running >= maxConcurrent
    const bytes = mustWait ? (this.#options.weigh?.() ?? 0) : 0
    if (mustWait && !this.#hasRoomFor(bytes)) {
      call.keeper = undefined
      const { length } = this.#line
      call.fail(length === 0 ? tooManyWork(this.#running) : tooManyWait(length, this.#lineBytes))
      return
    }
    call.held = { it: call }
    this.#open ??= new Map()
    this.#open.set(call.key, call.held)
    this.#overdue ??= this.#served.clock.setTimer(this.#served.callTimeoutMs, () => this.#failOverdue())
    if (mustWait) {
      this.#line.push({ call, bytes })
      this.#lineBytes += bytes
      return
    }
    this.#running++
    call.run()
  }

  leave(call: OpenCall): void {
    if (call.isListening) this.#leaveListening(call)
    else this.#open?.delete(call.key)
    if (call.held !== undefined) call.held.it = undefined
    if (!call.isListening) {
      if (call.isRunning) this.#running--
      if (this.#line.length > 0) this.#leaveLine(call)
    }
    if (this.#whenIdle.length === 0 || this.size > 0) return
    for (const resolve of this.#whenIdle.splice(0)) resolve()
  }

  /** Begins no other call until released: nobody reads the answers. Those at work go on. */
  hold(): void {
    this.#isHeld = true
  }

  release(): void {
    this.#isHeld = false
    while (this.#running < this.#options.maxConcurrent && this.#runNext());
  }

  /** The caller no longer wants an answer. Says whether there was such a call. */
  cancel(id: Id): boolean {
    const call = this.#open?.get(id)?.it ?? this.#listening?.get(id)
    call?.drop(new McpError('caller.cancelled', 'The caller cancelled the request'))
    return call !== undefined
  }

  /** Ends those that listen, each with its result; `before` is told of each first. */
  finishListening(before?: (call: OpenCall) => void): void {
    for (const call of [...(this.#listening?.values() ?? [])]) {
      before?.(call)
      call.finish()
    }
  }

  /** Fails all that are open. */
  fail(error: McpError): void {
    this.#emptyLine()
    for (const call of this.#all()) call.fail(error)
    this.#overdue?.cancel()
    this.#overdue = undefined
  }

  /** Drops all that are open: nobody is there to be answered. */
  drop(reason: McpError): void {
    this.#emptyLine()
    for (const call of this.#all()) call.drop(reason)
    this.#overdue?.cancel()
    this.#overdue = undefined
  }

  /** Resolves when none is open. */
  idle(): Promise<void> {
    if (this.size === 0) return Promise.resolve()
    return new Promise((resolve) => void this.#whenIdle.push(resolve))
  }

  #all(): readonly OpenCall[] {
    const open = [...(this.#open?.values() ?? [])].flatMap(({ it }) => it ?? [])
    return this.#listening === undefined ? open : [...open, ...this.#listening.values()]
  }

  #leaveListening(call: OpenCall): void {
    if (this.#listening?.delete(call.key) === true) this.#options.listeners?.remove(call.caller.principal)
  }

  /** What waits no longer makes room at once: who sends and takes back must not fill the line with nothing. */
  #leaveLine(call: OpenCall): void {
    if (call.isRunning) {
      this.#runNext()
      return
    }
    const at = this.#line.findIndex((waiting) => waiting.call === call)
    const [left] = at === -1 ? [] : this.#line.splice(at, 1)
    if (left !== undefined) this.#lineBytes -= left.bytes
  }

  /** One that is alone always has room: it is bounded by the limit of a message. */
  #hasRoomFor(bytes: number): boolean {
    const { maxWaiting, maxWaitingBytes = Number.POSITIVE_INFINITY } = this.#options
    if (this.#line.length >= maxWaiting) return false
    return this.#line.length === 0 || this.#lineBytes + bytes <= maxWaitingBytes
  }

  #emptyLine(): void {
    this.#line = []
    this.#lineBytes = 0
  }

  #runNext(): boolean {
    const next = this.#isHeld ? undefined : this.#line.shift()
    if (next === undefined) return false
    this.#lineBytes -= next.bytes
    this.#running++
    next.call.run()
    return true
  }

  /**
   * All calls get the same time, so those at the front are the oldest and one timer serves them all. Only those that
   * asked their callers something have more, and are looked at again when the soonest of them may be due.
   */
  #failOverdue(): void {
    this.#overdue = undefined
    const { clock, callTimeoutMs } = this.#served
    const now = clock.now()
    let soonest = Number.POSITIVE_INFINITY
    for (const { it: call } of [...(this.#open?.values() ?? [])]) {
      if (call === undefined) continue
      const left = call.asking > 0 ? callTimeoutMs : (call.call.deadline ?? now) - now
      if (left > 0) {
        soonest = Math.min(soonest, left)
        if (call.hasAsked) continue
        break
      }
      call.fail(new McpError('upstream.timeout', `Cannot answer "${call.call.method}" within ${callTimeoutMs} ms`))
    }
    if (soonest !== Number.POSITIVE_INFINITY) this.#overdue ??= clock.setTimer(soonest, () => this.#failOverdue())
  }
}

export function tooManyListen({ most }: Shares): McpError {
  return new McpError('policy.limit', `Cannot listen: this caller does so ${most} times already`)
}

function tooManyWork(calls: number): McpError {
  return new McpError('policy.limit', `Cannot take another request: ${calls} are at work`)
}

/** @param bytes 0 where they are not counted */
export function tooManyWait(messages: number, bytes: number): McpError {
  const waiting = bytes === 0 ? `${messages} are` : `${messages} messages of ${bytes} bytes are`
  return new McpError('policy.limit', `Cannot take another request: ${waiting} waiting`)
}

const MAX_LISTENING = 256

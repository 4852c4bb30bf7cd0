import type { Frame } from '../../jsonrpc/frame.ts'

/** A message that was read and waits for its turn. */
export interface HeldMessage {
  readonly message: Frame | readonly Frame[]
  readonly bytes: number
  /** Told when nothing of it is held any more. */
  readonly done: (() => void) | undefined
}

/** What came before it could be taken, in order, counted by messages and by bytes. */
export class HeldMessages {
  readonly #maxMessages: number
  readonly #maxBytes: number
  #messages: HeldMessage[] = []
  #bytes = 0

  constructor(maxMessages: number, maxBytes: number) {
    this.#maxMessages = maxMessages
    this.#maxBytes = maxBytes
  }

  get size(): number {
    return this.#messages.length
  }

  get bytes(): number {
    return this.#bytes
  }

  /**
   * Whether so much more may wait. A message that is alone may always: it is bounded by its own limit.
   * @param beside bytes of what waits elsewhere and counts, too
   */
  hasRoomFor(bytes: number, beside: number): boolean {
    const waiting = this.#bytes + beside
    return waiting + this.size === 0 || (this.size < this.#maxMessages && waiting + bytes <= this.#maxBytes)
  }

  push(held: HeldMessage): void {
    this.#messages.push(held)
    this.#bytes += held.bytes
  }

  shift(): HeldMessage | undefined {
    const next = this.#messages.shift()
    if (next !== undefined) this.#bytes -= next.bytes
    return next
  }

  /** Forgets the request of that id: its sender takes it back. */
  withdraw(id: unknown): void {
    const at = this.#messages.findIndex(({ message }) => toFrames(message).some((frame) => isRequest(frame, id)))
    const found = this.#messages[at]
    if (found === undefined) return
    const rest = toFrames(found.message).filter((frame) => !isRequest(frame, id))
    if (rest.length > 0) this.#messages[at] = { ...found, message: rest }
    else {
      this.#messages.splice(at, 1)
      this.#bytes -= found.bytes
      found.done?.()
    }
  }

  clear(): void {
    const messages = this.#messages
    this.#messages = []
    this.#bytes = 0
    for (const { done } of messages) done?.()
  }
}

export function isBatch(message: Frame | readonly Frame[]): message is readonly Frame[] {
  return Array.isArray(message)
}

function toFrames(message: Frame | readonly Frame[]): readonly Frame[] {
  return isBatch(message) ? message : [message]
}

function isRequest(frame: Frame, id: unknown): boolean {
  return frame.kind === 'request' && frame.id === id
}

import { Worker as Thread } from 'node:worker_threads'
import { StoreError } from '../contract/store-error.ts'
import type { Answer, Request, ThreadOptions } from './messages.ts'
import type { Operations } from './operations.ts'

interface Waiting {
  readonly resolve: (result: unknown) => void
  readonly reject: (error: StoreError) => void
}

/** Most requests that wait for one thread; what asks more is told to try again. */
const MAX_WAITING = 10_000

/** A thread with a connection of its own. One that ended unasked is replaced with the next request. */
export class Worker {
  readonly #options: ThreadOptions
  readonly #waiting = new Map<number, Waiting>()
  #thread: Thread | undefined
  #last = 0
  #isClosed = false

  constructor(options: ThreadOptions) {
    this.#options = options
  }

  /** @throws {StoreError} what the file has against it, without leaving a thread behind */
  async open(): Promise<void> {
    try {
      await this.#start()
    } catch (error) {
      await this.#thread?.terminate()
      throw error
    }
  }

  call<Name extends keyof Operations>(
    operation: Name,
    ...args: Parameters<Operations[Name]>
  ): ReturnType<Operations[Name]> {
    // The thread answers with what this operation gives: see `perform` there.
    return this.#ask(operation, args) as ReturnType<Operations[Name]>
  }

  /** @throws {StoreError} `closed` */
  checkOpen(): void {
    if (this.#isClosed) throw new StoreError('closed', 'Cannot use the store: it was closed')
  }

  async close(): Promise<void> {
    if (this.#isClosed) return
    const thread = this.#thread
    const closing = thread === undefined ? undefined : this.#ask('close', [])
    this.#isClosed = true
    await closing
    await thread?.terminate()
  }

  async #ask(operation: Request['operation'], args: readonly unknown[]): Promise<unknown> {
    this.checkOpen()
    if (this.#waiting.size >= MAX_WAITING) {
      throw new StoreError('unavailable', `Cannot use the store: ${MAX_WAITING} requests wait for it already`)
    }
    // Each request is told by itself; one that could not open the file makes room for another that may.
    if (this.#thread === undefined) this.#start().catch(() => void this.#thread?.terminate())
    this.#last += 1
    const id = this.#last
    const answer = this.#expect(id)
    this.#thread?.postMessage({ id, operation, args } satisfies Request)
    return answer
  }

  #expect(id: number): Promise<unknown> {
    // A process does not end while it waits for the store, and does end when nobody uses it.
    if (this.#waiting.size === 0) this.#thread?.ref()
    return new Promise((resolve, reject) => void this.#waiting.set(id, { resolve, reject }))
  }

  #start(): Promise<unknown> {
    const thread = new Thread(ENTRY, { workerData: this.#options, execArgv: [], name: 'crosspoint-store' })
    this.#thread = thread
    thread.on('message', (answer: Answer) => this.#settle(answer))
    thread.on('error', (cause) => this.#lose(thread, cause))
    thread.on('exit', () => this.#lose(thread, undefined))
    return this.#expect(0)
  }

  #settle(answer: Answer): void {
    const waiting = this.#waiting.get(answer.id)
    this.#waiting.delete(answer.id)
    if (this.#waiting.size === 0) this.#thread?.unref()
    if ('error' in answer) waiting?.reject(new StoreError(answer.error.code, answer.error.message))
    else waiting?.resolve(answer.result)
  }

  #lose(thread: Thread, cause: unknown): void {
    if (thread !== this.#thread) return
    this.#thread = undefined
    const all = [...this.#waiting.values()]
    this.#waiting.clear()
    for (const { reject } of all) {
      reject(new StoreError('unavailable', 'Cannot use the store: its thread ended', { cause }))
    }
  }
}

/** Threads run what was built: beside this file, or for the sources, which tests read, where the build puts it. */
const ENTRY = import.meta.url.endsWith('.ts')
  ? new URL('../../../dist/stores/embedded/thread.js', import.meta.url)
  : new URL('./thread.js', import.meta.url)

import type { Frame } from '../jsonrpc/frame.ts'
import type { Way } from './open-call.ts'
import { type Reply, toText } from './reply.ts'

/** Answers to what was asked stay among themselves (specification, basic: batching). */
export function isMixed(batch: readonly Frame[]): boolean {
  const answers = batch.filter(({ kind }) => kind === 'result' || kind === 'error').length
  return answers > 0 && answers < batch.length
}

/** Collects the answers of a batch into one array. Their notifications go ahead on the same stream, if there is one. */
export class BatchWay implements Way {
  readonly #way: Way
  readonly #texts: string[] = []
  #awaited: number

  /** @param awaited how many answers there will be */
  constructor(way: Way, awaited: number) {
    this.#way = way
    this.#awaited = awaited
  }

  notify(text: string): void {
    this.#way.notify(text)
  }

  get traceparent(): string | undefined {
    return this.#way.traceparent
  }

  get network(): Way['network'] {
    return this.#way.network
  }

  get canSend(): boolean {
    return this.#way.canSend
  }

  send(text: string): boolean {
    return this.#way.send(text)
  }

  answer(answer: Reply | undefined): void {
    if (answer !== undefined) this.#texts.push(toText(answer))
    if (--this.#awaited > 0) return
    this.#way.answer(this.#texts.length === 0 ? undefined : { text: `[${this.#texts.join(',')}]`, status: 200 })
  }
}

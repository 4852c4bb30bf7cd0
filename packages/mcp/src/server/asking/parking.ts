import { type Ongoing, Rounds } from '../../bridge/parking/rounds.ts'
import type { JsonObject } from '../../jsonrpc/frame.ts'
import type { Call, Result } from '../../protocol/call.ts'
import { CancellationSource, toReason } from '../../protocol/cancellation.ts'
import { OpenContext } from '../context.ts'
import type { ServerSettings } from '../settings.ts'
import { visit } from './asker.ts'
import { Asking } from './asking.ts'
import { UrlElicitationRequired } from './errors.ts'
import { warnOfForgotten } from './forgotten.ts'
import { checkOwnQuestions } from './own-questions.ts'
import { toInputRequests } from './rounds.ts'
import type { Work } from './work.ts'

/** Runs a handler that keeps its place in memory while it waits for answers. */
export function startParked(
  settings: ServerSettings,
  call: Call,
  work: Work,
  responses: JsonObject = {},
): Promise<Result> {
  const { rounds } = new ParkedHandler(settings, call, work, responses)
  settings.asking.parked.checkRoom(rounds.owner, rounds.bytes)
  return rounds.begin()
}

class ParkedHandler implements Ongoing {
  readonly rounds: Rounds
  readonly #settings: ServerSettings
  readonly #asking: Asking
  readonly #context: OpenContext
  readonly #work: Work
  readonly #given: CancellationSource = new CancellationSource()

  constructor(settings: ServerSettings, call: Call, work: Work, responses: JsonObject) {
    this.#settings = settings
    this.#work = work
    this.#asking = new Asking(call, { mode: 'parked', responses, waiting: () => this.rounds.wait() })
    this.#context = new OpenContext(call, settings, this.#asking, this.#given)
    this.rounds = new Rounds(settings.asking, call, this)
  }

  get questions(): JsonObject {
    return toInputRequests(this.#asking.open.values())
  }

  /** Those that cannot be read are no answers. */
  async read(responses: JsonObject): Promise<() => void> {
    const read: (() => void)[] = []
    for (const question of [...this.#asking.open.values()]) {
      if (Object.hasOwn(responses, question.key)) read.push(await question.read(responses[question.key]))
    }
    return () => {
      for (const take of read) take()
      this.#asking.gather()
    }
  }

  fail(error: unknown): void {
    this.#asking.fail(error)
  }

  speakTo(call: Call): void {
    this.#asking.call = call
    this.#context.call = call
  }

  giveUp(reason: unknown): void {
    this.#given.cancel(reason)
    this.#asking.fail(reason)
  }

  async begin(): Promise<Result> {
    const { run, fail } = this.#work
    try {
      for (let visits = 1; ; visits++) {
        try {
          const result = await run(this.#context)
          if (result.resultType === 'input_required') checkOwnQuestions(this.#settings, this.#asking.call, result)
          warnOfForgotten(this.#settings, this.#asking)
          return result
        } catch (error) {
          if (!(error instanceof UrlElicitationRequired)) throw error
          await Promise.all(
            error.pages.map((page, at) => visit(this.#asking, page.url, page.message, `page-${visits}.${at + 1}`)),
          )
        }
      }
    } catch (error) {
      if (this.#given.isCancelled) throw toReason(this.#given.reason)
      if (this.#asking.fault !== undefined) throw this.#asking.fault
      return fail(error)
    } finally {
      this.#context.end()
    }
  }
}

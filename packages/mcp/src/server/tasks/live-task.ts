import { askForInput } from '../../bridge/input-required.ts'
import { McpError, toRpcError } from '../../errors.ts'
import type { JsonObject } from '../../jsonrpc/frame.ts'
import { without } from '../../jsonrpc/members.ts'
import type { Clock, Timer } from '../../peer/clock.ts'
import type { Call, Interim, Notification, Result } from '../../protocol/call.ts'
import { CancellationSource } from '../../protocol/cancellation.ts'
import type { ClientCapabilities } from '../../protocol/capabilities.ts'
import { checkMayAsk } from '../../protocol/features/asking.ts'
import { isFinal } from '../../protocol/features/tasks.ts'
import { NEWEST } from '../../revisions/index.ts'
import { advance, type TaskEvent, type TaskRecord } from './record.ts'

/** What a task at work needs of whoever keeps it. */
export interface TaskKeeper {
  readonly clock: Clock
  /** Milliseconds since 1970. */
  now(): number
  /**
   * Stores what became of the task and tells who listens; never rejects.
   * @returns what is kept now; undefined where there was no room and all stays as it was
   */
  keep(record: TaskRecord): Promise<TaskRecord | undefined>
  failed(taskId: string, error: unknown): void
}

interface Question {
  readonly resolve: (answer: Result) => void
  readonly reject: (error: McpError) => void
  readonly timer: Timer
}

/** A task this process works on: the handler at work, apart from the call that began it, and what it waits for. */
export class LiveTask {
  readonly #keeper: TaskKeeper
  readonly #capabilities: ClientCapabilities
  readonly #cancellation = new CancellationSource()
  readonly #questions = new Map<string, Question>()
  #record: TaskRecord
  #asked = 0
  #said: string | undefined
  /** Changes are stored one after the other, and seen only then. */
  #changes: Promise<unknown> = Promise.resolve()

  constructor(keeper: TaskKeeper, record: TaskRecord, capabilities: ClientCapabilities) {
    this.#keeper = keeper
    this.#record = record
    this.#capabilities = capabilities
  }

  /** As it was stored last, with what the handler said since. */
  get record(): TaskRecord {
    const said = this.#said
    return said === undefined || isFinal(this.#record.status) ? this.#record : { ...this.#record, statusMessage: said }
  }

  /** Lets the handler work until it is done; never rejects. */
  async run(call: Call, work: (call: Call) => Promise<Result>): Promise<void> {
    try {
      // What the handler asks by its result is asked in the task too, and it works again with the answers.
      const result = await askForInput(
        work,
        this.#keeper.clock,
      )({
        ...call,
        // Answers to what was asked before it began are not for what it asks now.
        params: without(call.params, ['inputResponses', 'requestState']),
        deadline: undefined,
        cancellation: this.#cancellation,
        interim: this.#toInterim(),
      })
      // A copy, since the handler may go on to change what it returned; and what is not JSON fails here.
      await this.#change({ kind: 'completed', result: JSON.parse(JSON.stringify(result)) as JsonObject })
    } catch (error) {
      if (!(error instanceof McpError)) this.#keeper.failed(this.#record.taskId, error)
      await this.#change({ kind: 'failed', error: NEWEST.downError(toRpcError(error, 'modern'), 'tools/call') })
    }
    this.#drop(new McpError('caller.cancelled', 'The task is over'))
  }

  /** Takes what answers open questions, as the first answer of each; the handler goes on once that is stored. */
  async answer(answers: ReadonlyMap<string, Result>): Promise<void> {
    const taken: [Question, Result][] = []
    const keys: string[] = []
    for (const [key, answer] of answers) {
      const question = this.#questions.get(key)
      if (question === undefined) continue
      this.#questions.delete(key)
      question.timer.cancel()
      keys.push(key)
      taken.push([question, answer])
    }
    if (keys.length > 0) await this.#change({ kind: 'answered', keys })
    for (const [question, answer] of taken) question.resolve(answer)
  }

  /** Final at once; the handler is told and may take its time to stop. */
  async cancel(): Promise<void> {
    await this.#change({ kind: 'cancelled' })
    const reason = new McpError('caller.cancelled', 'The caller cancelled the task')
    this.#cancellation.cancel(reason)
    this.#drop(reason)
  }

  /** False where there was no room for it; what ends a task, or takes a question away, always has room. */
  #change(event: TaskEvent): Promise<boolean> {
    const change = this.#changes.then(async () => {
      const before = this.record
      const record = advance(before, event, this.#keeper.now())
      if (record === before) return true
      const kept = await this.#keeper.keep(record)
      this.#record = kept ?? this.#record
      return kept !== undefined
    })
    this.#changes = change
    return change
  }

  /** The way back to a caller whose call is over: questions wait in the task, and what is said becomes its message. */
  #toInterim(): Interim {
    return {
      progress: true,
      logLevel: undefined,
      canAsk: true,
      notify: ({ method, params }) => {
        if (method === 'notifications/progress' && typeof params.message === 'string') this.#said = cut(params.message)
      },
      ask: (request) => this.#ask(request),
    }
  }

  #ask(request: Notification): Promise<Result> {
    return new Promise((resolve, reject) => {
      this.#checkMayAsk(request) // what it throws rejects
      const key = `question-${++this.#asked}`
      const timer = this.#keeper.clock.setTimer(this.#record.keepMs, () => this.#expire(key, request.method))
      this.#questions.set(key, { resolve, reject, timer })
      void this.#change({ kind: 'asked', key, request }).then((isKept) => {
        if (!isKept) this.#refuse(key, request.method)
      })
    })
  }

  #checkMayAsk(request: Notification): void {
    const { method } = request
    if (isFinal(this.#record.status)) throw new McpError('caller.cancelled', `Cannot ask "${method}": the task is over`)
    checkMayAsk(this.#capabilities, request)
    if (this.#questions.size < MAX_QUESTIONS) return
    throw new McpError('policy.limit', `Cannot ask "${method}": ${MAX_QUESTIONS} questions of this task are open`)
  }

  #expire(key: string, method: string): void {
    const question = this.#questions.get(key)
    if (question === undefined) return
    this.#questions.delete(key)
    void this.#change({ kind: 'answered', keys: [key] })
    question.reject(new McpError('caller.unanswered', `Nobody answered "${method}" of the task in time`))
  }

  #refuse(key: string, method: string): void {
    const question = this.#questions.get(key)
    if (question === undefined) return
    this.#questions.delete(key)
    question.timer.cancel()
    const message = `Cannot ask "${method}": the question is too large for what may be kept of tasks`
    question.reject(new McpError('policy.limit', message))
  }

  #drop(reason: McpError): void {
    for (const { timer, reject } of this.#questions.values()) {
      timer.cancel()
      reject(reason)
    }
    this.#questions.clear()
  }
}

/** It is part of the record, which is sent to everybody who asks how the task is. */
function cut(message: string): string {
  return message.length <= MAX_MESSAGE ? message : message.slice(0, MAX_MESSAGE).replace(/[\uD800-\uDBFF]$/, '')
}

const MAX_MESSAGE = 1_000
/** Questions of one task that may be open at once. */
const MAX_QUESTIONS = 64

import type { Clock, Implementation } from '@crosspoint/mcp'
import type { Verifiers } from '../audit/checkpoint.ts'
import type { ConfigIssue } from '../config/config-error.ts'
import type { ConfigDiff } from '../config/diff.ts'
import type { ExplainedSetting } from '../config/explain.ts'
import type { ConfigFormat } from '../config/read.ts'
import type { FrontDoor } from '../front/door.ts'
import type { Gateway } from '../gateway.ts'
import type { Log } from '../log.ts'
import type { LogTap } from '../log-tap.ts'
import type { Store } from '../stores/contract/store.ts'
import type { Asker } from './access.ts'
import type { Answered, Given, OPERATIONS } from './contract/operations.ts'
import type { OperationId } from './routes.ts'

/** The file behind the configuration in force, for a gateway that has one. */
export interface ConfigurationFile {
  readonly path: string
  /** Every setting in force, secrets masked. */
  explain(): readonly ExplainedSetting[]
  /**
   * Reads it again and goes over to what it says.
   * @throws {ConfigError} where it cannot be used
   */
  reload(): Promise<ConfigDiff>
  /** What is wrong with a text, were it the file. Reads no other file. */
  validate(
    text: string,
    format: ConfigFormat | undefined,
  ): { readonly errors: readonly ConfigIssue[]; readonly warnings: readonly ConfigIssue[] }
}

/** What the admin API speaks of. */
export interface AdminNeeds {
  readonly gateway: Gateway
  readonly info: Implementation
  /** Where callers are served. */
  readonly front: Pick<FrontDoor, 'url' | 'sessions'> | undefined
  readonly store: Partial<Pick<Store, 'keys' | 'audit' | 'credentials'>>
  readonly file: ConfigurationFile | undefined
  readonly tap: LogTap | undefined
  readonly log: Log
  readonly clock: Clock
  readonly wallClock: () => number
  readonly host: { readonly host: string; readonly pid: number; readonly node: string }
  /** What checkpoints of the evidence are held against. */
  readonly verifiers: () => Verifiers
}

/** Who asks, and until when anybody waits. */
export interface Asked {
  /** Undefined where nobody had to say. */
  readonly asker: Asker | undefined
  readonly signal: AbortSignal
  /** Adds to the evidence that somebody changed something. */
  record(event: string, target?: string, about?: Readonly<Record<string, string | number | boolean>>): void
}

type Form<Id extends OperationId> = (typeof OPERATIONS)[Id] extends { readonly form: 'jsonl' | 'events' }
  ? AsyncIterable<readonly Answered<Id>[]>
  : (typeof OPERATIONS)[Id] extends { readonly otherStatus: number }
    ? { readonly isOther: boolean; readonly answer: Answered<Id> }
    : Answered<Id>

export type Handler<Id extends OperationId> = (given: Given<Id>, asked: Asked) => Form<Id> | Promise<Form<Id>>

export type Handlers = { readonly [Id in OperationId]: Handler<Id> }

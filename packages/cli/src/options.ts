import type { PolicyQuestion } from '@crosspoint/gateway'

/** Options every command takes, before or after its name. */
export interface CommonOptions {
  readonly config?: string
  readonly json?: boolean
  readonly quiet?: boolean
  readonly verbose?: boolean
}

/** Options of commands that ask a gateway that runs, where there is one. */
export interface RunningOptions extends CommonOptions {
  /** Its admin API. Default: that of the gateway on this configuration. */
  readonly admin?: string
}

/** Options of commands that open a door. */
export interface DoorOptions extends CommonOptions {
  readonly view?: string
}

export interface UpOptions extends DoorOptions {
  readonly host?: string
  readonly port?: number
  /** What `npm start` serves to somebody who has no configuration yet. */
  readonly fallbackConfig?: string
  readonly watch: boolean
}

/** Whose sign-in it is. */
export interface OwnerOptions extends CommonOptions {
  readonly as?: string
  readonly tenant: string
}

export interface ConnectOptions extends OwnerOptions {
  readonly open: boolean
}

export interface LoginOptions extends CommonOptions {
  readonly device?: boolean
  readonly scope?: readonly string[]
}

export interface KeysListOptions extends RunningOptions {
  readonly tenant?: string
}

export interface KeysCreateOptions extends RunningOptions {
  readonly principal: string
  readonly tenant: string
  readonly role?: readonly string[]
  readonly scope?: readonly string[]
  /** Milliseconds. */
  readonly expires?: number
  readonly label?: string
}

export interface KeysRotateOptions extends RunningOptions {
  /** Milliseconds. */
  readonly grace: number
}

/** Options of commands that talk to one target. */
export interface TargetOptions extends CommonOptions {
  readonly view?: string
  /** Milliseconds. */
  readonly timeout?: number
  /** `Name: value`. */
  readonly header?: readonly string[]
  /** `NAME=value`. */
  readonly env?: readonly string[]
  readonly revision?: string
}

export interface ReadOptions extends TargetOptions {
  readonly raw?: boolean
}

export interface ExplainOptions extends TargetOptions {
  readonly clientRevision?: string
}

/** What a command that talks to one target is given. */
export interface Request<Options extends TargetOptions = TargetOptions> {
  /** Target, name and arguments as typed. */
  readonly words: readonly string[]
  /** The words after `--`. */
  readonly child: readonly string[] | undefined
  readonly options: Options
}

export interface AuditVerifyOptions extends RunningOptions {
  readonly chain?: string
  readonly anchor?: readonly string[]
  readonly key?: readonly string[]
}

/** Which records; times in milliseconds since 1970. */
export interface AuditFilters extends RunningOptions {
  readonly tenant?: string
  readonly principal?: string
  readonly method?: string
  readonly target?: string
  readonly upstream?: string
  readonly outcome?: string
  readonly trace?: string
  readonly since?: number
  readonly until?: number
}

export interface AuditSearchOptions extends AuditFilters {
  readonly limit: number
}

export interface AuditExportOptions extends AuditFilters {
  readonly format: 'jsonl' | 'otlp'
  readonly to?: string
}

export interface AccountsAddOptions extends CommonOptions {
  readonly tenant: string
  readonly role?: readonly string[]
}

export interface TokensRevokeOptions extends CommonOptions {
  readonly account?: string
  readonly client?: string
}

export interface PolicyExplainOptions extends RunningOptions {
  readonly as: string
  readonly tenant: string
  readonly role?: readonly string[]
  readonly scope?: readonly string[]
  readonly claims?: string
  readonly view?: string
  readonly kind: PolicyQuestion['kind']
}

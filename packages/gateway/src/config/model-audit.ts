/** How evidence is kept of what happens; see `audit/`. */
export interface AuditConfig {
  /** What is written of arguments: nothing, their names, types and sizes, or all but what is redacted. Default `shape`. */
  readonly content: AuditContent
  /** The same for tools, prompts and resources by their merged names; the first that matches counts. Default none. */
  readonly contentFor: readonly { readonly tools: readonly string[]; readonly content: AuditContent }[]
  /** Members of arguments that are never written, besides those whose names look like secrets. Default none. */
  readonly redact: readonly { readonly tools?: readonly string[]; readonly arguments: readonly string[] }[]
  /** Longest arguments that are written in full, in characters of JSON; of longer ones the shape. Default 16,384. */
  readonly maxContentLength: number
  /** What is written of results: nothing, their size, or size and SHA-256. Default `hash`. */
  readonly results: 'none' | 'size' | 'hash'
  /** Whether a caller gets its answer only when the record is kept. Default `batched`: it does not wait. */
  readonly acknowledge: 'before-answer' | 'batched'
  /** What becomes of calls that could not be recorded: refused, or let through and counted. Default `refuse`. */
  readonly onLoss: 'refuse' | 'count'
  /** Most records written at once. Default 500. */
  readonly batchRecords: number
  /** How long a record waits for others. Default 50 ms. */
  readonly batchDelayMs: number
  /** Most records that wait for the store. Default 20,000. */
  readonly maxWaitingRecords: number
  /** Most characters of them. Default 64 Mi. */
  readonly maxWaitingBytes: number
  /** A checkpoint at the latest after so many records. Default 1,000. */
  readonly checkpointRecords: number
  /** And at the latest after so long. Default 60 s. */
  readonly checkpointMs: number
  /** The key that signs checkpoints; made where it is not there. Default: in the person's configuration folder. */
  readonly keyFile?: string
  /** A file to which checkpoints are appended, or `stderr` for the log. Absent: nowhere but in the store. */
  readonly anchor?: string
  /** Records are forgotten after so many days. Absent: never. */
  readonly retentionDays?: number
}

export type AuditContent = 'none' | 'shape' | 'full'

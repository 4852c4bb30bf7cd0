import type { JsonObject, RpcError } from '../jsonrpc/frame.ts'
import type { MethodDescriptor } from '../protocol/method.ts'

/** What a revision is like, asked by name. Code outside this room never compares dates. */
export interface Traits {
  /** `handshake`: initialize, then a conversation. `envelope`: every request says all it needs in `_meta`. */
  readonly lifecycle: 'handshake' | 'envelope'
  /** `streamable`: one HTTP endpoint. `sse`: a GET stream that names where to POST. */
  readonly http: 'streamable' | 'sse'
  /** HTTP sessions: an id on the initialize answer, GET streams, DELETE. */
  readonly sessions: boolean
  /** Arrays of messages in one POST. */
  readonly batching: boolean
  /** The version header: not known, on what follows initialize, or on every request. */
  readonly versionHeader: 'none' | 'after-initialize' | 'always'
  /** `Mcp-Method`, `Mcp-Name` and `Mcp-Param-*` mirror the body. */
  readonly standardHeaders: boolean
  /** Event ids and `Last-Event-ID`. */
  readonly resumable: boolean
  /** A stream opens with an event of empty data, and may be dropped after it. */
  readonly priming: boolean
  /** The server sends requests of its own; otherwise it returns `input_required`. */
  readonly serverRequests: boolean
  /** How a client hears of changes. */
  readonly subscriptions: 'subscribe' | 'listen'
  /** Where a client says how much it wants logged. */
  readonly logLevel: 'session' | 'request'
  /** Closing the response stream cancels the request. */
  readonly disconnectCancels: boolean
  /** Completion takes into account what was already chosen for other arguments. */
  readonly completionContext: boolean
  readonly tasks: 'none' | 'core' | 'extension'
  /** Results carry `resultType`, and `_meta` names the server. */
  readonly resultType: boolean
  /** Results of lists, reads and discovery carry `ttlMs` and `cacheScope`. */
  readonly cacheHints: boolean
  readonly errorCodes: 'legacy' | 'modern'
  /** An error answer may leave its id out. */
  readonly errorWithoutId: boolean
}

/**
 * Converts one value; never changes what it was given.
 * @throws {McpError} `caller.missing_capability` for a question to a client (sampling, elicitation) that its
 *   revision cannot put into words; `upstream.protocol` for an answer of a client that the asking server's revision
 *   has no words for. Nothing else throws: what has an unknown shape passes through.
 */
export type Step = (value: JsonObject) => JsonObject
/** Converts an error; `method` is that of the request it answers. */
export type ErrorStep = (error: RpcError, method: string) => RpcError

/** One hop of conversion between neighbours. A step that has nothing to change returns what it was given. */
export interface Steps {
  /**
   * Parameters of requests and notifications, by method. Those of `initialize` hold the client's capabilities, its
   * result the server's: converting them is how one side's capabilities are said in the words of the other.
   */
  readonly params?: Readonly<Record<string, Step>>
  /** Results, by method of the request; `every` runs for all of them, after the method's own. */
  readonly results?: Readonly<Record<string, Step>>
  readonly every?: Step
  readonly error?: ErrorStep
}

/** A revision, as the difference from its newer neighbour. */
export interface Delta<Name extends string = string> {
  readonly name: Name
  /** Other spellings seen in the field. */
  readonly aliases?: readonly string[]
  readonly traits: Partial<Traits>
  /** Methods this revision has and its newer neighbour does not. */
  readonly adds?: readonly string[]
  /** Methods its newer neighbour has and this revision does not. */
  readonly removes?: readonly string[]
  /** What a server must announce for a method, where it is not what it is in the newer neighbour; undefined: nothing. */
  readonly needs?: Readonly<Record<string, string | undefined>>
  /** From the newer neighbour's shape to this one. */
  readonly down?: Steps
  /** From this shape to the newer neighbour's. */
  readonly up?: Steps
}

/** What is spoken inside: it has no neighbour to convert for, only peers to be read. */
export interface Canonical {
  readonly traits: Traits
  readonly adds: readonly string[]
  /** How an error of any peer is read, after the steps of older revisions. */
  readonly readError: ErrorStep
  /** What is sent of an error to peers with modern codes, whoever raised it: codes that must not be sent are carried. */
  readonly writeError: ErrorStep
}

/**
 * How one method of a revision is read and written; all steps between it and the newest are already joined.
 * `up` reads what a peer of this revision sent, `down` writes what it will understand. Example, at an edge that
 * answers `initialize`: `upParams` gives the client's capabilities in the newest words (what is not of the revision
 * is left out), `downResult` gives ours in the client's.
 */
export interface MethodCodec {
  readonly descriptor: MethodDescriptor
  /** The capability or extension of the server that it takes in this revision; undefined: none. */
  readonly needs: string | undefined
  readonly upParams: Step
  readonly downParams: Step
  readonly upResult: Step
  readonly downResult: Step
}

/** A revision ready for use. Resolve it once per side, at the edge. */
export interface Revision {
  readonly name: string
  readonly traits: Traits
  /** Absence means that this revision does not have the method. */
  readonly methods: ReadonlyMap<string, MethodCodec>
  readonly upError: ErrorStep
  readonly downError: ErrorStep
}

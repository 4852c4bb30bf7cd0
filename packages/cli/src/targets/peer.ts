import type { UpstreamStatus } from '@crosspoint/gateway'
import {
  ANONYMOUS,
  type Call,
  cancellationOf,
  type Handle,
  hasCapability,
  type Interim,
  type JsonObject,
  McpError,
  METHODS,
  NEWEST,
  type Notification,
  type Result,
  systemClock,
} from '@crosspoint/mcp'
import { CliError } from '../exit.ts'
import type { Io } from '../io.ts'
import { visible, visibleLines } from '../print/visible.ts'

/** Whatever a target turned out to be, ready to be asked. */
export interface Peer {
  /** For messages: `server "everything"`, `http://127.0.0.1:8360/mcp`. */
  readonly title: string
  /** What a command line names it by, for those that are proposed. Default: nothing, as for all servers together. */
  readonly words?: string
  readonly handle: Handle
  /** Names of the configured servers, where they are asked together: each may have been given for what is in it. */
  readonly servers?: readonly string[]
  /** Configured servers that are not there, whose things are therefore not found. */
  readonly away?: readonly UpstreamStatus[]
  /** Longest wait for an answer in milliseconds. Default: what the connection or the configuration says. */
  readonly timeoutMs?: number | undefined
  close(): Promise<void>
}

/** Asks one thing. What the peer says meanwhile goes to standard error; Ctrl-C cancels. */
export async function ask(io: Io, peer: Peer, method: string, params: JsonObject): Promise<Result> {
  const call: Call = {
    method,
    params,
    meta: NOTHING,
    principal: ANONYMOUS,
    downstream: {
      revision: NEWEST.name,
      client: { name: 'crosspoint', version: io.version },
      capabilities: NOTHING,
      session: undefined,
    },
    cancellation: cancellationOf(io.stopping.signal),
    deadline: peer.timeoutMs === undefined ? undefined : systemClock.now() + peer.timeoutMs,
    trace: undefined,
    interim: toInterim(io),
  }
  const result = await peer.handle(call)
  if (result.resultType === undefined || result.resultType === 'complete') return result
  throw new CliError('refused', `Cannot finish "${method}": the server asks something back (${result.resultType})`, {
    code: result.resultType,
    hint: 'Use a client with a person in front of it: the command line gives no answers yet',
  })
}

/** Everything of a list, page after page. A peer without the capability has nothing and is not asked. */
export async function listAll<Item>(io: Io, peer: Peer, method: string): Promise<readonly Item[]> {
  const { listKey: key, capability = '' } = METHODS.get(method) ?? {}
  if (key === undefined) throw new Error(`"${method}" is not a list`)
  const { capabilities } = await ask(io, peer, 'server/discover', NOTHING)
  if (!hasCapability(capabilities as JsonObject, capability)) return []
  const items: Item[] = []
  let cursor: unknown
  for (let page = 0; page < MAX_PAGES; page++) {
    const result = await ask(io, peer, method, cursor === undefined ? NOTHING : { cursor })
    const found = result[key]
    if (!Array.isArray(found)) {
      throw new McpError(
        'upstream.protocol',
        `Cannot read the answer of ${peer.title} to "${method}": no "${key}" in it`,
      )
    }
    // What is no object has no name, and is nothing that could be called, read or got.
    for (const item of found) if (typeof item === 'object' && item !== null) items.push(item)
    if (typeof result.nextCursor !== 'string' || result.nextCursor === cursor) return items
    if (items.length > MAX_ITEMS) break
    cursor = result.nextCursor
  }
  throw new McpError('upstream.protocol', `Cannot list all of ${peer.title}: "${method}" does not come to an end`)
}

/** Bounds for a peer whose cursor never ends. */
const MAX_PAGES = 10_000
const MAX_ITEMS = 1_000_000

const NOTHING: JsonObject = Object.freeze({})

function toInterim({ terminal }: Io): Interim {
  return {
    progress: true,
    canAsk: false,
    logLevel: terminal.verbose ? 'debug' : undefined,
    notify: (notification) => {
      if (notification.method === 'notifications/progress')
        terminal.say(terminal.err.dim(describeProgress(notification)))
      if (notification.method === 'notifications/message') terminal.detail(describeLog(notification))
    },
    ask: (request) =>
      Promise.reject(
        new McpError(
          'caller.missing_capability',
          `Cannot answer "${request.method}": nobody is asked on a command line`,
        ),
      ),
  }
}

function describeProgress({ params }: Notification): string {
  const { progress, total, message } = params
  const share = typeof total === 'number' ? `${String(progress)}/${total}` : String(progress)
  return message === undefined ? `… ${visible(share)}` : `… ${visible(share)} ${visible(String(message))}`
}

function describeLog({ params }: Notification): string {
  const text = typeof params.data === 'string' ? params.data : JSON.stringify(params.data)
  return `[${visible(String(params.level))}] ${visibleLines(text ?? '')}`
}

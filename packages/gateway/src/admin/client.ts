import type { AdminEvent } from './contract/events.ts'
import type { Answer, Said } from './contract/operations.ts'
import { BASE, type OperationId, ROUTES, routeOf } from './routes.ts'

export interface AdminClientOptions {
  /** Of the admin API, without a path: `http://127.0.0.1:8361`. */
  readonly url: string
  /** What the start of the gateway printed, or a token of an issuer. Default: none, which is good for `live` and `ready`. */
  readonly token?: string
  /** Longest wait for an answer to begin; streams go on beyond it. Default 30 s. */
  readonly timeoutMs?: number
  /** Default: that of the platform. */
  readonly fetch?: typeof fetch
}

/** What one call may say besides. */
export interface AdminCallOptions {
  /** Gives up. */
  readonly signal?: AbortSignal
  /** Longest wait for the answer to begin. Default: that of the client. */
  readonly timeoutMs?: number
}

type Streamed = 'exportAudit' | 'events'

/** Whatever has to be said may be left out where nothing has to be. */
type Arguments<Id extends OperationId> =
  Record<never, never> extends Said<Id>
    ? [said?: Said<Id>, options?: AdminCallOptions]
    : [said: Said<Id>, options?: AdminCallOptions]

/** Every operation of the admin API by its name, as the OpenAPI document has it. All throw {@link AdminError}. */
export type AdminClient = {
  readonly [Id in Exclude<OperationId, Streamed>]: (...args: Arguments<Id>) => Promise<Answer<Id>>
} & {
  /** Every record that fits, newest first, as it comes. */
  exportAudit(...args: Arguments<'exportAudit'>): AsyncIterableIterator<Answer<'exportAudit'>>
  /** What happens from now on, until the connection ends or is given up. */
  events(...args: Arguments<'events'>): AsyncIterableIterator<AdminEvent>
}

/** What the admin API refused, or why it could not be asked. */
export class AdminError extends Error {
  override readonly name = 'AdminError'
  /** As the problem says; `unreachable` where no answer came, `unreadable` where it was none of ours. */
  readonly code: string
  /** 0 where no answer came. */
  readonly status: number
  readonly hint: string | undefined
  /** The parts that are wrong. */
  readonly errors: readonly Readonly<Record<string, unknown>>[]
  /** By which the log of the gateway can be asked for more. */
  readonly correlation: string | undefined

  constructor(
    code: string,
    message: string,
    about: Partial<Pick<AdminError, 'status' | 'hint' | 'errors' | 'correlation'>> & { readonly cause?: unknown } = {},
  ) {
    super(message, about.cause === undefined ? undefined : { cause: about.cause })
    this.code = code
    this.status = about.status ?? 0
    this.hint = about.hint
    this.errors = about.errors ?? []
    this.correlation = about.correlation
  }
}

/** Asks the admin API of a gateway that runs. */
export function createAdminClient(options: AdminClientOptions): AdminClient {
  const ask = async (id: OperationId, said: object = {}, more: AdminCallOptions = {}) => {
    const response = await send(options, toRequest(id, { ...said }), more)
    if (response.ok || (id === 'ready' && response.status === 503)) return response
    throw await toError(response)
  }
  const streams = {
    exportAudit: (said?: object, more?: AdminCallOptions) => readLines(ask('exportAudit', said, more)),
    events: (said?: object, more?: AdminCallOptions) => readEvents(ask('events', said, more)),
  }
  // The keys of the table are its type's keys.
  const calls = (Object.keys(ROUTES) as OperationId[]).map((id) => {
    return [id, async (said?: object, more?: AdminCallOptions) => readJson(await ask(id, said, more))] as const
  })
  // Each answers what its contract says, by which the type is made.
  return { ...Object.fromEntries(calls), ...streams } as unknown as AdminClient
}

type Words = Readonly<Record<string, unknown>>

interface Request {
  readonly method: string
  readonly path: string
  readonly body: string | undefined
}

/** What is said goes into the path where it has a place there, else into the query, or, where something is written, the body. */
function toRequest(id: OperationId, said: Words): Request {
  const { method, path } = routeOf(id)
  const placed = new Set<string>()
  const at = path.replaceAll(/:(\w+)/g, (_, name: string) => {
    placed.add(name)
    return encodeURIComponent(String(said[name]))
  })
  const rest = Object.entries(said).filter(([name, value]) => !placed.has(name) && value !== undefined)
  if (method !== 'GET') return { method, path: BASE + at, body: JSON.stringify(Object.fromEntries(rest)) }
  const query = new URLSearchParams(rest.map(([name, value]): [string, string] => [name, String(value)]))
  return { method, path: query.size === 0 ? BASE + at : `${BASE}${at}?${query}`, body: undefined }
}

async function send(
  { url, token, fetch = globalThis.fetch, ...usual }: AdminClientOptions,
  { method, path, body }: Request,
  { signal, timeoutMs = usual.timeoutMs ?? 30_000 }: AdminCallOptions,
): Promise<Response> {
  const late = new AbortController()
  const timer = setTimeout(() => late.abort(), timeoutMs)
  try {
    return await fetch(url.replace(/\/+$/, '') + path, {
      method,
      headers: {
        accept: 'application/json, application/problem+json, application/jsonl, text/event-stream',
        ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
      },
      ...(body === undefined ? {} : { body }),
      // Whoever is sent elsewhere is not to be followed with a token.
      redirect: 'error',
      signal: signal === undefined ? late.signal : AbortSignal.any([late.signal, signal]),
    })
  } catch (cause) {
    const message = late.signal.aborted ? `No answer came within ${timeoutMs} ms` : 'The admin API cannot be reached'
    throw new AdminError('unreachable', message, { cause, hint: 'Is the gateway running there?' })
  } finally {
    clearTimeout(timer)
  }
}

async function readJson(response: Response): Promise<unknown> {
  try {
    return await response.json()
  } catch (cause) {
    throw new AdminError('unreadable', 'The answer is not JSON', { status: response.status, cause })
  }
}

async function toError(response: Response): Promise<AdminError> {
  const { status } = response
  const said: unknown = await response.json().catch(() => undefined)
  const { code, detail, hint, errors, correlation } = (typeof said === 'object' && said !== null ? said : {}) as Words
  if (typeof code !== 'string' || typeof detail !== 'string') {
    return new AdminError('unreadable', `What answers there with ${status} is no admin API of ours`, { status })
  }
  return new AdminError(code, detail, {
    status,
    ...(typeof hint === 'string' ? { hint } : {}),
    ...(Array.isArray(errors) ? { errors } : {}),
    ...(typeof correlation === 'string' ? { correlation } : {}),
  })
}

async function* readLines<T>(asked: Promise<Response>): AsyncGenerator<T> {
  for await (const line of linesOf(await asked)) if (line !== '') yield JSON.parse(line) as T // by the contract
}

async function* readEvents(asked: Promise<Response>): AsyncGenerator<AdminEvent> {
  for await (const line of linesOf(await asked)) {
    if (line.startsWith('data: ')) yield JSON.parse(line.slice('data: '.length)) as AdminEvent // likewise
  }
}

async function* linesOf({ body }: Response): AsyncGenerator<string> {
  const decoder = new TextDecoder()
  let rest = ''
  for await (const chunk of body ?? []) {
    rest += decoder.decode(chunk, { stream: true })
    const lines = rest.split('\n')
    rest = lines.pop() ?? ''
    yield* lines
  }
  if (rest !== '') yield rest
}

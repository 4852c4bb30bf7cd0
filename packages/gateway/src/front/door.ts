import { McpError } from '@crosspoint/mcp'
import { type HttpDoor, openHttpDoor, type PlainReply, type PlainRequest } from '@crosspoint/mcp/transports'
import { DOOR_REFUSED } from '../audit/evidence.ts'
import { isLoopbackHost } from '../config/hosts.ts'
import type { ListenConfig } from '../config/model.ts'
import type { Gateway } from '../gateway.ts'
import type { OpenedPlace } from '../identity/identity.ts'
import type { Log } from '../log.ts'
import { toConnectPages } from './connect-door.ts'
import { type FrontSession, toFrontSessions } from './front-sessions.ts'

export interface FrontDoorOptions extends Omit<Partial<ListenConfig>, 'host' | 'port'> {
  /** Address to bind. Default `127.0.0.1`. */
  readonly host?: string
  /** Default 0: any free port. */
  readonly port?: number
  /** Serves this view at `/mcp` and nothing else. Default: everything there, and each view under its name. */
  readonly view?: string
  /** Lets `/readyz` say the state of every server, not only whether all settled. Default false. */
  readonly readyDetail?: boolean
  readonly log?: Log
}

/** The gateway over HTTP: `/mcp`, `/mcp/<view>`, the same at `/sse` for the oldest revision, `/healthz`, `/readyz`. */
export interface FrontDoor {
  /** Of the endpoint of everything, such as `http://127.0.0.1:8360/mcp`. */
  readonly url: string
  readonly host: string
  readonly port: number
  /** Handshake sessions of callers that are open at this door. */
  sessions(): readonly FrontSession[]
  /** Stops accepting, lets requests finish for `drainMs` (default 10 s), ends streams. The gateway goes on. */
  close(options?: { readonly drainMs?: number }): Promise<void>
}

/**
 * @throws {TypeError} for an address others can reach, where nobody is asked who they are
 */
export async function openFrontDoor(gateway: Gateway, options: FrontDoorOptions = {}): Promise<FrontDoor> {
  const { host = '127.0.0.1', port = 0, log, readyDetail = false, maxConnections = 20_000 } = options
  const { view } = options
  const under = (root: string) => (path: string) => {
    if (path === root) return gateway.endpoint(view)
    return view === undefined && path.startsWith(`${root}/`) ? gateway.endpoint(path.slice(root.length + 1)) : undefined
  }
  let place: OpenedPlace | undefined
  const asks = !isLoopbackHost(host) && gateway.endpoint(view)?.authenticate !== undefined
  const door: HttpDoor = await openHttpDoor({
    host,
    port,
    maxConnections,
    endpoint: under(ROOT),
    sse: under(SSE),
    plain: (request) => answerPlain(gateway, request, readyDetail, view),
    beside: (path) =>
      toConnectPages(gateway.connect, path, gateway.config.auth?.resource) ??
      (place === undefined ? undefined : gateway.beside(path, place.issuer)),
    // Of endpoints that do not ask: a door that was opened because they did lets nobody in when they stop.
    ...(asks ? { authenticate: refuse } : {}),
    resourceMetadata: (path) => place?.metadata(path),
    ...toHosts(host, toAllowed(gateway, options.allowedHosts ?? [])),
    allowedOrigins: options.allowedOrigins ?? [],
    log: ({ level, event, ...details }) => {
      log?.[level](details, event)
      if (event === 'request.refused' && isRefusal(details.code)) {
        gateway.record({ event: DOOR_REFUSED, outcome: details.code })
      }
    },
  })
  const { cluster } = gateway
  cluster?.serve({
    receive: door.receiveForwarded,
    toPath: (name) => (name === view ? ROOT : `${ROOT}/${name}`),
  })
  const opened = gateway.identity.opened({ origin: door.url, view })
  const closed = gateway.connect?.opened(door.url)
  place = opened
  return {
    url: `${door.url}${ROOT}`,
    host: door.host,
    port: door.port,
    sessions: () => toFrontSessions(gateway, door.sessions()),
    async close(closing = {}) {
      closed?.()
      // What is held here is for others from now on; what is at work ends here.
      await cluster?.leave(closing.drainMs ?? DRAIN_MS)
      await door.close(closing).finally(opened.close)
    },
  }
}

/** The public address is one of ours, whoever stands before us. */
function toAllowed({ config }: Gateway, allowed: readonly string[]): readonly string[] {
  const { resource } = config.auth ?? {}
  return resource === undefined ? allowed : [...allowed, new URL(resource).host]
}

/** Whether somebody was turned away: what was no message at all is of interest to the log only. */
function isRefusal(code: unknown): code is string {
  return typeof code === 'string' && REFUSALS.has(code)
}

function refuse(): never {
  throw new McpError('caller.unauthenticated', 'Cannot tell who is calling: nobody is asked here any more')
}

/** Names besides those the door knows by itself. */
function toHosts(host: string, allowed: readonly string[]): { readonly allowedHosts?: readonly string[] } {
  if (allowed.length === 0) return {}
  const own = host.includes(':') ? `[${host}]` : host
  return { allowedHosts: [...LOOPBACK, own, ...allowed] }
}

function answerPlain(
  gateway: Gateway,
  { method, path }: PlainRequest,
  readyDetail: boolean,
  only: string | undefined,
): PlainReply {
  const reads = method === 'GET' || method === 'HEAD'
  if (reads && path === '/healthz') return toJson(200, { status: 'ok' })
  if (reads && path === '/readyz') {
    const status = gateway.settled ? 'ready' : 'starting'
    return toJson(gateway.settled ? 200 : 503, readyDetail ? { status, upstreams: toDetail(gateway) } : { status })
  }
  const views = only === undefined ? [...gateway.config.views.keys()].map((view) => `${ROOT}/${view}`) : []
  return toJson(404, { error: 'Nothing is served at this path', paths: [ROOT, ...views, SSE, '/healthz', '/readyz'] })
}

function toDetail(gateway: Gateway): object {
  return Object.fromEntries(gateway.status().map(({ name, state, since }) => [name, { state, since }]))
}

function toJson(status: number, body: object): PlainReply {
  return {
    status,
    headers: { 'content-type': 'application/json', 'cache-control': 'no-store' },
    body: `${JSON.stringify(body)}\n`,
  }
}

const REFUSALS: ReadonlySet<string> = new Set([
  'caller.unauthenticated',
  'caller.insufficient_scope',
  'policy.limit',
  'policy.busy',
  'policy.forbidden_host',
  'policy.forbidden_origin',
])
const DRAIN_MS = 10_000
const ROOT = '/mcp'
const SSE = '/sse'
const LOOPBACK = ['localhost', '127.0.0.1', '[::1]']

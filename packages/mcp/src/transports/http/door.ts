import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { Principal } from '../../protocol/call.ts'
import { checkOptions, type OptionNames } from '../../protocol/option-names.ts'
import { type GuardOptions, isLoopback } from './guards.ts'
import { listenOnPort, listenOnSocket } from './listen.ts'
import type { OpenSession } from './open-session.ts'
import { type DoorFigures, Reception, type ReceptionOptions } from './reception.ts'

export interface HttpDoorOptions extends ReceptionOptions {
  /** Address to listen on. Default `127.0.0.1`; anything but loopback needs `authenticate`. */
  readonly host?: string
  /** Default 0: any free port. */
  readonly port?: number
  /**
   * Listen on the Unix socket at this path instead, which our own user alone can open (mode 0600). One that a dead
   * process left behind is replaced; where a server answers, or something else than a socket is found, opening fails.
   */
  readonly socket?: string
  /**
   * What a `Host` header may give: `name` with any port, `name:port` with that one. Default on loopback: `localhost`,
   * `127.0.0.1`, `[::1]`; elsewhere, and on a socket, any.
   */
  readonly allowedHosts?: readonly string[]
  /** Origins that web pages may call from, besides our own on loopback. Default none. */
  readonly allowedOrigins?: readonly string[]
  /** Most connections at once; more are closed unheard. Default 10,000. */
  readonly maxConnections?: number
  /** Until the headers of a request are there. Default 10 s. */
  readonly headersTimeoutMs?: number
  /** Until a whole request is there. Default 30 s. */
  readonly requestTimeoutMs?: number
  /** How often the two above are looked at. Default 1 s. */
  readonly timeoutCheckMs?: number
}

/** A listening server. */
export interface HttpDoor {
  /** Without a path, such as `http://127.0.0.1:8080`; of a socket `unix:` and where it is. */
  readonly url: string
  /** Empty on a socket. */
  readonly host: string
  /** 0 on a socket. */
  readonly port: number
  readonly figures: () => DoorFigures
  /** Every handshake session that is open here, for whoever looks after the door. */
  readonly sessions: () => readonly OpenSession[]
  /**
   * Takes a request that another process of the same endpoints let in, for its caller (see `Endpoint.elsewhere`): host,
   * origin and credentials are not looked at, and it is not handed on once more.
   */
  receiveForwarded(request: IncomingMessage, response: ServerResponse, principal: Principal): void
  /**
   * Stops listening, lets requests at work finish, ends streams, and then cuts off what is left.
   * @param options.drainMs how long work may take to finish. Default 10 s.
   */
  close(options?: { readonly drainMs?: number }): Promise<void>
}

/**
 * Serves endpoints over HTTP, every revision at the same path.
 * @throws {TypeError} for an address others can reach without `authenticate`
 */
export async function openHttpDoor(options: HttpDoorOptions): Promise<HttpDoor> {
  checkOptions('open an HTTP door', options, DOOR_NAMES)
  const { socket, host = '127.0.0.1' } = options
  if (socket === undefined && !isLoopback(host) && options.authenticate === undefined) {
    throw new TypeError(
      `Cannot listen on "${host}" without authentication: anyone who reaches it could call; give "authenticate", or listen on 127.0.0.1`,
    )
  }
  const server = createServer({
    maxHeaderSize: MAX_HEADER_BYTES,
    headersTimeout: options.headersTimeoutMs ?? 10_000,
    requestTimeout: options.requestTimeoutMs ?? 30_000,
    connectionsCheckingInterval: options.timeoutCheckMs ?? 1_000,
    keepAliveTimeout: KEEP_ALIVE_MS,
    noDelay: true,
  })
  server.maxConnections = options.maxConnections ?? 10_000
  if (socket !== undefined) {
    await listenOnSocket(server, socket)
    return toDoor(server, options, { url: `unix:${socket}`, host: '', port: 0 })
  }
  const port = await listenOnPort(server, host, options.port ?? 0)
  return toDoor(server, options, { url: `http://${toName(host)}:${port}`, host, port })
}

function toDoor(server: Server, options: HttpDoorOptions, where: Pick<HttpDoor, 'url' | 'host' | 'port'>): HttpDoor {
  const reception = new Reception(options, toGuards(options, where))
  server.on('request', reception.receive)
  let closed: Promise<void> | undefined
  return {
    ...where,
    figures: reception.figures,
    sessions: reception.sessions,
    receiveForwarded: reception.receiveForwarded,
    close({ drainMs = 10_000 } = {}) {
      closed ??= close(server, reception, drainMs)
      return closed
    },
  }
}

/** Names and pages that are our own on loopback; what others can reach has none. */
function toGuards(
  { allowedHosts, allowedOrigins = [] }: HttpDoorOptions,
  { host, port }: Pick<HttpDoor, 'host' | 'port'>,
): GuardOptions {
  if (!isLoopback(host)) return { allowedHosts, allowedOrigins }
  const name = toName(host)
  return {
    allowedHosts: allowedHosts ?? [...LOOPBACK, name, `${name}:${port}`, `localhost:${port}`],
    allowedOrigins: [...[...LOOPBACK, name].map((local) => `http://${local}:${port}`), ...allowedOrigins],
  }
}

async function close(server: Server, reception: Reception, drainMs: number): Promise<void> {
  const gone = new Promise<void>((resolve) => server.close(() => resolve()))
  await reception.drain(drainMs)
  reception.close()
  server.closeIdleConnections()
  await reception.within(FLUSH_MS, gone)
  server.closeAllConnections()
  await gone
}

function toName(host: string): string {
  return host.includes(':') ? `[${host}]` : host
}

const LOOPBACK = ['localhost', '127.0.0.1', '[::1]']
const MAX_HEADER_BYTES = 16 * 1024
const KEEP_ALIVE_MS = 65_000
/** What was said last must still leave the machine. */
const FLUSH_MS = 500
const DOOR_NAMES: OptionNames<HttpDoorOptions> = {
  host: true,
  port: true,
  socket: true,
  allowedHosts: true,
  allowedOrigins: true,
  maxConnections: true,
  headersTimeoutMs: true,
  requestTimeoutMs: true,
  timeoutCheckMs: true,
  endpoint: true,
  sse: true,
  plain: true,
  beside: true,
  authenticate: true,
  resourceMetadata: true,
  maxCalls: true,
  maxHeldBytes: true,
  beatMs: true,
  clock: true,
  log: true,
}

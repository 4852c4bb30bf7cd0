import { checkMembers, checkOptions, type OptionNames } from '../protocol/option-names.ts'
import { toSocketAddress } from '../transports/http/address.ts'
import type { HttpDoorOptions } from '../transports/http/door.ts'
import type { StdioOptions } from '../transports/stdio/serve.ts'
import type { Server } from './server.ts'

export interface ServeOptions {
  /** Serve over HTTP on this port; 0 takes any free one. Default: stdio, as clients that start a server expect. */
  readonly port?: number | undefined
  /** Serve over HTTP on the Unix socket at this path, which our own user alone can open. */
  readonly socket?: string | undefined
  /** Default `127.0.0.1`; anything but loopback needs `authenticate` among the server's options. */
  readonly host?: string | undefined
  /** Default `/mcp`. */
  readonly path?: string | undefined
  /**
   * Where clients of the oldest revision find the server over HTTP: their transport has a path of its own. What guards
   * the other guards it too. Default `/sse`; false where they are not to be served.
   */
  readonly sse?: string | false | undefined
  /** Say on standard error where clients find it over HTTP. Default: where that is a terminal. */
  readonly announce?: boolean | undefined
  /** What else the HTTP door can be told. */
  readonly http?: Omit<HttpDoorOptions, 'port' | 'host' | 'socket' | 'endpoint' | 'sse'>
  /** What else the stdio door can be told. */
  readonly stdio?: StdioOptions
}

/** A server at its door. */
export interface Serving {
  /** Where clients find it; undefined on stdio. */
  readonly url: string | undefined
  /** Resolves when the door is shut: the client closed stdin, or `close` was called. Never rejects. */
  readonly closed: Promise<void>
  /** Ends subscriptions, lets calls at work finish, and shuts the door. */
  close(): Promise<void>
  /** Closes it where a block with `await using` is left. */
  [Symbol.asyncDispose](): Promise<void>
}

/** One that clients find at a URL. */
export interface ServingAtUrl extends Serving {
  readonly url: string
}

/** With a port or a socket, which mean HTTP. */
export type HttpServeOptions = ServeOptions & ({ readonly port: number } | { readonly socket: string })

/**
 * A program's last line: serves over HTTP when given a port or a socket, and otherwise on stdin and stdout; every
 * revision on both.
 * @example
 * const { PORT } = process.env
 * await serve(server, PORT === undefined ? {} : { port: Number(PORT) })
 * @throws {Error} when there is no port and stdin is a terminal, where nobody speaks the protocol
 */
export function serve(server: Server, options: HttpServeOptions): Promise<ServingAtUrl>
export function serve(server: Server, options?: ServeOptions): Promise<Serving>
export async function serve(server: Server, options: ServeOptions = {}): Promise<Serving> {
  if (server?.endpoint === undefined)
    throw new TypeError('Cannot serve this: write serve(createServer({ … }), options)')
  checkOptions('serve', options, OPTION_NAMES)
  checkMembers('serve', 'stdio', options.stdio, STDIO_NAMES)
  const isHttp = options.port !== undefined || options.socket !== undefined
  return isHttp ? serveOnHttp(server, options) : serveOnStdio(server, options.stdio)
}

async function serveOnHttp(server: Server, options: ServeOptions): Promise<ServingAtUrl> {
  const { endpoint } = server
  const { port, host, socket, path = '/mcp', sse = '/sse', http } = options
  // A server goes through one door: it need not wait for the code of the other.
  const { openHttpDoor } = await import('../transports/http/door.ts')
  const door = await openHttpDoor({
    ...(endpoint.authenticate === undefined ? {} : { authenticate: endpoint.authenticate }),
    ...(endpoint.log === undefined ? {} : { log: endpoint.log }),
    ...http,
    ...(port === undefined ? {} : { port }),
    ...(host === undefined ? {} : { host }),
    ...(socket === undefined ? {} : { socket }),
    endpoint: (asked) => (asked === path ? endpoint : undefined),
    sse: (asked) => (asked === sse ? endpoint : undefined),
  })
  let resolveClosed = () => {}
  const closed = new Promise<void>((resolve) => {
    resolveClosed = resolve
  })
  const url = socket === undefined ? door.url + path : toSocketAddress(socket, path)
  if (options.announce ?? process.stderr.isTTY) console.error(`Listening at ${url}`)
  return toServing(url, closed, async () => {
    server.close()
    await door.close()
    resolveClosed()
  })
}

async function serveOnStdio(server: Server, options: StdioOptions = {}): Promise<Serving> {
  const stdin = options.stdin ?? process.stdin
  if ('isTTY' in stdin && stdin.isTTY === true) {
    throw new Error(
      'Cannot serve on a terminal: let an MCP client start this program, or give a port to serve over HTTP',
    )
  }
  const { serveStdio } = await import('../transports/stdio/serve.ts')
  const served = serveStdio(server.endpoint, options)
  return toServing(undefined, served.closed, async () => {
    server.close()
    await served.close()
  })
}

function toServing<Url>(
  url: Url,
  closed: Promise<void>,
  close: () => Promise<void>,
): Omit<Serving, 'url'> & { readonly url: Url } {
  return { url, closed, close, [Symbol.asyncDispose]: close }
}

const STDIO_NAMES: OptionNames<StdioOptions> = { stdin: true, stdout: true, drainMs: true, principal: true }
const OPTION_NAMES: OptionNames<ServeOptions> = {
  port: true,
  socket: true,
  host: true,
  path: true,
  sse: true,
  announce: true,
  http: true,
  stdio: true,
}

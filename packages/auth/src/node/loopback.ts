import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { AuthError } from '../errors.ts'
import type { OpenRedirect, Redirect } from '../grants/redirect.ts'
import { checkOptions } from '../options/check.ts'
import { FUNCTION, oneOf, type ShapesOf } from '../options/shape.ts'
import { openInBrowser } from './browser.ts'

export interface LoopbackOptions {
  /** Shows a page to the person. Default: {@link openInBrowser}. */
  readonly open?: (url: string) => void | Promise<void>
  /** Also told the page, to print it for a person whose browser is elsewhere. Default: nobody. */
  readonly show?: (url: string) => void
  /** The port to come back to. Default: the one of the last registration where it is free, else any. */
  readonly port?: number
  /** How the redirect URI calls this machine. Default `127.0.0.1`; some servers know `localhost` only. */
  readonly hostname?: '127.0.0.1' | 'localhost'
}

/** Sends people to their browser and waits for them on a port of this machine (RFC 8252 §7.3). */
export function createLoopbackRedirect(options: LoopbackOptions = {}): Redirect {
  checkOptions('wait for people on this machine', options, LOOPBACK)
  const { hostname = '127.0.0.1' } = options
  return {
    async open(before) {
      const wanted = options.port ?? portOf(before, hostname)
      const server = createServer()
      const port = await listen(server, wanted, options.port === undefined)
      return new Visit(server, `http://${hostname}:${port}${PATH}`, options)
    },
  }
}

class Visit implements OpenRedirect {
  readonly uri: string
  readonly #server: Server
  readonly #options: LoopbackOptions

  constructor(server: Server, uri: string, options: LoopbackOptions) {
    this.#server = server
    this.uri = uri
    this.#options = options
  }

  async authorize(url: string, signal: AbortSignal): Promise<string> {
    const back = this.#wait(new URL(url).searchParams.get('state') ?? '', signal)
    back.catch(() => {}) // told below, where there is still somebody to tell
    this.#options.show?.(url)
    const open = this.#options.open ?? openInBrowser
    try {
      await open(url)
    } catch (error) {
      // Whoever was shown the page can open it by hand.
      if (this.#options.show === undefined) throw error
    }
    return back
  }

  async close(): Promise<void> {
    this.#server.closeAllConnections()
    await new Promise((resolve) => this.#server.close(resolve))
  }

  /** Any page and any program here can ask this port: only what knows our state is the one we wait for. */
  #wait(state: string, signal: AbortSignal): Promise<string> {
    return new Promise((resolve, reject) => {
      signal.addEventListener('abort', () => reject(new AuthError('caller.declined', 'Nobody signed in')), {
        once: true,
      })
      this.#server.on('request', (request, response) => {
        const url = toUrl(request, this.uri)
        if (url === undefined || url.searchParams.get('state') !== state) {
          answer(response, 404, 'There is nothing here.')
          return
        }
        const isRefused = url.searchParams.has('error')
        answer(response, 200, isRefused ? 'Sign-in was declined.' : 'You are signed in. You can close this page.')
        response.once('close', () => resolve(url.href))
      })
    })
  }
}

function toUrl({ method, url = '', headers }: IncomingMessage, uri: string): URL | undefined {
  const { host, pathname } = new URL(uri)
  // A page that had its own name resolve to this machine would show by its Host (DNS rebinding).
  if (method !== 'GET' || headers.host !== host || !url.startsWith('/') || !URL.canParse(url, uri)) return undefined
  const parsed = new URL(url, uri)
  return parsed.host === host && parsed.pathname === pathname ? parsed : undefined
}

function answer(response: ServerResponse, status: number, text: string): void {
  response.writeHead(status, {
    'content-type': 'text/html; charset=utf-8',
    'cache-control': 'no-store',
    'content-security-policy': "default-src 'none'; frame-ancestors 'none'",
    'referrer-policy': 'no-referrer',
    connection: 'close',
  })
  response.end(`<!doctype html><title>Sign-in</title><p>${text}</p>`)
}

function portOf(uri: string | undefined, hostname: string): number {
  if (uri === undefined || !URL.canParse(uri)) return 0
  const url = new URL(uri)
  return url.hostname === hostname && url.pathname === PATH ? Number(url.port) : 0
}

/** @param mayMove another port will do where this one is taken */
async function listen(server: Server, wanted: number, mayMove: boolean): Promise<number> {
  try {
    return await listenAt(server, wanted)
  } catch {
    if (wanted !== 0 && mayMove) return listenAt(server, 0)
    throw new AuthError('internal.error', `Cannot wait for the person on port ${wanted}: it is taken`)
  }
}

function listenAt(server: Server, port: number): Promise<number> {
  return new Promise((resolve, reject) => {
    server.once('error', reject)
    server.listen(port, '127.0.0.1', () => {
      server.off('error', reject)
      resolve((server.address() as AddressInfo).port) // a TCP server that listens has one
    })
  })
}

const PATH = '/callback'

const LOOPBACK: ShapesOf<LoopbackOptions> = {
  open: FUNCTION,
  show: FUNCTION,
  port: {
    wanted: 'a port, from 0 to 65535',
    fits: (value) => typeof value === 'number' && Number.isInteger(value) && value >= 0 && value <= 65_535,
  },
  hostname: oneOf('127.0.0.1', 'localhost'),
}

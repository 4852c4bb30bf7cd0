import type { Pool } from 'undici'
import { McpError } from '../../errors.ts'
import { shown } from '../../jsonrpc/shown.ts'

/** Where a server is reached. */
export interface HttpAddress {
  readonly url: URL
  /** The Unix socket to reach it by, instead of host and port of the URL. */
  readonly socketPath: string | undefined
}

/**
 * Reads the address of a server: an http or https URL, or `unix:/run/x.sock` for one that listens on a Unix socket,
 * with a path where it is another than `/mcp`: `unix:/run/x.sock:/tools`.
 * @throws {McpError} `caller.invalid_params` for anything else
 */
export function parseAddress(text: string): HttpAddress {
  if (text.startsWith('unix:')) return parseSocket(text)
  const url = URL.canParse(text) ? new URL(text) : undefined
  if (url === undefined || (url.protocol !== 'http:' && url.protocol !== 'https:')) {
    const remedy = 'write "http://…", "https://…" or "unix:…", or { command, args } for a program to start'
    throw new McpError(
      'caller.invalid_params',
      `Cannot connect to "${text}": it is not an http, https or unix URL; ${remedy}`,
    )
  }
  if (url.username !== '' || url.password !== '') {
    throw new McpError(
      'caller.invalid_params',
      `Cannot connect to "${url.host}" with a password in the URL: use a header`,
    )
  }
  return { url, socketPath: undefined }
}

/** `path` as the address of a server there. */
export function toSocketAddress(socketPath: string, path: string): string {
  return path === DEFAULT_PATH ? `unix:${socketPath}` : `unix:${socketPath}:${path}`
}

/** @throws {McpError} `internal.error` for a path no socket can have */
export function checkSocketPath(path: string): void {
  const bytes = Buffer.byteLength(path)
  if (bytes > MAX_SOCKET_PATH_BYTES) {
    const message = `Cannot use the socket "${path}": its path has ${bytes} bytes, and ${MAX_SOCKET_PATH_BYTES} is the most`
    throw new McpError('internal.error', message)
  }
}

/** Whom we talk to, for sentences: by the name it was given, which then says nothing of where that is. */
export function toWhere({ url, socketPath, name }: HttpAddress & { readonly name?: string | undefined }): string {
  if (name !== undefined) return `"${shown(name)}"`
  if (socketPath !== undefined) return `unix:${socketPath}`
  return url.port === '' ? url.hostname : url.host
}

export function toPoolOptions({
  connectTimeoutMs,
  socketPath,
}: HttpAddress & { readonly connectTimeoutMs: number }): Pool.Options {
  const connect = { timeout: connectTimeoutMs, ...(socketPath === undefined ? {} : { socketPath }) }
  return { headersTimeout: 0, bodyTimeout: 0, connect }
}

/** As nginx and others write it; with two slashes more, as a URL has them, it means the same. */
function parseSocket(text: string): HttpAddress {
  const [, socketPath = '', path = DEFAULT_PATH] = /^unix:(?:\/\/(?=\/))?(\/(?!\/).*?)(?::(\/.*))?$/s.exec(text) ?? []
  const base = 'http://localhost'
  if (socketPath === '' || socketPath.includes('\0') || !URL.canParse(path, base)) {
    throw new McpError(
      'caller.invalid_params',
      `Cannot connect to "${text}": write "unix:/run/x.sock" or "unix:/run/x.sock:/mcp"`,
    )
  }
  checkSocketPath(socketPath)
  return { url: new URL(`${base}${path}`), socketPath }
}

const DEFAULT_PATH = '/mcp'
/** The address of a socket is a structure of fixed size: unix(7), and 104 bytes instead of 108 on BSD and macOS. */
const MAX_SOCKET_PATH_BYTES = process.platform === 'linux' || process.platform === 'win32' ? 107 : 103

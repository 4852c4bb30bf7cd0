import { createHash, timingSafeEqual } from 'node:crypto'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import { isIP } from 'node:net'
import type { PrometheusConfig } from '../config/model-telemetry.ts'

/** Where Prometheus asks, and nothing else is. */
export interface MetricsDoor {
  /** Such as `http://127.0.0.1:9464/metrics`. */
  readonly url: string
  close(): Promise<void>
}

/**
 * @param read what is there to tell, as text
 * @throws where the address cannot be listened to
 */
export async function openMetricsDoor(config: PrometheusConfig, read: () => Promise<string>): Promise<MetricsDoor> {
  const { host, port, path, token, allowedHosts } = config
  const expected = token === undefined ? undefined : toDigest(`Bearer ${token}`)
  const server = createServer({ maxHeaderSize: 8_192, requestTimeout: 10_000, headersTimeout: 5_000 })
  server.maxConnections = MAX_CONNECTIONS
  server.on('request', (request: IncomingMessage, response: ServerResponse) => {
    request.resume()
    if (!isAllowedHost(request.headers.host, allowedHosts)) return refuse(response, 403, 'This host is not served here')
    if (expected !== undefined && !timingSafeEqual(toDigest(request.headers.authorization ?? ''), expected)) {
      response.setHeader('www-authenticate', 'Bearer')
      return refuse(response, 401, 'Metrics are told to whoever shows the token')
    }
    if (request.url?.replace(/\?.*$/s, '') !== path) return refuse(response, 404, 'Nothing is served at this path')
    if (request.method !== 'GET') {
      response.setHeader('allow', 'GET')
      return refuse(response, 405, 'Metrics can only be read')
    }
    read().then(
      (text) => answer(response, 200, text, EXPOSITION),
      () => refuse(response, 500, 'Metrics could not be read'),
    )
  })
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    server.listen(port, host, () => {
      server.off('error', reject)
      resolve()
    })
  })
  server.on('error', () => {}) // of one connection; the others go on
  const address = server.address()
  const bound = typeof address === 'object' && address !== null ? address.port : port
  return {
    url: `http://${host.includes(':') ? `[${host}]` : host}:${bound}${path}`,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve())
        server.closeAllConnections()
      }),
  }
}

/** A page in a browser that was led here by a name that changed its mind has a name as its host, and none of ours. */
function isAllowedHost(given: string | undefined, allowed: readonly string[]): boolean {
  if (given === undefined) return false
  const host = given.toLowerCase()
  const name = host.replace(/:\d+$/, '').replace(/^\[(.*)\]$/, '$1')
  if (name === 'localhost' || isIP(name) !== 0) return true
  return allowed.some((one) => one.toLowerCase() === host || one.toLowerCase() === name)
}

function refuse(response: ServerResponse, status: number, sentence: string): void {
  answer(response, status, `${sentence}\n`, 'text/plain; charset=utf-8')
}

function answer(response: ServerResponse, status: number, text: string, type: string): void {
  response.writeHead(status, {
    'content-type': type,
    'content-length': Buffer.byteLength(text),
    'cache-control': 'no-store',
    'x-content-type-options': 'nosniff',
  })
  response.end(text)
}

function toDigest(text: string): Buffer {
  return createHash('sha256').update(text).digest()
}

const EXPOSITION = 'text/plain; version=0.0.4; charset=utf-8'
const MAX_CONNECTIONS = 64

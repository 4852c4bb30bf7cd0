import { McpError } from '../../errors.ts'
import type { Refusal } from '../../peer/pending.ts'

/** What went wrong on the way to a server, as a sentence for people and a code for machines. */
export function toTransportError(
  error: Error & { code?: unknown; syscall?: unknown },
  method: string,
  where: string,
): McpError {
  // What has a code of ours never left: there are no credentials to send it with.
  if (error instanceof McpError) return error
  const { code } = error
  if (error instanceof RangeError || error instanceof TypeError) {
    return new McpError('upstream.protocol', `Cannot read the answer of ${where} to "${method}": ${error.message}`)
  }
  const reason = typeof code === 'string' ? NEVER_ARRIVED[code] : undefined
  if (reason !== undefined) {
    return new McpError('upstream.unavailable', `Cannot reach ${where}: ${reason}`, {
      cause: error,
      // The same codes are given of connections that were open: then nobody knows.
      neverRan: code === 'UND_ERR_CONNECT_TIMEOUT' || CONNECTING.has(error.syscall),
    })
  }
  if (typeof code === 'string' && NO_TLS.has(code)) {
    const message = `Cannot reach ${where}: what answers there does not speak TLS (${code}); if it is plain HTTP, write "http://" in place of "https://"`
    return new McpError('upstream.unavailable', message, { cause: error, neverRan: true })
  }
  if (typeof code === 'string' && TLS.test(code)) {
    const message = `Cannot reach ${where}: its certificate is not accepted (${code})`
    return new McpError('upstream.unavailable', message, { cause: error })
  }
  // The request may have arrived. A tool may have run; everything else can be asked again.
  return method === 'tools/call'
    ? new McpError('upstream.closed', `Lost ${where} during "${method}", its outcome is unknown`, { cause: error })
    : new McpError('upstream.unavailable', `Lost ${where} during "${method}"`, { cause: error })
}

/** A status that says no, with what there is to explain it. */
export function toRefusal(
  status: number,
  body: string | undefined,
  { location, challenge, retryAfter }: Omit<Refusal, 'kind' | 'status' | 'text'> = {},
): Refusal {
  return {
    kind: 'refused',
    status,
    text: (body ?? '').slice(0, MAX_REFUSAL),
    ...(location === undefined ? {} : { location }),
    ...(challenge === undefined ? {} : { challenge }),
    ...(retryAfter === undefined ? {} : { retryAfter }),
  }
}

/** The first of several failures behind one, which a host with several addresses gives. */
export function innermost(error: Error): Error {
  if (error instanceof AggregateError && error.errors[0] instanceof Error) return error.errors[0]
  return error
}

const NEVER_ARRIVED: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'nothing listens there; start the server or check the port',
  ENOENT: 'there is no such socket; start the server or check the path',
  EACCES: 'we may not use the socket',
  ENOTFOUND: 'no host of that name; check the URL',
  EAI_AGAIN: 'the name of the host cannot be looked up now',
  EHOSTUNREACH: 'there is no route to the host',
  ENETUNREACH: 'there is no route to the network',
  UND_ERR_CONNECT_TIMEOUT: 'it does not accept the connection in time',
  UND_ERR_DESTROYED: 'the connection was closed by us',
  UND_ERR_CLOSED: 'the connection was closed by us',
}
/** Calls of the system before anything is sent. */
const CONNECTING: ReadonlySet<unknown> = new Set(['connect', 'getaddrinfo'])
/** How much of a body that is no message is kept to explain a refusal. */
const MAX_REFUSAL = 500
/** How an answer in plain text looks to somebody who awaits a handshake. */
const NO_TLS: ReadonlySet<string> = new Set(['ERR_SSL_WRONG_VERSION_NUMBER', 'ERR_SSL_PACKET_LENGTH_TOO_LONG'])
const TLS = /CERT|SSL|TLS|SELF_SIGNED|UNABLE_TO_VERIFY/

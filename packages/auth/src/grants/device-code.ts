import { toClientAuthentication } from '../client/client-authentication.ts'
import type { ClientIdentity } from '../client/identity.ts'
import { DEVICE_GRANT } from '../client/registration.ts'
import { union } from '../discovery/scopes.ts'
import { AuthError } from '../errors.ts'
import { asString, type JsonObject } from '../json.ts'
import { type TokenResponse, toRefusal } from '../tokens/token-request.ts'
import { asToken } from '../tokens/token-set.ts'
import { parseUrl } from '../urls/parse.ts'
import { isLoopbackHost } from '../urls/reach.ts'
import { aboutResource, type Grant, type GrantContext, type Granted, request } from './grant.ts'
import { type Introduction, identify, ownerOf, recall, untilKnown } from './introduce.ts'

/** Where a person goes, with which code, to let this program in. All of it can be shown as it is. */
export interface DevicePrompt {
  /** https, or a page of this machine. */
  readonly url: string
  /** What is typed there: printable ASCII. */
  readonly userCode: string
  /** The same page with the code filled in, where the server has one. */
  readonly completeUrl: string | undefined
  /** How long the code is good for. */
  readonly expiresInMs: number
}

export interface DeviceCodeGrantOptions extends Introduction {
  readonly show: (prompt: DevicePrompt) => void | Promise<void>
  readonly signInTimeoutMs: number
  readonly signal?: AbortSignal | undefined
  readonly now: () => number
  readonly wait: (ms: number, signal: AbortSignal | undefined) => Promise<void>
}

/** Somebody signs in with a browser that is elsewhere (RFC 8628). */
export function deviceCodeGrant(options: DeviceCodeGrantOptions): Grant {
  return {
    asksPerson: true,
    owner: ownerOf(options),
    obtain: (context) => untilKnown(options, context, true, () => signIn(options, context)),
    recall: (server, clientId, store) => recall(options, server, clientId, store),
  }
}

/** What the server is waiting for, and how it is asked about it. */
interface Pending {
  readonly deviceCode: string
  readonly prompt: DevicePrompt
  readonly intervalMs: number
}

async function signIn(options: DeviceCodeGrantOptions, before: GrantContext): Promise<Granted> {
  const { issuedBy } = before.found
  const endpoint = issuedBy.deviceEndpoint
  if (endpoint === undefined) {
    throw new AuthError('peer.invalid', `Cannot sign in at "${issuedBy.issuer}": it does not offer the device flow`)
  }
  const scopes = issuedBy.scopes.includes(OFFLINE) ? union(before.scopes, [OFFLINE]) : before.scopes
  const context = { ...before, scopes }
  const client = await identify(options, context, undefined)
  const pending = await begin(context, client, endpoint)
  const until = options.now() + Math.min(options.signInTimeoutMs, pending.prompt.expiresInMs)
  await options.show(pending.prompt)
  return { client, response: await poll(options, context, client, pending, until), scopes }
}

async function begin(context: GrantContext, client: ClientIdentity, endpoint: string): Promise<Pending> {
  const { http, found } = context
  const { headers, params } = await toClientAuthentication(client, found.issuedBy)
  const body = new URLSearchParams({ ...aboutResource(context), client_id: client.id, ...params }).toString()
  const answer = await http.post(endpoint, WHAT, 'application/x-www-form-urlencoded', body, headers)
  if (answer.status < 200 || answer.status > 299 || answer.body === undefined) {
    throw toRefusal(answer, found.issuedBy.issuer)
  }
  return parse(answer.body, found.issuedBy.issuer)
}

/** RFC 8628 §3.2: what people are shown was written by a server, and may start nothing on their machine (abuse-32). */
function parse(body: JsonObject, issuer: string): Pending {
  const deviceCode = asToken(body.device_code)
  const userCode = asString(body.user_code)
  const url = toPage(body.verification_uri)
  if (deviceCode === undefined || userCode === undefined || !USER_CODE.test(userCode)) {
    throw new AuthError(
      'peer.invalid',
      `Cannot use what "${issuer}" answers: there is no code in it that could be typed`,
    )
  }
  if (url === undefined) {
    throw new AuthError('policy.forbidden_url', `Cannot sign in at "${issuer}": its page is not one to be shown`)
  }
  const complete = toPage(body.verification_uri_complete)
  const seconds = Number(body.expires_in)
  const interval = Number(body.interval ?? DEFAULT_INTERVAL_S)
  return {
    deviceCode,
    prompt: {
      url: url.href,
      userCode,
      completeUrl: complete?.origin === url.origin ? complete.href : undefined,
      expiresInMs: Number.isFinite(seconds) && seconds > 0 ? seconds * 1_000 : MAX_LIFE_MS,
    },
    intervalMs: toInterval(Number.isFinite(interval) ? interval * 1_000 : DEFAULT_INTERVAL_S * 1_000),
  }
}

/** Over https, or on this machine: whoever types a code on an open line gives it away. */
function toPage(value: unknown): URL | undefined {
  const url = parseUrl(asString(value) ?? '')
  if (url === undefined || url.username !== '' || url.password !== '') return undefined
  return url.protocol === 'https:' || (url.protocol === 'http:' && isLoopbackHost(url.hostname)) ? url : undefined
}

/** RFC 8628 §3.4 and §3.5. */
async function poll(
  { now, wait, signal }: DeviceCodeGrantOptions,
  context: GrantContext,
  client: ClientIdentity,
  { deviceCode, intervalMs }: Pending,
  until: number,
): Promise<TokenResponse> {
  const params = { grant_type: DEVICE_GRANT, device_code: deviceCode, resource: context.found.resource }
  for (let pauseMs = intervalMs; ; ) {
    if (now() + pauseMs > until) throw new AuthError('caller.declined', 'Nobody signed in while the code was good')
    await wait(pauseMs, signal)
    if (signal?.aborted === true) throw new AuthError('caller.declined', 'Nobody signed in: it was given up')
    try {
      return await request(context, client, params)
    } catch (error) {
      pauseMs = toNextPause(error, pauseMs)
    }
  }
}

/** @throws what ends the waiting */
function toNextPause(error: unknown, pauseMs: number): number {
  if (!(error instanceof AuthError)) throw error
  if (error.refusal === 'authorization_pending') return pauseMs
  if (error.refusal === 'slow_down') return toInterval(pauseMs + SLOWER_MS)
  // A server that cannot be reached for a moment is asked less often, as §3.5 has it.
  if (error.code === 'peer.unavailable') return toInterval(2 * pauseMs)
  if (error.refusal === 'access_denied') throw new AuthError('caller.declined', 'Nobody signed in: somebody said no')
  if (error.refusal === 'expired_token') {
    throw new AuthError('caller.declined', 'Nobody signed in while the code was good')
  }
  throw error
}

function toInterval(ms: number): number {
  return Math.min(Math.max(ms, MIN_INTERVAL_MS), MAX_INTERVAL_MS)
}

const WHAT = 'the device authorization endpoint'
const OFFLINE = 'offline_access'
const USER_CODE = /^[\x21-\x7e](?:[\x20-\x7e]{0,62}[\x21-\x7e])?$/
/** RFC 8628 §3.2. */
const DEFAULT_INTERVAL_S = 5
/** RFC 8628 §3.5. */
const SLOWER_MS = 5_000
const MIN_INTERVAL_MS = 1_000
const MAX_INTERVAL_MS = 60_000
/** Of a code whose server does not say how long it is good. */
const MAX_LIFE_MS = 900_000

import { type Implementation, systemClock } from '@crosspoint/mcp'
import { isLoopbackHost } from '../config/hosts.ts'
import type { FrontDoor } from '../front/door.ts'
import type { Gateway } from '../gateway.ts'
import { toBase64Url } from '../identity/api-key.ts'
import { type Log, SILENT } from '../log.ts'
import type { LogTap } from '../log-tap.ts'
import { type AdminListener, listenForAdmin } from '../node/admin-listener.ts'
import { defaultKeyFile, openAuditKey, toVerifiers } from '../node/audit-key.ts'
import { hostAndProcess } from '../node/host.ts'
import { sha256 } from '../node/sha256.ts'
import { createTraceIds } from '../node/trace-ids.ts'
import type { Store } from '../stores/contract/store.ts'
import { Access } from './access.ts'
import { createAdminApp, SAFE } from './app.ts'
import { createGuards } from './guards.ts'
import type { ConfigurationFile } from './needs.ts'
import { type Problem, toRefusal } from './problem.ts'
import { BASE } from './routes.ts'

export interface AdminDoorOptions {
  readonly gateway: Gateway
  /** Name and version that it gives itself. */
  readonly info: Implementation
  /** Where callers are served. Default: nothing is told of it. */
  readonly front?: Pick<FrontDoor, 'url' | 'sessions'>
  /** Where keys, evidence and credentials for servers are. Default: there are none. */
  readonly store?: Partial<Pick<Store, 'keys' | 'audit' | 'credentials'>>
  /** Default: the gateway was not started from a file. */
  readonly file?: ConfigurationFile
  /** Lines of the log that listeners are told. Default: none. */
  readonly tap?: LogTap
  /** Default: nothing is logged. */
  readonly log?: Log
  /** Where the key of the evidence is looked for. Default: the environment of this process. */
  readonly env?: Readonly<Record<string, string | undefined>>
  /** Milliseconds since 1970. Default `Date.now`. */
  readonly wallClock?: () => number
}

/** The admin API, listening. */
export interface AdminDoor {
  /** Without a path: `http://127.0.0.1:8361`. */
  readonly url: string
  /** What to show; made for this start, unless the configuration has one. Absent where only issuers’ tokens are taken. */
  readonly token: string | undefined
  /** Why it listens elsewhere than by default; undefined: it does not. */
  readonly moved: string | undefined
  close(): Promise<void>
}

/**
 * Opens the admin API of a gateway where `admin` of its configuration says.
 * @throws {TypeError} for an address others can reach without a token or issuers
 * @throws the error of the system where an address that is configured cannot be had
 */
export async function openAdmin(options: AdminDoorOptions): Promise<AdminDoor> {
  const { gateway, info, log = SILENT, env = process.env, wallClock = Date.now } = options
  const { admin } = gateway.config
  const made = toToken(gateway)
  const place: { url: string } = { url: '' }
  const names = () => {
    const base = gateway.config.admin.resource ?? place.url
    return [base, `${base}${BASE}`]
  }
  const access = new Access({
    config: () => gateway.config,
    token: made,
    names,
    clock: systemClock,
    wallClock,
    sha256,
  })
  const ids = createTraceIds()
  const toServed = (url: string) => {
    place.url = url
    const guards = createGuards(url, () => gateway.config.admin)
    const app = createAdminApp({
      gateway,
      info,
      front: options.front,
      store: options.store ?? {},
      file: options.file,
      tap: options.tap,
      log,
      clock: systemClock,
      wallClock,
      host: hostAndProcess(),
      verifiers: () => toVerifiers([openAuditKey(gateway.config.audit?.keyFile ?? defaultKeyFile(env)).publicKey]),
      access,
      guards,
    })
    const refuse = (problem: Problem) => {
      gateway.record({ event: 'door.refused', target: 'admin', outcome: problem.code })
      const refusal = toRefusal(problem, ids.traceId())
      return { ...refusal, headers: { ...refusal.headers, ...SAFE } }
    }
    return { guards, refuse, fetch: app.fetch }
  }
  const [listener, moved] = await listen(admin.host, admin.port, toServed)
  return { url: listener.url, token: admin.token ?? made, moved, close: listener.close }
}

/** A secret for this start, for whoever may read it on this machine; none where others reach the address. */
function toToken({ config: { admin, auth } }: Gateway): string | undefined {
  if (admin.token !== undefined) return undefined
  if (isLoopbackHost(admin.host)) return `cpa_${toBase64Url(crypto.getRandomValues(new Uint8Array(32)))}`
  if (auth !== undefined && auth.issuers.length > 0) return undefined
  throw new TypeError('Cannot open the admin API where others reach it without "admin.token" or "auth.issuers"')
}

type Served = Parameters<typeof listenForAdmin>[1]

/** A port that nobody chose must not keep a gateway from its work. */
async function listen(
  host: string,
  port: number | undefined,
  toServed: Served,
): Promise<[listener: AdminListener, moved: string | undefined]> {
  try {
    return [await listenForAdmin({ host, port: port ?? DEFAULT_PORT }, toServed), undefined]
  } catch (error) {
    if (port !== undefined) throw error
    return [await listenForAdmin({ host, port: 0 }, toServed), `port ${DEFAULT_PORT} is in use`]
  }
}

const DEFAULT_PORT = 8361

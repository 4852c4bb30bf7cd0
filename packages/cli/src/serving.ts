import {
  type AdminDoor,
  type ConfigDiff,
  createGateway,
  createLazyStore,
  createLogTap,
  type FrontDoor,
  type Gateway,
  type GatewayOptions,
  openAdminDoor,
  openCluster,
  openRedis,
  openStore,
  type ProcessLog,
  StoreError,
} from '@crosspoint/gateway'
import { type ConfigFlag, type ConfigWatch, type LoadedConfig, watchConfig } from '@crosspoint/gateway/config'
import { locateConfig, readConfig, toConfigFault } from './configuration.ts'
import { CliError } from './exit.ts'
import { toCliError } from './faults.ts'
import type { Io } from './io.ts'
import type { DoorOptions } from './options.ts'
import { createServingLog, toThreshold } from './print/log.ts'
import { visible } from './print/visible.ts'
import { createServedFile } from './served-file.ts'
import { toAuditKeyFault, toStoreFault } from './store.ts'
import { unknownView } from './targets/merged.ts'

export interface ServingOptions extends DoorOptions {
  readonly fallbackConfig?: string
  /** Follow changes of the file. Default true; SIGHUP reads it again in any case. */
  readonly watch?: boolean
  /** Go among the gateways of `cluster`, where that is configured. Default false. */
  readonly isReplica?: boolean
}

/** What `up` and `stdio` have in common: a gateway that follows its configuration file. */
export interface Serving {
  readonly gateway: Gateway
  /** The file it runs on. */
  readonly path: string
  /** True when nobody's own configuration was found. */
  readonly isFallback: boolean
  readonly log: ProcessLog
  /** Opens the store now where callers come with keys or evidence is kept, so that what is wrong with it is told at the start. */
  openStore(): Promise<void>
  /** Opens the admin API, where the configuration has one. @param front where callers are served */
  openAdmin(front: FrontDoor): Promise<AdminDoor | undefined>
  /** Tells people in words and programs in the log. */
  tell(message: string): void
  /** Keeps the log down to errors while something else tells people the same, and brings it back. */
  hush(isHushed: boolean): void
  /** Resolves with the first of SIGINT, SIGTERM and a terminal that is gone. */
  readonly stopped: Promise<void>
  /** Lets calls finish as long as the configuration allows, and leaves nothing behind. */
  close(): Promise<void>
}

export async function createServing(io: Io, options: ServingOptions, flags: readonly ConfigFlag[]): Promise<Serving> {
  const path = await locateConfig(io, options, options.fallbackConfig)
  const loaded = readConfig(io, path, flags)
  const { config } = loaded
  if (options.view !== undefined && !config.views.has(options.view)) throw unknownView(options.view, config)
  const log = createServingLog(io, config.log.level)
  const info = { name: 'crosspoint', version: io.version }
  // Opened when a key is first looked up, if ever.
  const store = createLazyStore(() => openStore(config.store, log, { env: io.env }))
  const tap = createLogTap(log)
  const { redis: url } = config.cluster
  const redis = url === undefined ? undefined : await openRedis({ url, log: tap.log }).catch(failStore)
  const shared = redis === undefined ? {} : { redis }
  const join = () => openCluster(config.cluster, { log: tap.log, ...shared })
  const joined = options.isReplica === true ? await join().catch((error) => failCluster(error, redis)) : undefined
  const cluster = joined?.cluster
  const gateway = await openGateway({ config, info, log: tap.log, env: io.env, store, cluster, ...shared })
  let current = loaded
  const apply = async (next: LoadedConfig) => {
    log.setLevel(toThreshold(io.terminal, next.config.log.level))
    const diff = await gateway.apply(next.config)
    current = next
    tell(io, log, `Read ${visible(path)} again: ${describeDiff(diff)}`)
    return diff
  }
  const watch = follow(io, apply, log, { path, loaded, flags, isWatching: options.watch ?? true })
  return {
    gateway,
    path,
    log,
    openStore: async () => {
      const { auth, audit } = config
      if (auth?.keys.enabled !== true && auth?.server === undefined && audit === undefined) return
      await store.open().catch(failStore)
    },
    openAdmin: async (front) => {
      if (!gateway.config.admin.enabled) return undefined
      const file = createServedFile({ path, flags, env: io.env, current: () => current, apply })
      return openAdminDoor({ gateway, info, front, store, file, tap, log: tap.log, env: io.env })
    },
    isFallback: path === options.fallbackConfig && options.config === undefined,
    stopped: aborted(io.stopping.signal),
    tell: (message) => tell(io, log, message),
    hush: (isHushed) => {
      const { json, verbose } = io.terminal
      if (json || verbose) return
      log.setLevel(isHushed ? 'error' : toThreshold(io.terminal, gateway.config.log.level))
    },
    close: async () => {
      await watch?.close()
      await gateway.close()
      await joined?.close()
      await redis?.close()
      await store.close()
      log.flush()
    },
  }
}

function failStore(error: unknown): never {
  throw toStoreFault(error)
}

/** Where others of the cluster were to reach this one. */
async function failCluster(error: unknown, redis: GatewayOptions['redis']): Promise<never> {
  await redis?.close()
  const code = error instanceof Error && 'code' in error ? String(error.code) : undefined
  if (error instanceof StoreError || code === undefined) throw toStoreFault(error)
  throw new CliError('usage', `Cannot listen for other gateways of the cluster (${code})`, {
    hint: 'Choose another "cluster.listen": this machine has no such address, or another program listens there',
    code,
    cause: error,
  })
}

async function openGateway(options: GatewayOptions): Promise<Gateway> {
  try {
    return createGateway(options)
  } catch (error) {
    await options.redis?.close()
    throw toAuditKeyFault(error)
  }
}

interface Followed {
  readonly path: string
  readonly loaded: LoadedConfig
  readonly flags: readonly ConfigFlag[]
  readonly isWatching: boolean
}

/** Goes over to what the file says whenever it changes, and on SIGHUP; a bad file is told and not used. */
function follow(
  io: Io,
  goOver: (loaded: LoadedConfig) => Promise<ConfigDiff>,
  log: ProcessLog,
  followed: Followed,
): ConfigWatch | undefined {
  const { path, loaded, flags, isWatching } = followed
  const apply = async (next: LoadedConfig): Promise<void> => {
    try {
      await goOver(next)
    } catch (error) {
      io.terminal.fail(toCliError(error, `Cannot go over to ${path}`))
    }
  }
  if (!isWatching) {
    io.stopping.onHangup(() => {
      try {
        void apply(readConfig(io, path, flags))
      } catch (error) {
        io.terminal.fail(toCliError(error))
      }
    })
    return undefined
  }
  const watch = watchConfig(
    path,
    (change) => {
      if (change.kind === 'loaded') void apply(change.loaded)
      else io.terminal.fail(toCliError(toConfigFault(change.error)))
    },
    {
      current: loaded,
      env: io.env,
      flags,
      fault: (error) => log.warn({ path, error: String(error) }, 'Cannot watch the configuration'),
    },
  )
  io.stopping.onHangup(() => watch.reload())
  return watch
}

function tell({ terminal }: Io, log: ProcessLog, message: string): void {
  if (terminal.json) log.info({}, message)
  else terminal.say(message)
}

function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve()
    else signal.addEventListener('abort', () => resolve(), { once: true })
  })
}

/** `added: a, b; removed: c`, or that nothing is different. */
function describeDiff(diff: ConfigDiff): string {
  const parts = [
    describeNames(diff.added, 'added'),
    describeNames(diff.removed, 'removed'),
    describeNames(diff.changed, 'restarted'),
    describeNames(diff.retuned, 'adjusted'),
    describeNames([...diff.views.added, ...diff.views.removed, ...diff.views.changed], 'views changed'),
    describeNames(diff.settings, 'settings changed'),
    diff.listenChanged ? 'another address or number of connections takes effect after a restart' : '',
    diff.guardsChanged ? 'other allowed hosts or origins take effect after a restart' : '',
  ].filter((part) => part !== '')
  return parts.length === 0 ? 'nothing is different' : parts.join('; ')
}

function describeNames(names: readonly string[], what: string): string {
  return names.length === 0 ? '' : `${what}: ${names.map(visible).join(', ')}`
}

import { resolve } from 'node:path'
import { type AdminDoor, adminPassPath, type FrontDoor, leaveAdminPass, openFrontDoor } from '@crosspoint/gateway'
import type { ConfigFlag, ListenConfig } from '@crosspoint/gateway/config'
import { CliError, type ExitKind } from '../exit.ts'
import { letHeapGrow } from '../heap.ts'
import type { Io } from '../io.ts'
import type { UpOptions } from '../options.ts'
import { type Announced, announce } from '../print/announce.ts'
import { describeStarting } from '../print/servers.ts'
import { waiting } from '../print/waiting.ts'
import { createServing, type Serving } from '../serving.ts'

/** Serves all configured servers at one address until it is stopped. */
export async function up(io: Io, options: UpOptions): Promise<ExitKind> {
  letHeapGrow()
  const serving = await createServing(io, { ...options, isReplica: true }, toFlags(options))
  serving.hush(true) // the table tells it better
  try {
    await serving.openStore()
    const door = await openDoor(serving, options)
    let admin: OpenedAdmin | undefined
    try {
      admin = await openAdmin(io, serving, door)
      // The door is open already: a server that takes its time holds up nobody else.
      const { gateway, stopped } = serving
      const started = waiting(io.terminal, () => describeStarting(gateway.status()), gateway.start())
      await Promise.race([started, stopped])
      if (!io.stopping.signal.aborted) {
        announce(io, toAnnounced(serving, door.url, admin, options), toStdioDoor(io, serving, options))
        serving.hush(false)
      }
      await serving.stopped
      serving.hush(true)
      serving.tell('Stopping: calls under way may finish; press Ctrl-C again to end at once')
    } finally {
      await door.close({ drainMs: serving.gateway.config.timeouts.drainMs })
      await admin?.close()
    }
  } finally {
    await serving.close()
  }
  return 'ok'
}

async function openDoor({ gateway, log }: Serving, { view }: UpOptions) {
  const { listen } = gateway.config
  try {
    return await openFrontDoor(gateway, { ...listen, log, ...(view !== undefined && { view }) })
  } catch (error) {
    throw toListenFault(error, listen)
  }
}

interface OpenedAdmin extends AdminDoor {
  /** Where commands on this machine find it; undefined where that could not be written. */
  readonly pass: string | undefined
}

async function openAdmin(io: Io, serving: Serving, front: FrontDoor): Promise<OpenedAdmin | undefined> {
  const { gateway, path, log } = serving
  const { host, port = 0, token } = gateway.config.admin
  const door = await serving.openAdmin(front).catch((error: unknown) => {
    throw toListenFault(error, { host, port }, 'admin.port')
  })
  if (door === undefined) return undefined
  const pass = adminPassPath(resolve(io.cwd, path), io.env)
  const left = {
    url: door.url,
    pid: process.pid,
    ...(token !== undefined || door.token === undefined ? {} : { token: door.token }),
  }
  let take: (() => void) | undefined
  try {
    take = leaveAdminPass(pass, left)
  } catch (error) {
    log.warn({ path: pass, error: String(error) }, 'Commands on this machine will not find the admin API')
  }
  return {
    ...door,
    pass: take === undefined ? undefined : pass,
    close: async () => {
      take?.()
      await door.close()
    },
  }
}

function toListenFault(
  error: unknown,
  { host, port }: Pick<ListenConfig, 'host' | 'port'>,
  setting = '--port',
): unknown {
  const code = error instanceof Error && 'code' in error ? error.code : undefined
  const hint = typeof code === 'string' ? LISTEN_HINTS[code] : undefined
  if (hint === undefined) return error
  return new CliError('usage', `Cannot listen on ${host}:${port}: ${hint[0]}`, {
    hint:
      setting === '--port' ? hint[1] : `Choose another with "${setting}", or leave it out: then any free one is taken`,
    code: String(code),
    cause: error,
  })
}

const LISTEN_HINTS: Readonly<Record<string, readonly [reason: string, remedy: string]>> = {
  EADDRINUSE: [
    'the port is in use',
    'Stop what uses it (another "crosspoint up"?), or choose another: --port 0 takes any free one',
  ],
  EACCES: ['this port may not be used without more rights', 'Choose one from 1024 up with --port'],
  EADDRNOTAVAIL: ['this machine has no such address', 'Use --host 127.0.0.1, or an address of this machine'],
  ENOTFOUND: ['no address goes by that name', 'Use --host 127.0.0.1, or an address of this machine'],
}

function toFlags({ host, port }: UpOptions): ConfigFlag[] {
  const flags: ConfigFlag[] = []
  if (host !== undefined) flags.push({ flag: '--host', path: 'listen.host', value: host })
  if (port !== undefined) flags.push({ flag: '--port', path: 'listen.port', value: port })
  return flags
}

function toAnnounced(
  { gateway, path, isFallback }: Serving,
  url: string,
  admin: OpenedAdmin | undefined,
  { view }: UpOptions,
): Announced {
  const names = view === undefined ? [...gateway.config.views.keys()] : []
  return {
    url,
    admin,
    views: Object.fromEntries(names.map((name) => [name, `${url}/${name}`])),
    config: path,
    isFallback,
    servers: gateway.status(),
    metrics: gateway.metricsUrl,
  }
}

/** For clients that only start programs: whole paths, since they start them in folders of their own. */
function toStdioDoor(io: Io, { path }: Serving, { view }: UpOptions) {
  const [command, ...words] = io.program
  const args = [...words, 'stdio', '--config', resolve(io.cwd, path), ...(view === undefined ? [] : ['--view', view])]
  return { command, args }
}

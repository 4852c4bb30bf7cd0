import { freePort } from '../port.ts'
import { findProgram, makeFolder, type RunningServer, removeFolder, runServer } from './programs.ts'

/** A private Redis server on a free port of 127.0.0.1. */
export interface RedisServer {
  readonly url: string
  /** Stops it at once, as a crash does; it keeps nothing. */
  stop(): Promise<void>
  /** At the same port, empty. */
  start(): Promise<void>
  close(): Promise<void>
}

/**
 * Redis's program; undefined where there is none, which a test tells by `test.skipIf`.
 * @throws {Error} where it is missing and `CI` is set
 */
export function findRedis(): string | undefined {
  return findProgram('redis-server')
}

/** @param program as {@link findRedis} finds it */
export async function startRedis(program: string): Promise<RedisServer> {
  const folder = makeFolder('crosspoint-redis-', {})
  const port = await freePort()
  const args = ['--port', `${port}`, '--bind', '127.0.0.1', '--save', '', '--appendonly', 'no', '--dir', folder]
  const start = () => runServer(program, args, { account: {}, cwd: folder, ready: /Ready to accept connections/ })
  let server: RunningServer | undefined = await start()
  const stop = async () => {
    await server?.end('SIGKILL')
    server = undefined
  }
  return {
    url: `redis://127.0.0.1:${port}`,
    stop,
    async start() {
      server ??= await start()
    },
    async close() {
      await stop()
      removeFolder(folder)
    },
  }
}

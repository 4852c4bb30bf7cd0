import { serveChannel } from '../transports/duplex/serve.ts'
import type { Endpoint } from '../transports/endpoint.ts'
import { createMemoryPipe } from '../transports/memory/pipe.ts'
import { inheritedEnvironment } from '../transports/stdio/environment.ts'
import type { Target } from './connection.ts'

/** Whom to connect to, as it is shortest to write. */
export type ConnectTarget =
  /** The URL of an HTTP endpoint, or `unix:/run/x.sock` for one on a Unix socket. */
  | string
  /** A command to start; without `env` it gets a few harmless variables of ours, such as PATH and HOME. */
  | {
      readonly command: string
      readonly args?: readonly string[]
      readonly env?: Readonly<Record<string, string>>
      readonly cwd?: string
    }
  /** A server in this process, served over a pipe in memory for as long as the connection lasts. */
  | { readonly endpoint: Endpoint }
  | Target

export function toTarget(target: ConnectTarget): Target {
  if (typeof target === 'string') return { kind: 'http', url: target }
  if ('kind' in target) return target
  if ('endpoint' in target) {
    const pipe = createMemoryPipe()
    serveChannel(target.endpoint, pipe.server)
    return { kind: 'channel', channel: pipe.client }
  }
  return { kind: 'stdio', env: inheritedEnvironment(), ...target }
}

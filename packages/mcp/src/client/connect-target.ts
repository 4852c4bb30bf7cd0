import { checkOptions, type OptionNames } from '../protocol/option-names.ts'
import { serveChannel } from '../transports/duplex/serve.ts'
import type { Endpoint } from '../transports/endpoint.ts'
import { parseAddress } from '../transports/http/address.ts'
import { createMemoryPipe } from '../transports/memory/pipe.ts'
import { inheritedEnvironment } from '../transports/stdio/environment.ts'
import type { Target } from './connection.ts'

/** Whom to connect to, as it is shortest to write. */
export type ConnectTarget =
  /** The URL of an HTTP endpoint, or `unix:/run/x.sock` for one on a Unix socket. */
  | string
  | URL
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

/**
 * Plain JavaScript is told here what types would have said.
 * @throws {TypeError} for what is no target
 * @throws {McpError} `caller.invalid_params` for an address nothing can be at
 */
export function checkTarget(target: ConnectTarget): void {
  if (typeof target === 'string') {
    parseAddress(target)
    return
  }
  if (typeof target !== 'object' || target === null) throw new TypeError(`Cannot connect to this: ${USAGE}`)
  if ('endpoint' in target || target instanceof URL) return
  if (!('kind' in target)) {
    if (!('command' in target)) throw new TypeError(`Cannot connect to an object without a "command": ${USAGE}`)
    checkOptions('start a server', target, NAMES.stdio)
  } else if (!Object.hasOwn(NAMES, target.kind)) {
    throw new TypeError(`Cannot connect to a target of this kind: there are ${Object.keys(NAMES).join(', ')}`)
  } else checkOptions('connect', target, NAMES[target.kind] as OptionNames<Target>) // the names of its own kind
}

export function toTarget(target: ConnectTarget): Target {
  if (typeof target === 'string') return { kind: 'http', url: target }
  if (target instanceof URL) return { kind: 'http', url: target.href }
  if ('kind' in target) return target
  if ('endpoint' in target) {
    const pipe = createMemoryPipe()
    serveChannel(target.endpoint, pipe.server)
    return { kind: 'channel', channel: pipe.client }
  }
  return { kind: 'stdio', env: inheritedEnvironment(), ...target }
}

type OfKind<Kind extends Target['kind']> = Extract<Target, { readonly kind: Kind }>

const NAMES: { readonly [Kind in Target['kind']]: OptionNames<OfKind<Kind>> } = {
  stdio: { kind: true, command: true, args: true, env: true, cwd: true },
  http: { kind: true, url: true, transport: true, headers: true, authorization: true },
  channel: { kind: true, channel: true },
}
const USAGE =
  "give a URL, { command: 'node', args: ['server.mjs'] }, { kind: 'http', url, headers } or a server of this process"

import { McpError } from '../errors.ts'
import { shown } from '../jsonrpc/shown.ts'
import { NEWEST } from '../revisions/index.ts'
import { openDuplexWire } from '../transports/duplex/connect.ts'
import { parseAddress } from '../transports/http/address.ts'
import { openHttpWire } from '../transports/http/client.ts'
import { openSseWire } from '../transports/http-sse/connect.ts'
import { openChild } from '../transports/stdio/child.ts'
import { toCommandName } from '../transports/stdio/command-name.ts'
import type { Closed, Wire, WireOptions } from '../transports/wire.ts'
import type { Target } from './connection.ts'
import type { Settings } from './settings.ts'

/** Reaches a target, more than once where a child must be started anew. */
export interface Dialer {
  /** Who that is, for sentences. */
  readonly name: string
  /** `stream`: an exit and a silence say something about the server. `http`: they do not. */
  readonly kind: 'stream' | 'http'
  /** HTTP+SSE and no other transport was asked for. */
  readonly mustUseSse: boolean
  /** What of the way that was dialled last is worth to be remembered. */
  readonly transport: { readonly transport: 'sse' } | undefined
  /** The first line of a program that was no message, for sentences; undefined where there was none. */
  readonly junk: string | undefined
  dial(): Wire
  /** Dials the transport of the oldest revision; of HTTP servers only. */
  dialSse(): Wire
  /** Ends what was dialled last, and says how it ended. */
  close(): Promise<Closed | undefined>
}

export function createDialer(target: Target, settings: Settings): Dialer {
  let wire: Wire | undefined
  let count = 0
  let usesSse = false
  let junk: string | undefined
  const listening: Settings =
    target.kind !== 'stdio'
      ? settings
      : {
          ...settings,
          fault(reason, sample) {
            if (sample.trim() !== '') junk ??= shown(sample.trim())
            settings.fault?.(reason, sample)
          },
        }
  const dial = (isSse: boolean) => {
    usesSse = isSse
    wire = openWire(target, listening, isSse)
    return wire
  }
  return {
    name: settings.name === undefined ? toName(target) : `"${shown(settings.name)}"`,
    kind: target.kind === 'http' ? 'http' : 'stream',
    mustUseSse: target.kind === 'http' && target.transport === 'sse',
    get junk() {
      return junk
    },
    get transport() {
      return usesSse ? ({ transport: 'sse' } as const) : undefined
    },
    dial() {
      if (target.kind === 'channel' && count > 0) {
        throw new McpError('upstream.unavailable', 'Cannot open a channel twice')
      }
      count++
      return dial(false)
    },
    dialSse: () => dial(true),
    async close() {
      await wire?.close()
      return wire?.closed
    },
  }
}

function openWire(target: Target, settings: Settings, isSse: boolean): Wire {
  const { clock, limits, relayFromBytes, maxInFlight, capabilities, ask, stray, fault, leftOut } = settings
  const options: WireOptions = {
    revision: NEWEST,
    clock,
    limits,
    relayFromBytes,
    timeoutMs: settings.requestTimeoutMs,
    maxMs: settings.maxRequestMs,
    maxInFlight,
    capabilities,
    ask,
    stray,
    fault,
    leftOut,
  }
  switch (target.kind) {
    case 'channel':
      return openDuplexWire(target.channel, options)
    case 'http':
      return (isSse ? openSseWire : openHttpWire)({
        ...options,
        ...parseAddress(target.url),
        name: settings.name,
        headers: target.headers ?? {},
        authorization: target.authorization ?? settings.authorization,
        maxSockets: settings.maxSockets,
        connectTimeoutMs: settings.connectTimeoutMs,
      })
    case 'stdio': {
      const channel = openChild({
        name: settings.name,
        command: target.command,
        args: target.args ?? [],
        env: target.env ?? {},
        cwd: target.cwd,
        maxLineBytes: limits.maxBytes,
        killGraceMs: settings.killGraceMs,
        clock,
        stderr: settings.stderr,
      })
      return openDuplexWire(channel, options)
    }
  }
}

function toName(target: Target): string {
  if (target.kind === 'stdio') return `"${toCommandName(target.command, target.args ?? [])}"`
  if (target.kind === 'channel') return 'the channel'
  return URL.canParse(target.url) ? new URL(target.url).host || target.url : `"${target.url}"`
}

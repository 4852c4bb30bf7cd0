import { McpError } from '../errors.ts'
import { NEWEST } from '../revisions/index.ts'
import { openDuplexWire } from '../transports/duplex/connect.ts'
import { openHttpWire } from '../transports/http/client.ts'
import { openChild } from '../transports/stdio/child.ts'
import type { Closed, Wire, WireOptions } from '../transports/wire.ts'
import type { Target } from './connection.ts'
import type { Settings } from './settings.ts'

/** Reaches a target, more than once where a child must be started anew. */
export interface Dialer {
  /** Who that is, for sentences. */
  readonly name: string
  /** `stream`: an exit and a silence say something about the server. `http`: they do not. */
  readonly kind: 'stream' | 'http'
  dial(): Wire
  /** Ends what was dialled last, and says how it ended. */
  close(): Promise<Closed | undefined>
}

export function createDialer(target: Target, settings: Settings): Dialer {
  let wire: Wire | undefined
  let count = 0
  return {
    name: toName(target),
    kind: target.kind === 'http' ? 'http' : 'stream',
    dial() {
      if (target.kind === 'channel' && count > 0) {
        throw new McpError('upstream.unavailable', 'Cannot open a channel twice')
      }
      count++
      wire = openWire(target, settings)
      return wire
    },
    async close() {
      await wire?.close()
      return wire?.closed
    },
  }
}

function openWire(target: Target, settings: Settings): Wire {
  const { clock, limits, maxInFlight, capabilities, ask, stray, fault } = settings
  const options: WireOptions = {
    revision: NEWEST,
    clock,
    limits,
    timeoutMs: settings.requestTimeoutMs,
    maxInFlight,
    capabilities,
    ask,
    stray,
    fault,
  }
  switch (target.kind) {
    case 'channel':
      return openDuplexWire(target.channel, options)
    case 'http':
      return openHttpWire({
        ...options,
        url: toUrl(target.url),
        headers: target.headers ?? {},
        maxSockets: settings.maxSockets,
        connectTimeoutMs: settings.connectTimeoutMs,
      })
    case 'stdio': {
      const channel = openChild({
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

function toUrl(text: string): URL {
  const url = URL.canParse(text) ? new URL(text) : undefined
  if (url === undefined || (url.protocol !== 'http:' && url.protocol !== 'https:')) {
    throw new McpError('internal.error', `Cannot connect to "${text}": it is not an http or https URL`)
  }
  if (url.username !== '' || url.password !== '') {
    throw new McpError('internal.error', `Cannot connect to "${url.host}" with a password in the URL: use a header`)
  }
  return url
}

function toName(target: Target): string {
  if (target.kind === 'stdio') return `"${target.command}"`
  if (target.kind === 'channel') return 'the channel'
  return URL.canParse(target.url) ? new URL(target.url).host : `"${target.url}"`
}

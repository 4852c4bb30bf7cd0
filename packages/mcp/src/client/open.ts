import { McpError } from '../errors.ts'
import { AWAITED, type Timer } from '../peer/clock.ts'
import type { Connection, ConnectionOptions, Target } from './connection.ts'
import { createDialer, type Dialer } from './dial.ts'
import { negotiate } from './negotiate.ts'
import { type Settings, toSettings } from './settings.ts'

/**
 * Opens a conversation with a server of any revision.
 * @throws {McpError} `upstream.unavailable`, `upstream.unauthorized`, `upstream.timeout` or `upstream.protocol`,
 *   with a sentence that says what would help. Nothing is left behind then.
 */
export async function openConnection(target: Target, options: ConnectionOptions = {}): Promise<Connection> {
  const settings = toSettings(options)
  const dialer = createDialer(target, settings)
  const timeUp = new AbortController()
  const timer = startTimer(target, settings, () => timeUp.abort())
  const giveUp = () => timeUp.abort()
  options.signal?.addEventListener('abort', giveUp, { once: true })
  if (options.signal?.aborted === true) giveUp()
  try {
    const opened = await negotiate(dialer, settings, timeUp.signal)
    const { wire, revision, handle, serverInfo, capabilities, instructions } = opened
    const at = opened.probedAt ?? new Date(settings.clock.wallNow()).toISOString()
    return {
      handle,
      verdict: { revision: revision.name, ...dialer.transport, at },
      serverInfo,
      capabilities,
      instructions,
      closed: wire.closed,
      tell: async ({ method, params }) => {
        const codec = wire.revision.methods.get(method)
        if (codec?.descriptor.kind === 'notification') await wire.notify(method, codec.downParams(params))
      },
      close: () => wire.close(),
      [Symbol.asyncDispose]: () => wire.close(),
    }
  } catch (error) {
    const closed = await dialer.close()
    if (options.signal?.aborted === true) {
      throw new McpError('upstream.unavailable', `Gave up opening ${dialer.name}`, { cause: error })
    }
    if (timeUp.signal.aborted) {
      throw new McpError('upstream.timeout', toSilence(dialer, settings), { cause: error })
    }
    if (closed === undefined || closed.asked) throw error
    throw new McpError('upstream.unavailable', closed.reason + toSaid(dialer), { cause: error })
  } finally {
    timer.cancel()
    options.signal?.removeEventListener('abort', giveUp)
  }
}

function toSilence(dialer: Dialer, { connectTimeoutMs }: Settings): string {
  const silence = `Cannot open ${dialer.name}: no answer within ${connectTimeoutMs / 1000} s`
  return `${silence}${toSaid(dialer)}; if it needs longer to start, raise "connectTimeoutMs"`
}

/** Whoever wrote the server learns by its own words what is wrong with it. */
function toSaid({ junk }: Dialer): string {
  return junk === undefined ? '' : `; it wrote to stdout, where only messages belong: "${junk}"`
}

/** Rings when connecting took too long. A person who signs in may take longer than any server. */
function startTimer(target: Target, { clock, connectTimeoutMs, authorization }: Settings, ring: () => void): Timer {
  const asks = (target.kind === 'http' ? target.authorization : undefined) ?? authorization
  const rung = () => {
    if (asks?.isAsking === true) timer = start()
    else ring()
  }
  const start = (): Timer => clock.setTimer(connectTimeoutMs, rung, AWAITED)
  let timer = start()
  return { cancel: () => timer.cancel() }
}

import type { Clock, Timer } from '@crosspoint/mcp'
import type { PrometheusConfig } from '../config/model-telemetry.ts'
import type { Log } from '../log.ts'
import { type MetricsDoor, openMetricsDoor } from '../node/metrics-door.ts'
import type { Metrics } from './metrics.ts'
import type { Collector } from './settings.ts'
import { toReason } from './span-queue.ts'

export interface OutletOptions {
  /** Said of this process. */
  readonly resource: Readonly<Record<string, string>>
  /** Everything there is to tell at this moment. */
  readonly read: () => Metrics
  /** From when on it counts, in milliseconds since 1970. */
  readonly since: number
  readonly clock: Clock
  readonly log: Log
}

/**
 * Tells a collector every so often, until it is closed: then once more.
 * @param lost told of each time that it did not take them
 * @returns how it ends
 */
export async function pushMetrics(
  to: Collector,
  everyMs: number,
  { resource, read, since, clock, log }: OutletOptions,
  lost: () => void,
): Promise<() => Promise<void>> {
  const { openMetricExport } = await import('./otel.ts')
  const exporter = await openMetricExport(to, resource)
  let timer: Timer | undefined
  let isAway = false
  let isOver = false
  const tell = async () => {
    try {
      await exporter.tell(read(), { since, at: clock.wallNow() })
      if (isAway) log.info({}, 'The collector takes metrics again')
      isAway = false
    } catch (error) {
      lost()
      if (!isAway) log.warn({ reason: toReason(error) }, 'The collector does not take metrics')
      isAway = true
    }
  }
  const next = () => {
    if (!isOver) timer = clock.setTimer(everyMs, () => void tell().then(next))
  }
  next()
  return async () => {
    isOver = true
    timer?.cancel()
    await tell()
    await exporter.close()
  }
}

/** Lets Prometheus ask. Undefined where the address cannot be listened to, which the log says. */
export async function exposeMetrics(
  config: PrometheusConfig,
  { resource, read, since, clock, log }: OutletOptions,
): Promise<MetricsDoor | undefined> {
  const load = later(async () => (await import('./otel.ts')).openExposition(resource))
  try {
    const door = await openMetricsDoor(config, async () => {
      const write = await load()
      return write(read(), { since, at: clock.wallNow() })
    })
    log.info({ metrics: door.url }, 'Metrics can be asked for')
    return door
  } catch (error) {
    const { host, port } = config
    const reason = toReason(error)
    log.error({ host, port, reason }, 'Metrics cannot be asked for: the address cannot be listened to')
    return undefined
  }
}

/** Made when it is first asked for, and again where that failed. */
export function later<T>(make: () => Promise<T>): () => Promise<T> {
  let made: Promise<T> | undefined
  return () => {
    made ??= make().catch((error: unknown) => {
      made = undefined
      throw error
    })
    return made
  }
}

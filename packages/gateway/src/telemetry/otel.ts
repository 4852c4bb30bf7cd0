import type { HrTime, SpanContext } from '@opentelemetry/api'
import type { MetricData, ResourceMetrics } from '@opentelemetry/sdk-metrics'
import type { ReadableSpan } from '@opentelemetry/sdk-trace-base'
import { FIELD_BOUNDS, Histogram } from './histogram.ts'
import type { Metrics, Point } from './metrics.ts'
import { METRICS, type MetricName, SCOPE } from './names.ts'
import type { Collector } from './settings.ts'
import type { Span } from './span.ts'

/**
 * The border with the packages of OpenTelemetry: they write what we have in its formats, and are loaded with this file, which is
 * loaded where something is to be told.
 */

interface Ended {
  readonly code: number
  readonly error?: Error
}

export interface TraceExport {
  tell(spans: readonly Span[]): Promise<void>
  close(): Promise<void>
}

export async function openTraceExport(to: Collector, resourceOf: Resource): Promise<TraceExport> {
  const [{ OTLPTraceExporter }, { resourceFromAttributes }] = await Promise.all([
    import('@opentelemetry/exporter-trace-otlp-http'),
    import('@opentelemetry/resources'),
  ])
  const exporter = new OTLPTraceExporter({ url: to.url, headers: { ...to.headers } })
  const resource = resourceFromAttributes(resourceOf)
  return {
    tell: (spans) =>
      told((done) =>
        exporter.export(
          spans.map((span) => toReadable(span, resource)),
          done,
        ),
      ),
    close: () => exporter.shutdown(),
  }
}

type Resource = Readonly<Record<string, string>>

/** From when on metrics count, and the moment they were read; milliseconds since 1970. */
export interface Stretch {
  readonly since: number
  readonly at: number
}

export interface MetricExport {
  tell(metrics: Metrics, stretch: Stretch): Promise<void>
  close(): Promise<void>
}

export async function openMetricExport(to: Collector, resource: Resource): Promise<MetricExport> {
  const [{ OTLPMetricExporter }, toMetricData] = await Promise.all([
    import('@opentelemetry/exporter-metrics-otlp-http'),
    openConversion(resource),
  ])
  const exporter = new OTLPMetricExporter({ url: to.url, headers: { ...to.headers } })
  return {
    tell: (metrics, stretch) => told((done) => exporter.export(toMetricData(metrics, stretch), done)),
    close: () => exporter.shutdown(),
  }
}

/** Writes metrics as Prometheus reads them. */
export async function openExposition(resource: Resource): Promise<(metrics: Metrics, stretch: Stretch) => string> {
  const [{ PrometheusSerializer }, toMetricData] = await Promise.all([
    import('@opentelemetry/exporter-prometheus'),
    openConversion(resource),
  ])
  const serializer = new PrometheusSerializer(undefined, false, undefined, false, true)
  return (metrics, stretch) => serializer.serialize(toMetricData(metrics, stretch))
}

async function openConversion(resourceOf: Resource): Promise<(metrics: Metrics, stretch: Stretch) => ResourceMetrics> {
  const [{ AggregationTemporality, DataPointType }, { resourceFromAttributes }, { ValueType }] = await Promise.all([
    import('@opentelemetry/sdk-metrics'),
    import('@opentelemetry/resources'),
    import('@opentelemetry/api'),
  ])
  const resource = resourceFromAttributes(resourceOf)
  const toData = (name: MetricName, points: readonly Point[], { since, at }: Stretch): MetricData => {
    const { kind, unit, about } = METRICS[name]
    const times = { startTime: toHrTime(since), endTime: toHrTime(at) }
    const descriptor = { name, description: about, unit, valueType: ValueType.DOUBLE }
    const common = { descriptor, aggregationTemporality: AggregationTemporality.CUMULATIVE }
    const numbers = () => points.map(({ attributes, value }) => ({ ...times, attributes, value: Number(value) }))
    if (kind === 'gauge') return { ...common, dataPointType: DataPointType.GAUGE, dataPoints: numbers() }
    if (kind === 'counter') {
      return { ...common, dataPointType: DataPointType.SUM, isMonotonic: true, dataPoints: numbers() }
    }
    const dataPoints = points.flatMap(({ attributes, value }) =>
      value instanceof Histogram ? [{ ...times, attributes, value: toDistribution(value) }] : [],
    )
    return { ...common, dataPointType: DataPointType.HISTOGRAM, dataPoints }
  }
  return (metrics, stretch) => ({
    resource,
    scopeMetrics: [{ scope: SCOPE, metrics: [...metrics].map(([name, points]) => toData(name, points, stretch)) }],
  })
}

function toDistribution(histogram: Histogram) {
  const { count, sum, max } = histogram
  return { count, sum, max, buckets: { boundaries: [...FIELD_BOUNDS], counts: histogram.toFieldCounts() } }
}

function toReadable(span: Span, resource: ReadableSpan['resource']): ReadableSpan {
  const { name, traceId, parentSpanId, startedAt, ms, attributes, link, tracestate } = span
  const isFailed = attributes['error.type'] !== undefined
  const toContext = (spanId: string, isRemote: boolean): SpanContext => ({
    traceId,
    spanId,
    traceFlags: SAMPLED,
    isRemote,
    ...(tracestate === undefined ? {} : { traceState: toTraceState(tracestate) }),
  })
  const context = toContext(span.spanId, false)
  return {
    name,
    kind: span.kind === 'server' ? SERVER : CLIENT,
    spanContext: () => context,
    ...(parentSpanId === undefined ? {} : { parentSpanContext: toContext(parentSpanId, span.isParentRemote) }),
    startTime: toHrTime(startedAt),
    endTime: toHrTime(startedAt + ms),
    duration: toHrTime(ms),
    status: { code: isFailed ? FAILED : UNSET },
    attributes,
    links:
      link === undefined
        ? []
        : [
            {
              context: {
                traceId: link.traceId,
                spanId: link.spanId,
                traceFlags: Number.parseInt(link.flags, 16),
                isRemote: true,
              },
            },
          ],
    events: [],
    ended: true,
    resource,
    instrumentationScope: SCOPE,
    droppedAttributesCount: 0,
    droppedEventsCount: 0,
    droppedLinksCount: 0,
  }
}

/** Carried along and never read here. */
function toTraceState(text: string): NonNullable<SpanContext['traceState']> {
  const state: NonNullable<SpanContext['traceState']> = {
    get: () => undefined,
    set: () => state,
    unset: () => state,
    serialize: () => text,
  }
  return state
}

function toHrTime(ms: number): HrTime {
  const seconds = Math.floor(ms / 1_000)
  return [seconds, Math.round((ms - seconds * 1_000) * 1e6)]
}

function told(tell: (done: (ended: Ended) => void) => void): Promise<void> {
  return new Promise((resolve, reject) => {
    tell(({ code, error }) => (code === 0 ? resolve() : reject(error ?? new Error('Not taken'))))
  })
}

// Numbers of the API, written out so that the types are all that is imported at once.
const SERVER = 1
const CLIENT = 2
const UNSET = 0
const FAILED = 2
const SAMPLED = 1

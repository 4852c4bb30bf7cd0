import type { MetricsConfig, TelemetryConfig, TracesConfig } from '../config/model-telemetry.ts'

type Env = Readonly<Record<string, string | undefined>>

/** Where something is sent. */
export interface Collector {
  readonly url: string
  readonly headers: Readonly<Record<string, string>>
}

export interface TraceSettings extends Collector {
  readonly sample: number
  readonly parentBased: boolean
}

/** Of what is configured, with what the environment says where that is silent; see OpenTelemetry, SDK environment variables. */
export function toTraceSettings(config: TracesConfig, env: Env): TraceSettings {
  const sampler = toSampler(env)
  return {
    ...toCollector(config, 'TRACES', env),
    sample: config.sample ?? sampler.sample,
    parentBased: config.parentBased ?? sampler.parentBased,
  }
}

/** Undefined where metrics are only asked for. */
export function toMetricCollector(config: MetricsConfig, env: Env): Collector | undefined {
  const isNamed = config.otlp !== undefined || endpointOf('METRICS', env) !== undefined
  return isNamed || config.prometheus === undefined ? toCollector(config, 'METRICS', env) : undefined
}

/** What is said of this process with everything it tells. */
export function toResource(
  { service }: TelemetryConfig,
  env: Env,
  about: { readonly version: string; readonly instance: string },
): Readonly<Record<string, string>> {
  return {
    ...toPairs(env.OTEL_RESOURCE_ATTRIBUTES),
    'service.name': service.name ?? (env.OTEL_SERVICE_NAME || 'crosspoint'),
    'service.version': about.version,
    'service.instance.id': about.instance,
    ...service.attributes,
  }
}

export function isDisabled(env: Env): boolean {
  return env.OTEL_SDK_DISABLED?.trim().toLowerCase() === 'true'
}

function toCollector(
  { otlp, headers }: TracesConfig | MetricsConfig,
  signal: 'TRACES' | 'METRICS',
  env: Env,
): Collector {
  const path = `v1/${signal.toLowerCase()}`
  const url = otlp === undefined ? (endpointOf(signal, env) ?? join(DEFAULT_COLLECTOR, path)) : join(otlp, path)
  return {
    url,
    headers: headers ?? {
      ...toPairs(env.OTEL_EXPORTER_OTLP_HEADERS),
      ...toPairs(env[`OTEL_EXPORTER_OTLP_${signal}_HEADERS`]),
    },
  }
}

/** That of one signal is used as it is; of the one for all it is the base. */
function endpointOf(signal: 'TRACES' | 'METRICS', env: Env): string | undefined {
  const own = env[`OTEL_EXPORTER_OTLP_${signal}_ENDPOINT`]
  if (own !== undefined && own !== '') return own
  const base = env.OTEL_EXPORTER_OTLP_ENDPOINT
  return base === undefined || base === '' ? undefined : join(base, `v1/${signal.toLowerCase()}`)
}

function join(base: string, path: string): string {
  return base.endsWith('/') ? `${base}${path}` : `${base}/${path}`
}

function toSampler(env: Env): Pick<TraceSettings, 'sample' | 'parentBased'> {
  const { OTEL_TRACES_SAMPLER: name = '', OTEL_TRACES_SAMPLER_ARG: arg = '' } = env
  const ratio = arg.trim() === '' ? 1 : Number(arg)
  const share = ratio >= 0 && ratio <= 1 ? ratio : 1
  const kind = name.replace(/^parentbased_/, '')
  return {
    sample: kind === 'always_off' ? 0 : kind === 'traceidratio' ? share : 1,
    parentBased: name === '' || name.startsWith('parentbased_'),
  }
}

/** `a=b,c=d`, with what is encoded in values. */
function toPairs(text = ''): Record<string, string> {
  const pairs: [string, string][] = []
  for (const pair of text.split(',')) {
    const at = pair.indexOf('=')
    if (at < 1) continue
    const value = pair.slice(at + 1).trim()
    try {
      pairs.push([pair.slice(0, at).trim(), decodeURIComponent(value)])
    } catch {
      pairs.push([pair.slice(0, at).trim(), value]) // no encoding at all
    }
  }
  return Object.fromEntries(pairs)
}

const DEFAULT_COLLECTOR = 'http://127.0.0.1:4318'

/** What is told of the gateway while it runs, and to whom: see `telemetry/`. */
export interface TelemetryConfig {
  readonly service: {
    /** Default: `OTEL_SERVICE_NAME`, or `crosspoint`. */
    readonly name?: string | undefined
    /** Said of this process with everything it tells, as `deployment.environment.name`. Default none. */
    readonly attributes: Readonly<Record<string, string>>
  }
  /** Absent: no spans are made. */
  readonly traces?: TracesConfig | undefined
  /** Absent: no metrics are told; {@link Gateway.figures} counts nevertheless. */
  readonly metrics?: MetricsConfig | undefined
  /** Says of which resource: a URI may hold anything. Default false. */
  readonly uris: boolean
  /** Puts arguments into spans, with secrets left out, as evidence does. Default false. */
  readonly content: boolean
  /** Passes the callers' `baggage` on to servers. Default false: it may say what another organisation is not to know. */
  readonly passBaggage: boolean
  /** Most tools and prompts that metrics and figures tell apart. Default 1,000. */
  readonly maxTools: number
}

export interface TracesConfig {
  /** Of a collector, without `/v1/traces`. Default: as `OTEL_EXPORTER_OTLP_…` says, or this machine's port 4318. */
  readonly otlp?: string | undefined
  /** Sent with each request to it. Values may be secrets. Default: `OTEL_EXPORTER_OTLP_HEADERS`. */
  readonly headers?: Readonly<Record<string, string>> | undefined
  /** How many of all traces are recorded, from 0 to 1. Default: as `OTEL_TRACES_SAMPLER` says, or 1. */
  readonly sample?: number | undefined
  /** A trace that its caller began is recorded if the caller does. Default: as `OTEL_TRACES_SAMPLER` says, or true. */
  readonly parentBased?: boolean | undefined
  /** Most spans that wait to be told; what is more is lost, and counted. Default 4,096. */
  readonly maxWaiting: number
}

export interface MetricsConfig {
  /** Of a collector, without `/v1/metrics`. Default: as `OTEL_EXPORTER_OTLP_…` says; else none where there is `prometheus`. */
  readonly otlp?: string | undefined
  readonly headers?: Readonly<Record<string, string>> | undefined
  /** How often a collector is told. Default 60 s. */
  readonly intervalMs: number
  /** Absent: nobody can ask. */
  readonly prometheus?: PrometheusConfig | undefined
}

/** An address of its own, where metrics can be asked for. */
export interface PrometheusConfig {
  /** Default `127.0.0.1`. */
  readonly host: string
  /** 0 takes any free port. Default 9464. */
  readonly port: number
  /** Default `/metrics`. */
  readonly path: string
  /** What whoever asks shows as `Authorization: Bearer …`. A secret. Absent: nobody is asked. */
  readonly token?: string | undefined
  /** `Host` header values accepted besides loopback names and addresses. Default none. */
  readonly allowedHosts: readonly string[]
}

import { z } from 'zod'
import { HOUR_MS, host, hosts, loose, section, text, truth, whole } from './shapes.ts'

const url = text.regex(/^https?:\/\/[^\s#?]+$|\$\{/i, 'Must be an http(s) URL, such as "http://collector:4318"')

const headers = z
  .record(z.string().regex(/^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/, 'Must be a name of a header'), loose, {
    error: 'Must be a mapping from names to values',
  })
  .describe('Sent with each request to it, such as credentials. Default: `OTEL_EXPORTER_OTLP_HEADERS`.')

const SHARE = 'Must be a number from 0 to 1'
const share = z.number({ error: SHARE }).min(0, SHARE).max(1, SHARE)
const written = z
  .string({ error: SHARE })
  .regex(/^(?:[01]|[01]?\.\d{1,9}|\$\{.+\})$/, SHARE)
  .transform(Number)
  .pipe(share)

const traces = z
  .strictObject(
    {
      otlp: url
        .describe(
          'Base URL of a collector that takes OTLP over HTTP; `/v1/traces` is added. Default: `OTEL_EXPORTER_OTLP_TRACES_ENDPOINT`, `OTEL_EXPORTER_OTLP_ENDPOINT`, or http://127.0.0.1:4318.',
        )
        .optional(),
      headers: headers.optional(),
      sample: z
        .union([share, written], { error: SHARE })
        .describe(
          'How many of all traces are recorded, from 0 to 1. Default: `OTEL_TRACES_SAMPLER` and `OTEL_TRACES_SAMPLER_ARG`, or 1.',
        )
        .optional(),
      parentBased: truth()
        .describe(
          'Whether a trace that a caller began is recorded as the caller says, whatever `sample` is. Default: as `OTEL_TRACES_SAMPLER` says, or true.',
        )
        .optional(),
      maxWaiting: whole(1, 1_000_000)
        .prefault(4_096)
        .describe('Most spans that wait for the collector; what is more is lost, and counted.'),
    },
    { error: 'Must be a mapping' },
  )
  .describe('Spans of calls, for a collector of OpenTelemetry. Default: none are made.')

const prometheus = z
  .strictObject(
    {
      host: host.default('127.0.0.1').describe('Address to bind.'),
      port: whole(0, 65_535).prefault(9464).describe('Port to bind; 0 takes any free one.'),
      path: text
        .regex(/^\/[\w./-]*$/, 'Must be a path such as "/metrics"')
        .default('/metrics')
        .describe('Where metrics are.'),
      token: text
        .describe('What whoever asks shows as `Authorization: Bearer …`. Default: nobody is asked.')
        .optional(),
      allowedHosts: hosts
        .default([])
        .describe('`Host` header values accepted besides loopback names and IP addresses, as `name` or `name:port`.'),
    },
    { error: 'Must be a mapping' },
  )
  .describe('An address of its own where Prometheus can ask for metrics.')

const metrics = z
  .strictObject(
    {
      otlp: url
        .describe(
          'Base URL of a collector that takes OTLP over HTTP; `/v1/metrics` is added. Default: `OTEL_EXPORTER_OTLP_METRICS_ENDPOINT` or `OTEL_EXPORTER_OTLP_ENDPOINT`; else, without `prometheus`, http://127.0.0.1:4318.',
        )
        .optional(),
      headers: headers.optional(),
      intervalMs: whole(1_000, HOUR_MS).prefault(60_000).describe('How often a collector is told, in milliseconds.'),
      prometheus: prometheus.optional(),
    },
    { error: 'Must be a mapping' },
  )
  .describe('Counts and durations, for a collector of OpenTelemetry or for Prometheus. Default: none are told.')

export const telemetry = section(
  {
    service: section(
      {
        name: text
          .describe('What this gateway is called there. Default: `OTEL_SERVICE_NAME`, or crosspoint.')
          .optional(),
        attributes: z
          .record(text, loose, { error: 'Must be a mapping from names to texts' })
          .default({})
          .describe('Said of it besides, such as `deployment.environment.name`.'),
      },
      'Who tells.',
    ),
    traces: traces.optional(),
    metrics: metrics.optional(),
    uris: truth().prefault(false).describe('Says in spans which resource was read: a URI may hold anything.'),
    content: truth()
      .prefault(false)
      .describe('Puts arguments of tools into spans, without those that `audit` leaves out.'),
    passBaggage: truth()
      .prefault(false)
      .describe('Passes the `baggage` of callers on to servers: it may say what another organisation is not to know.'),
    maxTools: whole(1, 100_000).prefault(1_000).describe('Most tools and prompts that are told apart.'),
  },
  'What is told of the gateway while it runs, and to whom.',
)

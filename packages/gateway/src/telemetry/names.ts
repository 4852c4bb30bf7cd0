/**
 * Every name that spans and metrics have, in one place: those of the semantic conventions of OpenTelemetry for generative AI and
 * MCP (in development there: schema 1.42), and our own under `crosspoint.` for what these have no word for.
 */

/** Attributes of spans and metrics. */
export const ATTRIBUTES = {
  'mcp.method.name': 'The method; `_other` for what is none here.',
  'gen_ai.tool.name':
    'The tool: as its caller called it in a span, by its name in the catalog in metrics, and by its server’s own name toward a server. `_other` in metrics for what nobody has, and beyond `maxTools`.',
  'gen_ai.prompt.name': 'The prompt, likewise.',
  'gen_ai.operation.name': '`execute_tool`, where a tool is called.',
  'gen_ai.tool.call.arguments': 'Arguments as JSON, without what is redacted. Only with `content`.',
  'mcp.resource.uri': 'The resource. Only with `uris`, and never in metrics.',
  'mcp.protocol.version': 'The revision spoken on that side.',
  'mcp.session.id': 'A digest of the caller’s session, where it has one; in spans only.',
  'jsonrpc.request.id': 'As its caller numbered it; in spans only.',
  'rpc.response.status_code': 'The JSON-RPC code of an error.',
  'error.type': 'The JSON-RPC code of an error, or `tool_error` where a tool says that it failed.',
  'network.transport': '`tcp`, or `pipe` for a process.',
  'network.protocol.name': '`http`, where it is that.',
  'server.address': 'The host of an upstream; in spans only.',
  'server.port': 'Its port; in spans only.',
  'crosspoint.upstream': 'The server, by its name in the configuration.',
  'crosspoint.view': 'The view that was asked; absent for that of everything.',
  'crosspoint.outcome':
    '`complete`, `input_required`, `task`, `tool-error`, or the code of an error of ours, such as `upstream.timeout`.',
  'crosspoint.cache.hit': 'True where the answer had been given before; in spans only.',
  'crosspoint.state': 'The state of a server: `ready`, `starting`, `backing-off` …',
  'crosspoint.rule': 'A rule of the policy, by its name; `default` where none speaks of it.',
  'crosspoint.limit': 'A limit, a budget or a line, by its name in the configuration.',
  'crosspoint.limit.kind': '`limit` or `budget`.',
  'crosspoint.signal': '`traces` or `metrics`.',
  'cpu.mode': '`user` or `system`.',
} as const

export type AttributeName = keyof typeof ATTRIBUTES

interface Row {
  readonly kind: 'counter' | 'gauge' | 'histogram'
  /** UCUM, as OpenTelemetry has it. */
  readonly unit: string
  readonly about: string
  readonly attributes: readonly AttributeName[]
}

/** What is said of a call, whoever makes it. */
const OF_CALL = [
  'mcp.method.name',
  'gen_ai.tool.name',
  'gen_ai.prompt.name',
  'gen_ai.operation.name',
  'crosspoint.upstream',
  'crosspoint.outcome',
  'error.type',
  'rpc.response.status_code',
] as const

export const METRICS = {
  'mcp.server.operation.duration': {
    kind: 'histogram',
    unit: 's',
    about: 'How long calls of callers took',
    attributes: [...OF_CALL, 'mcp.protocol.version'],
  },
  'mcp.client.operation.duration': {
    kind: 'histogram',
    unit: 's',
    about: 'How long upstreams took to answer what was sent on for callers',
    attributes: OF_CALL,
  },
  'mcp.server.session.duration': {
    kind: 'histogram',
    unit: 's',
    about: 'How long sessions of callers lasted that have ended, from their first call',
    attributes: ['mcp.protocol.version'],
  },
  'mcp.client.session.duration': {
    kind: 'histogram',
    unit: 's',
    about: 'How long connections with upstreams lasted that have ended',
    attributes: ['mcp.protocol.version', 'network.transport'],
  },
  'crosspoint.calls': {
    kind: 'counter',
    unit: '{call}',
    about: 'Calls of tools that have ended',
    attributes: ['crosspoint.upstream', 'gen_ai.tool.name', 'crosspoint.outcome'],
  },
  'crosspoint.cached': {
    kind: 'counter',
    unit: '{call}',
    about: 'Calls answered by what was kept of an answer before',
    attributes: ['mcp.method.name', 'gen_ai.tool.name', 'gen_ai.prompt.name', 'crosspoint.upstream'],
  },
  'crosspoint.policy.denials': {
    kind: 'counter',
    unit: '{call}',
    about: 'Calls that a rule was against, those let through on trial included',
    attributes: ['crosspoint.rule'],
  },
  'crosspoint.sessions': {
    kind: 'gauge',
    unit: '{session}',
    about: 'Sessions of callers that have called',
    attributes: [],
  },
  'crosspoint.listeners': { kind: 'gauge', unit: '{stream}', about: 'Callers who listen', attributes: [] },
  'crosspoint.upstream.connections': {
    kind: 'gauge',
    unit: '{connection}',
    about: 'Connections with upstreams that are open',
    attributes: ['network.transport'],
  },
  'crosspoint.upstream.state': {
    kind: 'gauge',
    unit: '1',
    about: '1 for the state a server is in',
    attributes: ['crosspoint.upstream', 'crosspoint.state'],
  },
  'crosspoint.upstream.restarts': {
    kind: 'counter',
    unit: '{restart}',
    about: 'Times a server was brought back after it had been lost',
    attributes: ['crosspoint.upstream'],
  },
  'crosspoint.counter.keys': { kind: 'gauge', unit: '{key}', about: 'Counts that are kept for limits', attributes: [] },
  'crosspoint.door.refused': {
    kind: 'counter',
    unit: '{request}',
    about: 'Requests refused before they were read',
    attributes: [],
  },
  'crosspoint.limit.passed': {
    kind: 'counter',
    unit: '{call}',
    about: 'Calls within a limit',
    attributes: ['crosspoint.limit', 'crosspoint.limit.kind'],
  },
  'crosspoint.limit.refused': {
    kind: 'counter',
    unit: '{call}',
    about: 'Calls beyond a limit',
    attributes: ['crosspoint.limit', 'crosspoint.limit.kind'],
  },
  'crosspoint.queue.inside': {
    kind: 'gauge',
    unit: '{call}',
    about: 'Calls at work that a line counts',
    attributes: ['crosspoint.limit'],
  },
  'crosspoint.queue.waiting': {
    kind: 'gauge',
    unit: '{call}',
    about: 'Calls that wait in line',
    attributes: ['crosspoint.limit'],
  },
  'crosspoint.queue.shed': {
    kind: 'counter',
    unit: '{call}',
    about: 'Calls that a line refused',
    attributes: ['crosspoint.limit'],
  },
  'crosspoint.queue.wait.time': {
    kind: 'counter',
    unit: 's',
    about: 'How long calls have waited in line, all together',
    attributes: ['crosspoint.limit'],
  },
  'crosspoint.cache.hits': { kind: 'counter', unit: '{call}', about: 'Results given again', attributes: [] },
  'crosspoint.cache.misses': {
    kind: 'counter',
    unit: '{call}',
    about: 'Results that might have been kept, and were not',
    attributes: [],
  },
  'crosspoint.cache.entries': { kind: 'gauge', unit: '{result}', about: 'Results that are kept', attributes: [] },
  'crosspoint.cache.size': { kind: 'gauge', unit: 'By', about: 'Bytes of results that are kept', attributes: [] },
  'crosspoint.breaker.open': {
    kind: 'gauge',
    unit: '1',
    about: '1 while a server is left alone',
    attributes: ['crosspoint.upstream'],
  },
  'crosspoint.breaker.refused': {
    kind: 'counter',
    unit: '{call}',
    about: 'Calls not sent since their server is left alone',
    attributes: ['crosspoint.upstream'],
  },
  'crosspoint.retries': { kind: 'counter', unit: '{call}', about: 'Calls that were sent again', attributes: [] },
  'crosspoint.audit.waiting': {
    kind: 'gauge',
    unit: '{record}',
    about: 'Records of evidence that wait for the store',
    attributes: [],
  },
  'crosspoint.audit.lost': {
    kind: 'gauge',
    unit: '{record}',
    about: 'Records lost since the last one that was kept',
    attributes: [],
  },
  'crosspoint.store.appends': {
    kind: 'counter',
    unit: '{batch}',
    about: 'Batches of evidence that were kept',
    attributes: [],
  },
  'crosspoint.store.append.time': {
    kind: 'counter',
    unit: 's',
    about: 'How long the store took for these, all together',
    attributes: [],
  },
  'crosspoint.telemetry.lost': {
    kind: 'counter',
    unit: '{item}',
    about: 'Spans and pushes of metrics that a collector did not take',
    attributes: ['crosspoint.signal'],
  },
  'nodejs.eventloop.delay.p50': {
    kind: 'gauge',
    unit: 's',
    about: 'How late timers are, of late: the median',
    attributes: [],
  },
  'nodejs.eventloop.delay.p99': {
    kind: 'gauge',
    unit: 's',
    about: 'How late timers are, of late: p99',
    attributes: [],
  },
  'nodejs.eventloop.delay.max': {
    kind: 'gauge',
    unit: 's',
    about: 'How late timers are, of late: the worst',
    attributes: [],
  },
  'process.cpu.time': { kind: 'counter', unit: 's', about: 'CPU time of this process', attributes: ['cpu.mode'] },
  'process.memory.usage': { kind: 'gauge', unit: 'By', about: 'Resident memory of this process', attributes: [] },
  'process.uptime': { kind: 'gauge', unit: 's', about: 'How long the gateway has been running', attributes: [] },
} as const satisfies Record<string, Row>

export type MetricName = keyof typeof METRICS

/** Of what a span or a point of a metric says; absent ones are not said. */
export type Attributes = Partial<Record<AttributeName, string | number | boolean>>

export const SCOPE = { name: 'crosspoint', schemaUrl: 'https://opentelemetry.io/schemas/gen-ai-dev/1.42.0-dev' }

/** The tables as `docs/telemetry.md`, which is generated from them. */
export function toTelemetryMarkdown(): string {
  const metrics = Object.entries<Row>(METRICS).map(
    ([name, { kind, unit, about, attributes }]) =>
      `| \`${name}\` | ${kind} | \`${unit}\` | ${about} | ${attributes.map((one) => `\`${one}\``).join(' ')} |`,
  )
  const attributes = Object.entries(ATTRIBUTES).map(([name, about]) => `| \`${name}\` | ${about} |`)
  return `# Names of telemetry

Every metric and attribute that the gateway tells. Generated from \`packages/gateway/src/telemetry/names.ts\`; how to get at them:
[observing](guides/observing.md). Prometheus writes \`_\` for every \`.\`, and \`_total\` behind counters.

## Metrics

Histograms have the bounds 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 30, 60, 120 and 300 seconds.

| metric | kind | unit | what | attributes |
|---|---|---|---|---|
${metrics.join('\n')}

## Attributes

| attribute | what |
|---|---|
${attributes.join('\n')}

## Spans

One of kind SERVER for each call of a caller, and below it one of kind CLIENT for each time it is sent to a server. Their name is the
method, with the tool or prompt where it is one of the catalog: \`tools/call github__create_issue\`. They failed if they have an
\`error.type\`.
`
}

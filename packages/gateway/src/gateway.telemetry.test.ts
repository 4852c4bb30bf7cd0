import { type Call, HANDSHAKE_REVISIONS, type JsonObject, McpError, NEWEST, type Result } from '@crosspoint/mcp'
import { createServer } from '@crosspoint/mcp/server'
import { type CallOptions, connectDirectly, createFakeClock, recordCall } from '@crosspoint/testkit'
import { expect, onTestFinished, test, vi } from 'vitest'
import { openCollector, toRecord } from '../fixtures/collector.ts'
import { parseExposition } from '../fixtures/exposition.ts'
import { configOf, openGateway } from '../fixtures/open-gateway.ts'
import type { GatewayOptions } from './gateway.ts'

const TRACE = '0af7651916cd43dd8448eb211c80319c'
const PARENT = 'b7ad6b7169203331'
const TRACEPARENT = `00-${TRACE}-${PARENT}-01`

/** A gateway over one server, whose calls of tools the test answers and sees. */
async function open(telemetry: object, more: object = {}, options: Partial<GatewayOptions> = {}) {
  const clock = createFakeClock()
  const sent: Call[] = []
  const answers = { of: (_: Call): Promise<Result> | Result => ({ content: [] }) }
  const server = createServer({ name: 'one', version: '1.0.0' })
  server.tool('read', { annotations: { readOnlyHint: true } }, () => '')
  server.prompt('ask', {}, () => '')
  server.resource('x://doc', { name: 'doc' }, () => '')
  const dial = async () => {
    const connection = await connectDirectly(server.endpoint)
    const handle = async (call: Call): Promise<Result> => {
      if (!/^(?:tools\/call|resources\/read|prompts\/get)$/.test(call.method)) return connection.handle(call)
      sent.push(call)
      return answers.of(call)
    }
    return { ...connection, handle }
  }
  const lines: JsonObject[] = []
  const write = (level: string) => (details: object, message: string) => void lines.push({ level, message, ...details })
  const log = { debug: write('debug'), info: write('info'), warn: write('warn'), error: write('error') }
  const gateway = openGateway(configOf(['one'], { telemetry, ...more }), { one: dial }, clock, { log, ...options })
  onTestFinished(() => gateway.close({ graceMs: 0 }))
  await gateway.start()
  const call = (method: string, params: JsonObject, options: CallOptions = {}, more: Partial<Call> = {}) => {
    const endpoint = gateway.endpoint()
    if (endpoint === undefined) throw new Error('There is always an endpoint of everything')
    return endpoint.handle({ ...recordCall(method, params, { progress: false, ...options }).call, ...more })
  }
  const read = (options: CallOptions = {}, more: Partial<Call> = {}) =>
    call('tools/call', { name: 'one__read', arguments: { q: 1 } }, options, more)
  return { gateway, clock, sent, answers, lines, call, read, server }
}

const scrape = async (url = '', headers: Record<string, string> = {}, method = 'GET') => {
  const response = await fetch(url, { headers, method })
  return { status: response.status, headers: response.headers, text: await response.text() }
}

test('a call is one SERVER span below its caller’s, and one CLIENT span below that, whose id the server is told', async () => {
  const collector = await openCollector()
  const { gateway, sent, read } = await open({ traces: { otlp: collector.url } })
  await read({ meta: { traceparent: TRACEPARENT, tracestate: 'vendor=1' } }, { id: 7, origin: { network: 'tcp' } })
  await gateway.close()
  const [client, server] = collector.spans
  expect(server).toMatchObject({
    traceId: TRACE,
    parentSpanId: PARENT,
    traceState: 'vendor=1',
    name: 'tools/call one__read',
    kind: 2,
    status: { code: 0 },
    links: [],
  })
  expect(server?.attributes).toEqual({
    'mcp.method.name': 'tools/call',
    'gen_ai.operation.name': 'execute_tool',
    'gen_ai.tool.name': 'one__read',
    'crosspoint.upstream': 'one',
    'crosspoint.outcome': 'complete',
    'mcp.protocol.version': NEWEST.name,
    'jsonrpc.request.id': '7',
    'network.transport': 'tcp',
    'network.protocol.name': 'http',
  })
  expect(client).toMatchObject({ traceId: TRACE, parentSpanId: server?.spanId, name: 'tools/call read', kind: 3 })
  expect(client?.attributes).toEqual({
    'mcp.method.name': 'tools/call',
    'gen_ai.operation.name': 'execute_tool',
    'gen_ai.tool.name': 'read',
    'crosspoint.upstream': 'one',
    'crosspoint.outcome': 'complete',
    'network.transport': 'pipe',
    'mcp.protocol.version': NEWEST.name,
  })
  expect(sent[0]?.trace).toEqual({ traceId: TRACE, spanId: client?.spanId, flags: '01' })
  expect(collector.resources[0]).toMatchObject({ 'service.name': 'crosspoint', 'service.version': '0.0.0' })
})

test('the header of a request is the parent where `_meta` has none, and is linked where it has one', async () => {
  const collector = await openCollector()
  const { gateway, read } = await open({ traces: { otlp: collector.url } })
  const ambient = { traceId: '1'.repeat(32), spanId: '2'.repeat(16) }
  const origin = { traceparent: `00-${ambient.traceId}-${ambient.spanId}-01` }
  await read({}, { origin })
  await read({ meta: { traceparent: TRACEPARENT } }, { origin })
  await read({ meta: { traceparent: TRACEPARENT } }, { origin: { traceparent: TRACEPARENT } })
  await gateway.close()
  const [alone, both, same] = collector.spans.filter(({ kind }) => kind === 2)
  expect(alone).toMatchObject({ traceId: ambient.traceId, parentSpanId: ambient.spanId, links: [] })
  expect(both).toMatchObject({ traceId: TRACE, parentSpanId: PARENT, links: [ambient] })
  expect(same).toMatchObject({ traceId: TRACE, parentSpanId: PARENT, links: [] })
})

test.each([
  'nonsense',
  `00-${'0'.repeat(32)}-${PARENT}-01`,
  `ff-${TRACE}-${PARENT}-01`,
  `00-${TRACE}-${PARENT}`,
  7,
  { __proto__: null },
])('a malformed traceparent begins a trace of its own, without what came with it (%s)', async (traceparent) => {
  const collector = await openCollector()
  const { gateway, sent, read } = await open({ traces: { otlp: collector.url } })
  await read({ meta: { traceparent, tracestate: 'vendor=1' } })
  await gateway.close()
  const server = collector.spans.find(({ kind }) => kind === 2)
  expect(server?.traceId).toMatch(/^[0-9a-f]{32}$/)
  expect(server?.traceId).not.toBe(TRACE)
  expect(server?.parentSpanId ?? '').toBe('')
  expect(sent[0]?.meta).not.toHaveProperty('tracestate')
})

test('a span failed if it has an error.type: the code of an error, or that a tool says so', async () => {
  const collector = await openCollector()
  const { gateway, answers, call, read } = await open({ traces: { otlp: collector.url } })
  answers.of = () => ({ content: [], isError: true })
  await read()
  answers.of = () => Promise.reject(new McpError('upstream.error', 'No', { rpc: { code: -32602, message: 'No' } }))
  await read().catch(() => {})
  await call('tools/call', { name: 'no\nsuch' }).catch(() => {})
  await call('no/such', {}).catch(() => {})
  await gateway.close()
  const told = collector.spans.map(({ name, kind, status, attributes }) => [
    name,
    kind,
    status.code,
    attributes['error.type'],
    attributes['rpc.response.status_code'],
  ])
  expect(told.filter(([, kind]) => kind === 3)).toEqual([
    ['tools/call read', 3, 2, 'tool_error', undefined],
    ['tools/call read', 3, 2, '-32602', '-32602'],
  ])
  expect(told.filter(([, kind]) => kind === 2)).toEqual([
    ['tools/call one__read', 2, 2, 'tool_error', undefined],
    ['tools/call one__read', 2, 2, '-32602', '-32602'],
    ['tools/call', 2, 2, '-32602', '-32602'],
    ['_other', 2, 2, '-32601', '-32601'],
  ])
})

test('says nothing of URIs and arguments unless it is to, and then no secret', async () => {
  const quiet = await openCollector()
  const loud = await openCollector()
  for (const [collector, more] of [
    [quiet, {}],
    [loud, { uris: true, content: true }],
  ] as const) {
    const { gateway, answers, call } = await open({ traces: { otlp: collector.url }, ...more })
    answers.of = () => ({ content: [], contents: [], messages: [] })
    await call('resources/read', { uri: 'x://doc' })
    await call('prompts/get', { name: 'one__ask' })
    await call('tools/call', { name: 'one__read', arguments: { q: 'words', password: 'hunter2' } })
    await gateway.close()
  }
  expect(JSON.stringify(quiet.spans)).not.toMatch(/x:\/\/doc|words|hunter2/)
  expect(JSON.stringify(loud.spans)).not.toContain('hunter2')
  const served = loud.spans.filter(({ kind }) => kind === 2)
  expect(served.map(({ name }) => name)).toEqual(['resources/read', 'prompts/get one__ask', 'tools/call one__read'])
  expect(served[0]?.attributes['mcp.resource.uri']).toBe('x://doc')
  expect(served[1]?.attributes).toMatchObject({ 'gen_ai.prompt.name': 'one__ask' })
  expect(served[1]?.attributes).not.toHaveProperty('gen_ai.operation.name')
  expect(served[2]?.attributes['gen_ai.tool.call.arguments']).toContain('words')
})

test('a trace that is not chosen makes no span, and goes on as such', async () => {
  const collector = await openCollector()
  const { gateway, sent, read } = await open({ traces: { otlp: collector.url, sample: 0 } })
  await read()
  await read({ meta: { traceparent: `00-${TRACE}-${PARENT}-00` } })
  await read({ meta: { traceparent: TRACEPARENT } })
  await gateway.close()
  expect(sent.map(({ trace }) => trace?.flags)).toEqual(['00', '00', '01'])
  expect(collector.spans.map(({ traceId }) => traceId)).toEqual([TRACE, TRACE])
})

test('baggage stays here, unless it is to be passed on; what is not well-formed never goes on', async () => {
  const meta = { traceparent: TRACEPARENT, tracestate: 'vendor=1', baggage: 'user=anna' }
  const stays = await open({})
  await stays.read({ meta })
  await stays.read({ meta: { ...meta, tracestate: `v=${'x'.repeat(600)}` } })
  const [first, second] = stays.sent.map((call) => call.meta)
  expect(first).toMatchObject({ traceparent: TRACEPARENT, tracestate: 'vendor=1' })
  expect(first).not.toHaveProperty('baggage')
  expect(second).not.toHaveProperty('tracestate')
  const goes = await open({ passBaggage: true })
  await goes.read({ meta })
  await goes.read({ meta: { ...meta, baggage: 'a=\r\nb' } })
  expect(goes.sent.map((call) => call.meta.baggage)).toEqual(['user=anna', undefined])
})

test('rounds of one call that asks are spans of one trace', async () => {
  const collector = await openCollector()
  const { gateway, answers, read } = await open({ traces: { otlp: collector.url } })
  answers.of = () => ({ resultType: 'input_required', inputRequests: {}, requestState: 'x' })
  await read({ meta: { traceparent: TRACEPARENT } })
  answers.of = () => ({ content: [] })
  await read({ meta: { traceparent: TRACEPARENT } })
  await gateway.close()
  expect(new Set(collector.spans.map(({ traceId }) => traceId))).toEqual(new Set([TRACE]))
  const outcomes = collector.spans.filter(({ kind }) => kind === 2).map((span) => span.attributes['crosspoint.outcome'])
  expect(outcomes).toEqual(['input_required', 'complete'])
})

test('metrics are pushed with the names, units and buckets of the field', async () => {
  const collector = await openCollector()
  const { gateway, clock, answers, read } = await open({
    metrics: { otlp: collector.url, headers: { 'x-key': 's3cret' }, intervalMs: 5_000 },
  })
  answers.of = async () => {
    clock.advance(150)
    return { content: [] }
  }
  await read()
  clock.advance(5_000)
  await collector.until(() => collector.requests > 0)
  expect(collector.headers[0]).toMatchObject({ 'x-key': 's3cret' })
  for (const side of ['server', 'client']) {
    const metric = collector.metrics.find(({ name }) => name === `mcp.${side}.operation.duration`)
    expect(metric?.unit).toBe('s')
    const point = metric?.histogram?.dataPoints.find(
      ({ attributes }) => toRecord(attributes)['gen_ai.tool.name'] !== undefined,
    )
    expect(point?.explicitBounds).toEqual([0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 30, 60, 120, 300])
    expect(point?.bucketCounts).toEqual([0, 0, 0, 0, 1, ...Array(10).fill(0)])
  }
  expect(collector.metrics.find(({ name }) => name === 'crosspoint.calls')?.sum?.isMonotonic).toBe(true)
  expect(JSON.stringify(collector.metrics)).not.toContain('s3cret')
  await gateway.close()
})

test('Prometheus reads what is told, and what is not configured is not there', async () => {
  const { gateway, answers, read, call } = await open({ metrics: { prometheus: { port: 0 } } })
  await read()
  answers.of = () => ({ content: [], isError: true })
  await read()
  await call('prompts/get', { name: 'one__ask' }).catch(() => {})
  const { status, headers, text } = await scrape(gateway.metricsUrl)
  expect(status).toBe(200)
  expect(headers.get('content-type')).toBe('text/plain; version=0.0.4; charset=utf-8')
  const samples = parseExposition(text)
  const find = (name: string, labels: object) =>
    samples.find(
      (one) => one.name === name && Object.entries(labels).every(([key, value]) => one.labels[key] === value),
    )
  const tool = { gen_ai_tool_name: 'one__read', crosspoint_upstream: 'one' }
  expect(find('crosspoint_calls_total', { ...tool, crosspoint_outcome: 'complete' })?.value).toBe(1)
  expect(find('crosspoint_calls_total', { ...tool, crosspoint_outcome: 'tool-error' })?.value).toBe(1)
  const duration = 'mcp_server_operation_duration'
  expect(find(`${duration}_count`, { ...tool, error_type: 'tool_error' })?.value).toBe(1)
  expect(find(`${duration}_bucket`, { ...tool, le: '+Inf', crosspoint_outcome: 'complete' })?.value).toBe(1)
  expect(find('crosspoint_upstream_state', { crosspoint_state: 'ready' })?.value).toBe(1)
  expect(find('process_memory_usage', {})?.value).toBeGreaterThan(1e6)
  expect(find('crosspoint_cache_hits_total', {})).toBeUndefined()
})

test('abuse-40: a tool with control characters in its name breaks no line of metrics', async () => {
  const { gateway, server, call } = await open({ metrics: { prometheus: { port: 0 } } })
  const name = 'evil\n# TYPE x counter\nx{a="b"} 1\r\u001b[2J\u202e\\"'
  server.resource(`x://${encodeURIComponent(name)}`, { name }, () => '')
  await call('tools/call', { name }).catch(() => {})
  await call(name, {}).catch(() => {})
  await call('resources/read', { uri: `x://${name}` }).catch(() => {})
  const { text } = await scrape(gateway.metricsUrl)
  const names = new Set(parseExposition(text).map((sample) => sample.name))
  expect(names).not.toContain('x')
  expect(text.replaceAll('\n', '')).not.toMatch(/[\p{Cc}\p{Cf}]/u)
})

test('abuse-50: metrics name no caller, no address and no secret', async () => {
  const collector = await openCollector()
  const { gateway, read } = await open(
    { metrics: { otlp: collector.url, headers: { authorization: 'Bearer s3cret' }, prometheus: { port: 0 } } },
    { servers: { one: { command: 'one', env: { TOKEN: 's3cret' } } } },
  )
  await read({ principal: { tenant: 'acme', id: 'anna@example.com' } })
  const { text } = await scrape(gateway.metricsUrl)
  expect(text).not.toMatch(/s3cret|anna|acme|127\.0\.0\.1|::1/)
})

test('metrics are told to whoever shows the token, at one path, by one method and to no name that is not ours', async () => {
  const { gateway } = await open({ metrics: { prometheus: { port: 0, token: 's3cret', path: '/m' } } })
  const url = gateway.metricsUrl ?? ''
  const authorization = 'Bearer s3cret'
  expect(await scrape(url)).toMatchObject({ status: 401 })
  expect(await scrape(url, { authorization: 'Bearer other' })).toMatchObject({ status: 401 })
  expect(await scrape(url, { authorization })).toMatchObject({ status: 200 })
  expect(await scrape(url.replace('/m', '/'), { authorization })).toMatchObject({ status: 404 })
  expect(await scrape(url, { authorization }, 'POST')).toMatchObject({ status: 405 })
  const { request } = await import('node:http')
  const status = await new Promise((resolve, reject) => {
    const headers = { host: 'evil.example', authorization }
    request(url, { headers }, (response) => resolve(response.resume().statusCode))
      .on('error', reject)
      .end()
  })
  expect(status).toBe(403)
})

test('a reload brings metrics and takes them away, at the same address', async () => {
  const { gateway, read } = await open({})
  expect(gateway.metricsUrl).toBeUndefined()
  await gateway.apply(configOf(['one'], { telemetry: { metrics: { prometheus: { port: 0 } } } }))
  await vi.waitUntil(() => gateway.metricsUrl !== undefined)
  const url = gateway.metricsUrl ?? ''
  const { port } = new URL(url)
  const same = { metrics: { prometheus: { port: Number(port), path: '/other' } } }
  await gateway.apply(configOf(['one'], { telemetry: same }))
  await vi.waitUntil(() => gateway.metricsUrl?.endsWith('/other'))
  await read()
  expect((await scrape(gateway.metricsUrl)).text).toContain('crosspoint_calls_total')
  await gateway.apply(configOf(['one']))
  await expect(fetch(url)).rejects.toThrow()
})

test('a collector that is away slows no call: its spans are lost, counted, and that is said once', async () => {
  const collector = await openCollector({ status: 400 })
  const { gateway, clock, lines, read } = await open({
    traces: { otlp: collector.url, maxWaiting: 10 },
    metrics: { prometheus: { port: 0 } },
  })
  for (let n = 0; n < 20; n++) await read()
  clock.advance(1_000)
  await collector.until(() => collector.requests > 0)
  const lost = async () => {
    const samples = parseExposition((await scrape(gateway.metricsUrl)).text)
    return samples.find(
      ({ name, labels }) => name === 'crosspoint_telemetry_lost_total' && labels.crosspoint_signal === 'traces',
    )?.value
  }
  const allLost = async (count: number) => {
    clock.advance(1_000)
    return (await lost()) === count
  }
  await vi.waitUntil(() => allLost(40))
  await read()
  await vi.waitUntil(() => allLost(42))
  const told = lines.filter(({ message }) => String(message).includes('collector'))
  expect(told).toHaveLength(1)
  collector.answer.status = 200
  await read()
  clock.advance(1_000)
  await collector.until(() => collector.spans.length > 0)
  await vi.waitUntil(() => lines.some(({ message }) => message === 'The collector takes spans again'))
})

test('an address that is taken is said in the log, and the gateway serves', async () => {
  const first = await open({ metrics: { prometheus: { port: 0 } } })
  const port = Number(new URL(first.gateway.metricsUrl ?? '').port)
  const second = await open({ metrics: { prometheus: { port } } })
  expect(second.lines.filter(({ level }) => level === 'error')).toMatchObject([{ port, reason: 'Error (EADDRINUSE)' }])
  expect(await second.read()).toMatchObject({ content: [] })
})

test('every line of a call names its trace', async () => {
  const { answers, lines, read } = await open({})
  answers.of = () => Promise.reject(new Error('inside'))
  await read({ meta: { traceparent: TRACEPARENT } }).catch(() => {})
  const told = lines.filter(({ message }) => /[Cc]all/.test(String(message)))
  expect(told.length).toBeGreaterThan(1)
  for (const line of told) expect(line).toMatchObject({ trace: TRACE })
})

test('of what the environment says counts what the section does not', async () => {
  const collector = await openCollector()
  const env = {
    OTEL_EXPORTER_OTLP_ENDPOINT: collector.url,
    OTEL_EXPORTER_OTLP_HEADERS: 'x-key=from%20env',
    OTEL_SERVICE_NAME: 'mine',
    OTEL_RESOURCE_ATTRIBUTES: 'deployment.environment.name=test',
    OTEL_TRACES_SAMPLER: 'always_off',
  }
  const off = await open({ traces: {} }, {}, { env })
  await off.read({ meta: { traceparent: TRACEPARENT } })
  await off.gateway.close()
  const on = await open({ traces: { sample: 1 } }, {}, { env })
  await on.read()
  await on.gateway.close()
  expect(collector.spans).toHaveLength(2)
  expect(collector.headers[0]).toMatchObject({ 'x-key': 'from env' })
  expect(collector.resources[0]).toMatchObject({ 'service.name': 'mine', 'deployment.environment.name': 'test' })
  const disabled = await open({ traces: { sample: 1 } }, {}, { env: { ...env, OTEL_SDK_DISABLED: 'true' } })
  await disabled.read()
  await disabled.gateway.close()
  expect(collector.spans).toHaveLength(2)
})

test('sessions of callers are measured from their first call to their end', async () => {
  const { gateway, clock, call } = await open({ metrics: { prometheus: { port: 0 } } })
  const [oldest] = HANDSHAKE_REVISIONS
  const { downstream } = recordCall('tools/list', {}).call
  const session = { ...downstream, revision: oldest?.name ?? '', session: 'abc' }
  await call('tools/list', {}, {}, { downstream: session })
  clock.advance(3_000)
  gateway.endpoint()?.sessionEnded?.('abc')
  const samples = parseExposition((await scrape(gateway.metricsUrl)).text)
  expect(samples.find(({ name }) => name === 'mcp_server_session_duration_sum')).toMatchObject({
    value: 3,
    labels: { mcp_protocol_version: oldest?.name },
  })
  expect(samples.find(({ name }) => name === 'crosspoint_sessions')?.value).toBe(0)
})

import { recordCall } from '@crosspoint/testkit'
import { expect, test } from 'vitest'
import { z } from 'zod'
import { McpError } from '../errors.ts'
import type { JsonObject } from '../jsonrpc/frame.ts'
import type { EndpointEvent } from '../transports/endpoint.ts'
import { createServer, type Server } from './index.ts'

const who = { name: 'test', version: '1.0.0' }
const anything = { input: { type: 'object' } }

function callTool(server: Server, name: unknown, args?: unknown) {
  const params = { name, ...(args === undefined ? {} : { arguments: args }) } as JsonObject
  return server.endpoint.handle(recordCall('tools/call', params).call)
}

async function outputOf(handler: () => unknown, definition: object = {}) {
  const server = createServer(who)
  server.tool('t', definition, handler as () => string)
  return callTool(server, 't')
}

test('lists a tool as it was defined, its JSON Schema untouched', async () => {
  const server = createServer(who)
  const input = { type: 'object', properties: { a: { $ref: '#/$defs/x' } }, $defs: { x: true }, 'x-other': [1] }
  server.tool(
    'add',
    { title: 'Add', description: 'Adds', input, annotations: { readOnlyHint: true }, _meta: { 'a/b': 1 } },
    () => 'ok',
  )
  expect(await server.endpoint.handle(recordCall('tools/list').call)).toEqual({
    tools: [
      {
        name: 'add',
        title: 'Add',
        description: 'Adds',
        inputSchema: input,
        annotations: { readOnlyHint: true },
        _meta: { 'a/b': 1 },
      },
    ],
  })
})

test('a tool without an input takes an empty object', async () => {
  const server = createServer(who)
  server.tool('t', {}, () => 'ok')
  expect(await server.endpoint.handle(recordCall('tools/list').call)).toEqual({
    tools: [{ name: 't', inputSchema: { type: 'object', additionalProperties: false } }],
  })
})

test('text becomes one text block', async () => {
  expect(await outputOf(() => 'hello')).toEqual({ content: [{ type: 'text', text: 'hello' }] })
})

test('a number becomes text when there is no output schema', async () => {
  expect(await outputOf(() => 7)).toEqual({ content: [{ type: 'text', text: '7' }] })
})

test('an object becomes structured content and text', async () => {
  expect(await outputOf(async () => ({ sum: 3 }))).toEqual({
    content: [{ type: 'text', text: '{"sum":3}' }],
    structuredContent: { sum: 3 },
  })
})

test.each([[null], [0], [''], [[]], [[1, 2]]])(
  'trap-26: with an output schema even %j is structured content',
  async (value) => {
    expect(await outputOf(() => value, { output: {} })).toEqual({
      content: [{ type: 'text', text: JSON.stringify(value) }],
      structuredContent: value,
    })
  },
)

test('content blocks are sent as they are', async () => {
  const blocks = [
    { type: 'text', text: 'a' },
    { type: 'image', data: 'AA==', mimeType: 'image/png' },
  ]
  expect(await outputOf(() => blocks)).toEqual({ content: blocks })
})

test('a full result is sent as it is', async () => {
  const result = { content: [{ type: 'text', text: 'no' }], isError: true, _meta: { x: 1 } }
  expect(await outputOf(() => result)).toBe(result)
})

test('an object that only has a member called content is structured, not a result', async () => {
  expect(await outputOf(() => ({ content: ['x'] }))).toMatchObject({ structuredContent: { content: ['x'] } })
})

test('nothing returned means no content', async () => {
  expect(await outputOf(() => undefined)).toEqual({ content: [] })
})

test('the message of an error the author raised reaches the caller as a failed result', async () => {
  class NoSuchCity extends Error {}
  const fail = (error: unknown) =>
    outputOf(() => {
      throw error
    })
  for (const error of [new Error('No such city'), new NoSuchCity('No such city'), 'No such city']) {
    expect(await fail(error)).toEqual({ content: [{ type: 'text', text: 'No such city' }], isError: true })
  }
})

test('the message of a slip or of the system stays in the log', async () => {
  const logged: EndpointEvent[] = []
  const server = createServer({ ...who, log: (event) => logged.push(event) })
  const refused = Object.assign(new Error('connect ECONNREFUSED 10.0.0.3:5432'), { syscall: 'connect', errno: -111 })
  const thrown = [new TypeError("Cannot read properties of undefined (reading 'x')"), refused, { secret: 1 }, undefined]
  for (const [index, error] of thrown.entries()) {
    server.tool(`t${index}`, {}, () => {
      throw error
    })
    expect(await callTool(server, `t${index}`)).toEqual({
      content: [{ type: 'text', text: `The tool "t${index}" failed` }],
      isError: true,
    })
  }
  expect(logged).toEqual(
    thrown.map((error, index) => ({ level: 'error', event: 'tool_failed', tool: `t${index}`, error })),
  )
})

test('an output that is not JSON is a failed result, not a broken answer', async () => {
  const server = createServer({ ...who, log: () => {} })
  const circle: Record<string, unknown> = {}
  circle.self = circle
  server.tool('t', {}, () => circle)
  expect(await callTool(server, 't')).toMatchObject({ isError: true })
})

test('a protocol error of the handler goes to the caller as one', async () => {
  const error = new McpError('caller.missing_capability', 'Cannot ask', { data: { requiredCapabilities: {} } })
  await expect(
    outputOf(() => {
      throw error
    }),
  ).rejects.toBe(error)
})

test('an unknown tool is answered with -32602, naming the nearest', async () => {
  const server = createServer(who)
  server.tool('get_weather', {}, () => 'sun')
  await expect(callTool(server, 'get_wether')).rejects.toMatchObject({
    code: 'caller.invalid_params',
    message: 'No tool named "get_wether"; did you mean "get_weather"?',
  })
  await expect(callTool(server, 'zzz')).rejects.toMatchObject({ message: 'No tool named "zzz"' })
  await expect(callTool(server, '__proto__')).rejects.toMatchObject({ code: 'caller.invalid_params' })
  await expect(callTool(server, undefined)).rejects.toMatchObject({ code: 'caller.invalid_params' })
})

test.each([[[]], ['text'], [null], [3]])('arguments that are %j are refused', async (args) => {
  const server = createServer(who)
  server.tool('t', anything, () => 'ok')
  await expect(callTool(server, 't', args)).rejects.toMatchObject({ code: 'caller.invalid_params' })
})

test('a required argument that is missing is a failed result the model can act on', async () => {
  const server = createServer(who)
  server.tool('t', { input: { type: 'object', required: ['city', 'toString'] } }, () => 'ok')
  expect(await callTool(server, 't', { other: 1 })).toEqual({
    content: [{ type: 'text', text: 'Cannot call the tool "t": missing "city", "toString"' }],
    isError: true,
  })
  expect(await callTool(server, 't', { city: '', toString: null })).toMatchObject({ content: [{ text: 'ok' }] })
})

test('a zod schema is listed as JSON Schema, checked, and typed for the handler', async () => {
  const server = createServer(who)
  server.tool(
    'forecast',
    {
      input: z.object({ city: z.string(), days: z.number().int().default(1) }),
      output: z.object({ text: z.string() }),
    },
    ({ city, days }) => ({ text: `${city.toUpperCase()} for ${days.toFixed(0)}`, inner: 'not in the schema' }),
  )
  expect(await server.endpoint.handle(recordCall('tools/list').call)).toMatchObject({
    tools: [
      {
        inputSchema: { type: 'object', properties: { city: { type: 'string' } }, required: ['city'] },
        outputSchema: { type: 'object', properties: { text: { type: 'string' } }, required: ['text'] },
      },
    ],
  })
  expect(await callTool(server, 'forecast', { city: 'Rome' })).toMatchObject({
    structuredContent: { text: 'ROME for 1' },
  })
  expect(await callTool(server, 'forecast', { city: 3, days: 'x' })).toMatchObject({
    isError: true,
    content: [{ text: expect.stringMatching(/^Cannot call the tool "forecast": city: .*; days: /) }],
  })
})

test('what a Standard Schema strips from an output is stripped from its text too', async () => {
  const output = await outputOf(() => ({ text: 'a', secret: 'b' }), { output: z.object({ text: z.string() }) })
  expect(JSON.stringify(output)).not.toContain('secret')
})

test('an asynchronous Standard Schema is waited for', async () => {
  const server = createServer(who)
  const input = z.object({ n: z.number().refine(async (n) => n > 1, 'too small') })
  server.tool('t', { input }, ({ n }) => String(n))
  expect(await callTool(server, 't', { n: 1 })).toMatchObject({ isError: true, content: [{ text: /n: too small/ }] })
  expect(await callTool(server, 't', { n: 2 })).toMatchObject({ content: [{ text: '2' }] })
})

test('an output its own schema does not allow is a failed result, and logged', async () => {
  const logged: EndpointEvent[] = []
  const server = createServer({ ...who, log: (event) => logged.push(event) })
  server.tool('wrong', { output: z.object({ n: z.number() }) }, () => ({ n: 'x' as never }))
  server.tool('missing', { output: z.object({ n: z.number() }) }, () => ({ content: [] }))
  expect(await callTool(server, 'wrong')).toMatchObject({ isError: true })
  expect(await callTool(server, 'missing')).toMatchObject({ isError: true })
  expect(logged.map((event) => event.event)).toEqual(['tool_output_invalid', 'tool_output_invalid'])
})

test('a failed result need not conform to the output schema', async () => {
  const failed = { content: [{ type: 'text', text: 'sorry' }], isError: true }
  expect(await outputOf(() => failed, { output: z.object({ n: z.number() }) })).toBe(failed)
})

test('a Standard Schema without JSON Schema needs one beside it', () => {
  const server = createServer(who)
  const input = { '~standard': { version: 1 as const, vendor: 'own', validate: (value: unknown) => ({ value }) } }
  expect(() => server.tool('t', { input }, () => 'ok')).toThrow('The own schema offers no JSON Schema')
  expect(() => server.tool('t', { input, inputSchema: { type: 'object' } }, () => 'ok')).not.toThrow()
})

test.each(['', 'a b', 'ä', 'a'.repeat(129), 'a/b'])('the name "%s" is refused when registering', (name) => {
  expect(() => createServer(who).tool(name, {}, () => 'ok')).toThrow('Cannot register the tool')
})

test('an input that is not an object is refused when registering', () => {
  expect(() => createServer(who).tool('t', { input: { type: 'string' } }, () => 'ok')).toThrow('must be an object')
  expect(() => createServer(who).tool('t', { input: z.string() as never }, () => 'ok')).toThrow('must be an object')
})

test('progress increases, and stops with the call', async () => {
  const server = createServer(who)
  let later = (): void => {}
  server.tool('t', {}, (_args, { progress }) => {
    progress(0, 100)
    progress(50, 100, 'half')
    progress(50, 100)
    progress(20, 100)
    progress(Number.NaN)
    later = () => progress(100)
  })
  const { call, heard } = recordCall('tools/call', { name: 't' })
  await server.endpoint.handle(call)
  later()
  expect(heard).toEqual([
    { method: 'notifications/progress', params: { progress: 0, total: 100 } },
    { method: 'notifications/progress', params: { progress: 50, total: 100, message: 'half' } },
  ])
})

test('progress nobody asked for is not sent', async () => {
  const server = createServer(who)
  server.tool('t', {}, (_args, { progress }) => progress(1))
  const { call, heard } = recordCall('tools/call', { name: 't' }, { progress: false })
  await server.endpoint.handle(call)
  expect(heard).toEqual([])
})

test('log messages reach a caller who wants their level, and nobody else', async () => {
  const server = createServer(who)
  server.tool('t', {}, (_args, { log }) => {
    log('debug', 'quiet')
    log('warning', { loud: true }, 'part')
  })
  const wanting = recordCall('tools/call', { name: 't' }, { logLevel: 'info' })
  await server.endpoint.handle(wanting.call)
  expect(wanting.heard).toEqual([
    { method: 'notifications/message', params: { level: 'warning', logger: 'part', data: { loud: true } } },
  ])
  const silent = recordCall('tools/call', { name: 't' })
  await server.endpoint.handle(silent.call)
  expect(silent.heard).toEqual([])
})

test('a server that announces no logging sends no log messages', async () => {
  const server = createServer({ ...who, logging: false })
  server.tool('t', {}, (_args, { log }) => log('error', 'x'))
  const { call, heard } = recordCall('tools/call', { name: 't' }, { logLevel: 'debug' })
  await server.endpoint.handle(call)
  expect(heard).toEqual([])
})

test('a handler sees the signal, the principal and the call', async () => {
  const server = createServer(who)
  const { call } = recordCall('tools/call', { name: 't' })
  server.tool('t', {}, (_args, context) => {
    expect(context.signal).toBe(call.cancellation.signal)
    expect(context.principal).toBe(call.principal)
    expect(context.call).toBe(call)
    return 'seen'
  })
  expect(await server.endpoint.handle(call)).toMatchObject({ content: [{ text: 'seen' }] })
})

test('a handler that gives up because its caller is gone is neither a failed result nor a log line', async () => {
  const logged: EndpointEvent[] = []
  const server = createServer({ ...who, log: (event) => logged.push(event) })
  const { call, abort } = recordCall('tools/call', { name: 't' })
  server.tool('t', {}, (_args, { signal }) => {
    abort()
    signal.throwIfAborted()
  })
  await expect(server.endpoint.handle(call)).rejects.toMatchObject({ code: 'caller.cancelled' })
  expect(logged).toEqual([])
})

test('a result that asks for input first goes out as it is, whatever the output schema', async () => {
  const asking = {
    resultType: 'input_required' as const,
    inputRequests: { name: { method: 'roots/list', params: {} } },
  }
  const { call } = recordCall('tools/call', { name: 't' }, { capabilities: { roots: {} } })
  for (const output of [undefined, z.object({ n: z.number() })]) {
    const server = createServer(who)
    server.tool('t', output === undefined ? {} : { output }, () => asking)
    expect(await server.endpoint.handle(call)).toBe(asking)
  }
})

test('arguments are checked by plain JSON Schema whole, and every fault says what would work', async () => {
  const server = createServer(who)
  const input = {
    $schema: 'https://json-schema.org/draft/2020-12/schema',
    type: 'object',
    properties: { city: { $ref: '#/$defs/name' }, days: { type: 'integer', maximum: 14 } },
    required: ['city'],
    additionalProperties: false,
    $defs: { name: { type: 'string', pattern: '^[A-Z]' } },
  }
  server.tool('forecast', { input }, ({ city }) => String(city))
  expect(await callTool(server, 'forecast', { city: 'Rome', days: 3 })).toEqual({
    content: [{ type: 'text', text: 'Rome' }],
  })
  expect(await callTool(server, 'forecast', { city: 'rome', days: 30, week: 1 })).toEqual({
    content: [
      {
        type: 'text',
        text: 'Cannot call the tool "forecast": /city: expected text that matches "^[A-Z]", found the string "rome"; /days: expected at most 14, found the number 30; unknown member "week": it has "city", "days"',
      },
    ],
    isError: true,
  })
})

test('a tool that declares no input takes none', async () => {
  const server = createServer(who)
  server.tool('t', {}, () => 'ok')
  expect(await callTool(server, 't', {})).toMatchObject({ content: [{ text: 'ok' }] })
  expect(await callTool(server, 't', { x: 1 })).toMatchObject({
    content: [{ text: 'Cannot call the tool "t": unknown member "x": it has no members' }],
    isError: true,
  })
})

test.each([
  [{ type: 'object', properties: { a: { type: 'strnig' } } }, '/properties/a/type: expected a type'],
  [{ type: 'object', properties: { a: { pattern: '(' } } }, '/properties/a/pattern: cannot use the pattern'],
  [{ type: 'object', $ref: 'http://127.0.0.1:1/x' }, '/$ref: "http://127.0.0.1:1/x"'],
  [{ type: 'object', $schema: 'http://json-schema.org/draft-04/schema#' }, 'supported are'],
])('trap-27: a schema that cannot be used is refused when registering, with the place: %j', (input, place) => {
  const server = createServer(who)
  expect(() => server.tool('t', { input }, () => 'ok')).toThrow('Cannot register the tool "t": its input schema')
  expect(() => server.tool('t', { input }, () => 'ok')).toThrow(place)
  expect(() => server.tool('t', { output: input }, () => 'ok')).toThrow('its output schema cannot be used')
})

test('trap-26: structured content of any JSON is checked by plain JSON Schema and sent with its text', async () => {
  const output = { type: ['null', 'number', 'string', 'array'], maxItems: 0 }
  for (const value of [null, 0, '', []]) {
    expect(await outputOf(() => value, { output })).toEqual({
      content: [{ type: 'text', text: JSON.stringify(value) }],
      structuredContent: value,
    })
    expect(await outputOf(() => ({ content: [], structuredContent: value }), { output })).toEqual({
      content: [{ type: 'text', text: JSON.stringify(value) }],
      structuredContent: value,
    })
  }
  expect(await outputOf(() => [1], { output })).toMatchObject({ isError: true })
})

test('an output is checked as what it is sent as', async () => {
  const output = {
    type: 'object',
    properties: { at: { type: 'string' } },
    required: ['at'],
    additionalProperties: false,
  }
  const at = new Date(0)
  expect(await outputOf(() => ({ at, gone: undefined }), { output })).toEqual({
    content: [{ type: 'text', text: '{"at":"1970-01-01T00:00:00.000Z"}' }],
    structuredContent: { at: '1970-01-01T00:00:00.000Z' },
  })
})

const say = () => 'ok'

test.each<[string, readonly unknown[], RegExp]>([
  ['no handler', [{}], /its third argument is the function that answers; write server\.tool\('t'/],
  ['a handler in place of the definition', [say], /its second argument is what it is; write/],
  ['a description in place of the definition', ['Says', {}, say], /its second argument is what it is/],
  ['a schema in place of the definition', [z.object({}), say], /its second argument is what it is/],
  ['inputSchema for input', [{ inputSchema: { type: 'object' } }, say], /give the schema as "input"/],
  ['outputSchema for output', [{ outputSchema: { type: 'object' } }, say], /give the schema as "output"/],
  ['members without an object', [{ input: { city: z.string() } }, say], /such as z\.object\(/],
  [
    'a schema that JSON Schema cannot say',
    [{ input: z.object({ at: z.date() }) }, say],
    /^Cannot register the tool "t": its input schema cannot be used: Date/,
  ],
])('a tool registered with %s is refused with what would work', (_what, rest, message) => {
  const tool = createServer(who).tool as (name: string, ...rest: readonly unknown[]) => unknown
  expect(() => tool('t', ...rest)).toThrow(message)
})

import { createFakeClock, recordCall } from '@crosspoint/testkit'
import { describe, expect, it } from 'vitest'
import { z } from 'zod'
import type { JsonObject } from '../jsonrpc/frame.ts'
import type { EndpointEvent } from '../transports/endpoint.ts'
import { type Context, createServer, type StandardSchema, type ToolDefinition } from './index.ts'

interface City {
  readonly city: string
}

/** As a library without JSON Schema has it: one function that looks at a value. */
const byHand: StandardSchema<City> = {
  '~standard': {
    version: 1,
    vendor: 'by-hand',
    validate(value) {
      const { city } = value as Partial<City>
      return typeof city === 'string'
        ? { value: { city: city.trim() } }
        : { issues: [{ message: 'expected text', path: ['city'] }] }
    },
  },
}
const json: JsonObject = { type: 'object', properties: { city: { type: 'string' } }, required: ['city'] }
/** As one that has it. */
const withJson: StandardSchema<City> = {
  '~standard': { ...byHand['~standard'], jsonSchema: { input: () => json, output: () => json } },
}

function open(definition: ToolDefinition, handler: (args: JsonObject, context: Context) => unknown) {
  const events: EndpointEvent[] = []
  const log = (event: EndpointEvent) => void events.push(event)
  const server = createServer({ name: 's', version: '1', clock: createFakeClock(), log })
  server.tool('t', definition, handler as () => never)
  const ask = (method: string, params: JsonObject) =>
    server.endpoint.handle(recordCall(method, params, { capabilities: { elicitation: { form: {} } } }).call)
  return {
    events,
    call: (args: JsonObject = {}, more: JsonObject = {}) => ask('tools/call', { name: 't', arguments: args, ...more }),
    listed: async () => ((await ask('tools/list', {})).tools as readonly JsonObject[])[0]?.inputSchema,
  }
}

describe('a schema of any library', () => {
  it.each<[string, ToolDefinition]>([
    ['without JSON Schema, which is given beside it', { input: byHand, inputSchema: json }],
    ['with JSON Schema of its own', { input: withJson }],
  ])('%s is listed, checked and applied', async (_, definition) => {
    const { call, listed } = open(definition, ({ city }) => `<${city}>`)
    expect(await listed()).toEqual(json)
    expect(await call({ city: ' Rome ' })).toEqual({ content: [{ type: 'text', text: '<Rome>' }] })
    expect(await call({ city: 7 })).toEqual({
      content: [{ type: 'text', text: 'Cannot call the tool "t": city: expected text' }],
      isError: true,
    })
  })

  it('without JSON Schema is refused by name of the option that is missing', () => {
    expect(() => open({ input: byHand }, () => '')).toThrow(/offers no JSON Schema; give one as "inputSchema"$/)
    const definition = { output: byHand }
    expect(() => open(definition, () => '')).toThrow('offers no JSON Schema; give one as "outputSchema"')
  })

  it('asks with JSON Schema given beside it', async () => {
    const { call } = open({}, (_, { elicit }) => elicit('Where?', byHand, { jsonSchema: json }))
    const asked = await call()
    expect(asked).toMatchObject({ inputRequests: { [first(asked)]: { params: { requestedSchema: json } } } })
    const inputResponses = { [first(asked)]: { action: 'accept', content: { city: ' Rome ' } } }
    expect(await call({}, { inputResponses, requestState: asked.requestState })).toMatchObject({
      structuredContent: { city: 'Rome' },
    })
  })

  it.each<[string, StandardSchema, string]>([
    ['without JSON Schema', byHand, 'The by-hand schema offers no JSON Schema; give one as "jsonSchema"'],
    ['that JSON Schema cannot say', z.object({ at: z.date() }), 'Date cannot be represented in JSON Schema'],
  ])('%s asks nobody: the author is told why, the caller is not', async (_, schema, why) => {
    const { call, events } = open({}, (_args, { elicit }) => elicit('Where?', schema))
    expect(await call()).toEqual({
      content: [
        { type: 'text', text: 'Cannot ask the user: the question does not fit a form; the log of the server says why' },
      ],
      isError: true,
    })
    const [event] = events
    expect(event).toMatchObject({ event: 'form_unsuited' })
    expect(String(event?.error)).toContain(`Cannot ask with this schema: ${why}`)
  })
})

const first = (asked: JsonObject) => Object.keys(asked.inputRequests as JsonObject)[0] ?? ''

describe('an input that is one of several objects', () => {
  const circle = z.object({ kind: z.literal('circle'), radius: z.number() })
  const square = z.object({ kind: z.literal('square'), side: z.number() })

  it.each<[string, ToolDefinition['input'] & object]>([
    ['a discriminated union', z.discriminatedUnion('kind', [circle, square])],
    ['a union', z.union([circle, square])],
    ['plain JSON Schema', { anyOf: [{ $ref: '#/$defs/a' }, { type: 'object' }], $defs: { a: { type: 'object' } } }],
    ['an intersection', z.intersection(z.object({ kind: z.string() }), z.object({ radius: z.number().optional() }))],
  ])('is taken as %s, and listed as an object', async (_, input) => {
    const { call, listed } = open({ input }, (args) => args)
    expect(await listed()).toMatchObject({ type: 'object' })
    expect(await call({ kind: 'circle', radius: 1 })).toMatchObject({
      structuredContent: { kind: 'circle', radius: 1 },
    })
  })

  it('is held against its branches', async () => {
    const { call } = open({ input: z.discriminatedUnion('kind', [circle, square]) }, () => 'drawn')
    expect(await call({ kind: 'square', radius: 1 })).toMatchObject({ isError: true })
  })

  it('is refused where one of them is none', () => {
    expect(() => open({ input: z.union([circle, z.string()]) }, () => '')).toThrow('its input must be an object')
    expect(() => open({ input: { anyOf: [{ type: 'object' }, true] } }, () => '')).toThrow('must be an object')
  })
})

describe('a schema of a Zod that is too old', () => {
  it.each([
    ['without "~standard"', { _def: { typeName: 'ZodObject' }, parse: () => ({}) }, 'Zod that is too old'],
    ['without JSON Schema', { '~standard': { ...byHand['~standard'], vendor: 'zod' } }, 'give one as "inputSchema"'],
  ])('%s is told which would do', (_, input, sentence) => {
    const register = () => open({ input: input as unknown as JsonObject }, () => '')
    expect(register).toThrow(sentence)
    expect(register).toThrow(/ use Zod 4\.2 or later$/)
  })
})

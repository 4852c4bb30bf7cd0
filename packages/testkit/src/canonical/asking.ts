import type { JsonObject } from '@crosspoint/mcp'
import fc, { type Arbitrary } from 'fast-check'
import { audioBlock, block, imageBlock, json, meta, name, text, textBlock, uri } from './content.ts'

/** Arbitrary questions of a server and answers of a client, in the newest vocabulary. */

const toolUse = fc.record({
  type: fc.constant('tool_use'),
  id: name,
  name,
  input: fc.dictionary(name, json, { maxKeys: 2 }),
})
const toolResult = fc.record({
  type: fc.constant('tool_result'),
  toolUseId: name,
  content: fc.array(block, { maxLength: 2 }),
})
const role = fc.constantFrom('user', 'assistant')

function messageContent(one: Arbitrary<JsonObject>): Arbitrary<unknown> {
  return fc.oneof(one, fc.array(one, { minLength: 1, maxLength: 3 }))
}

const plainContent = messageContent(fc.oneof(textBlock, imageBlock, audioBlock))
const anyContent = messageContent(fc.oneof(textBlock, imageBlock, audioBlock, toolUse, toolResult))

const sampling = {
  maxTokens: fc.nat(),
  systemPrompt: text,
  temperature: fc.double({ min: 0, max: 1, noNaN: true }).map(Math.abs),
  stopSequences: fc.array(text, { maxLength: 2 }),
  modelPreferences: fc.record({ hints: fc.constant([{ name: 'm' }]), costPriority: fc.constantFrom(0, 0.5, 1) }),
}

function messages(content: Arbitrary<unknown>): Arbitrary<JsonObject[]> {
  return fc.array(fc.record({ role, content, _meta: meta }, { requiredKeys: ['role', 'content'] }), { maxLength: 3 })
}

/** What every revision with more than text and images can ask of a model. */
export const plainSampling: Arbitrary<JsonObject> = fc.record(
  { messages: messages(plainContent), ...sampling },
  { requiredKeys: ['messages', 'maxTokens'] },
)

export const samplingRequest: Arbitrary<JsonObject> = fc.record(
  {
    messages: messages(anyContent),
    ...sampling,
    tools: fc.array(fc.record({ name, inputSchema: fc.constant({ type: 'object' }) }), { maxLength: 2 }),
    toolChoice: fc.record({ mode: fc.constantFrom('auto', 'required', 'none') }),
  },
  { requiredKeys: ['messages', 'maxTokens'] },
)

export const samplingAnswer: Arbitrary<JsonObject> = fc.record(
  { role, content: anyContent, model: name, stopReason: fc.constantFrom('endTurn', 'toolUse', 'other') },
  { requiredKeys: ['role', 'content', 'model'] },
)

const titled = fc.array(fc.record({ const: name, title: text }), { minLength: 1, maxLength: 3 })
const words = { title: text, description: text }

function field(type: string, members: Readonly<Record<string, Arbitrary<unknown>>>, required: readonly string[] = []) {
  const model: Record<string, Arbitrary<unknown>> = { type: fc.constant(type), ...members, ...words }
  return fc.record(model, { requiredKeys: ['type', ...required] })
}

const plainField = fc.oneof(
  field('string', {
    default: text,
    minLength: fc.nat(3),
    format: fc.constantFrom('email', 'uri', 'date', 'date-time'),
  }),
  field('number', { default: fc.constant(0.5), minimum: fc.constant(0) }),
  field('integer', { default: fc.nat(), maximum: fc.constant(10) }),
  field('boolean', { default: fc.boolean() }),
  field('string', { enum: fc.array(name, { minLength: 1, maxLength: 3 }), default: name }, ['enum']),
  field('string', { oneOf: titled, default: name }, ['oneOf']),
)

const severalField = fc.oneof(
  field('array', { items: fc.record({ type: fc.constant('string'), enum: fc.array(name, { minLength: 1 }) }) }, [
    'items',
  ]),
  field('array', { items: fc.record({ anyOf: titled }), default: fc.array(name) }, ['items']),
)

function form(one: Arbitrary<unknown>): Arbitrary<JsonObject> {
  const requestedSchema = fc.record(
    { type: fc.constant('object'), properties: fc.dictionary(name, one, { maxKeys: 4 }), required: fc.constant([]) },
    { requiredKeys: ['type', 'properties'] },
  )
  return fc.record(
    { mode: fc.constant('form'), message: text, requestedSchema },
    { requiredKeys: ['message', 'requestedSchema'] },
  )
}

/** A form in which every field has one answer. */
export const plainForm = form(plainField)
/** A form with at least one field that takes several answers. */
export const severalForm = severalField.chain((field) =>
  plainForm.map((at) => {
    const schema = at.requestedSchema as JsonObject & { readonly properties: JsonObject } // made by form() above
    return { ...at, requestedSchema: { ...schema, properties: { ...schema.properties, several: field } } }
  }),
)
export const urlElicitation: Arbitrary<JsonObject> = fc.record({
  mode: fc.constant('url'),
  message: text,
  url: fc.constant('https://example.com/connect'),
})

const answer = fc.oneof(text, fc.integer(), fc.constant(0.5), fc.boolean(), fc.array(name, { maxLength: 2 }))

/** The answer to an elicitation. */
export const asked: Arbitrary<JsonObject> = fc.oneof(
  fc.record({ action: fc.constant('accept'), content: fc.dictionary(name, answer, { maxKeys: 3 }) }),
  fc.record({ action: fc.constantFrom('accept', 'decline', 'cancel') }),
)

export const roots: Arbitrary<JsonObject> = fc.record({
  roots: fc.array(fc.record({ uri, name, _meta: meta }, { requiredKeys: ['uri'] }), { maxLength: 3 }),
})

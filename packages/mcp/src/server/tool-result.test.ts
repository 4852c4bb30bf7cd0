import { recordCall } from '@crosspoint/testkit'
import { describe, expect, it } from 'vitest'
import { z } from 'zod'
import type { JsonObject } from '../jsonrpc/frame.ts'
import type { EndpointEvent } from '../transports/endpoint.ts'
import { createServer } from './index.ts'

async function outcomeOf(value: unknown, definition: object = {}) {
  const events: EndpointEvent[] = []
  const server = createServer({ name: 's', version: '1', log: (event) => void events.push(event) })
  server.tool('t', definition, (() => value) as () => never)
  const result = await server.endpoint.handle(recordCall('tools/call', { name: 't', arguments: {} }).call)
  return { result, said: events.map(({ error, fault }) => (error instanceof Error ? error.message : fault)) }
}

const text = { type: 'text', text: 'a' }
const image = { type: 'image', data: 'AA==', mimeType: 'image/png' }
const asText = (value: unknown) => ({ content: [{ type: 'text', text: JSON.stringify(value) }] })
const asData = (value: unknown) => ({ ...asText(value), structuredContent: value })

describe('a tool without an output schema', () => {
  it.each<[string, JsonObject]>([
    ['text', text],
    ['image', image],
    ['audio', { type: 'audio', data: 'AA==', mimeType: 'audio/wav', annotations: { audience: ['user'] } }],
    ['resource_link', { type: 'resource_link', uri: 'a:b', name: 'b', size: 3, _meta: { 'a/b': 1 } }],
    ['resource', { type: 'resource', resource: { uri: 'a:b', blob: 'AA==' } }],
  ])('sends one %s block as content', async (_, block) => {
    expect((await outcomeOf(block)).result).toEqual({ content: [block] })
  })

  it.each([
    [{ type: 'text', text: 'Hi', author: 'Ann' }],
    [{ type: 'image', url: 'https://a.example' }],
    [{ type: 'text' }],
    [{ type: 'folder', data: 'x' }],
    [{ type: 7 }],
  ])('takes an object with a type of its own for an object: %j', async (value) => {
    expect((await outcomeOf(value)).result).toEqual(asData(value))
  })

  it.each([[[]], [[1]], [[{ id: 1 }]], [[text, { type: 'heading', text: 'b' }]]])(
    'sends a list of values as text, empty or not: %j',
    async (value) => {
      expect((await outcomeOf(value)).result).toEqual(asText(value))
    },
  )

  it.each<[JsonObject]>([
    [{ content: [], title: 'Draft' }],
    [{ content: [text], title: 'Draft' }],
    [{ content: ['x'] }],
    [{ content: 'x' }],
    [{ content: [text], isError: 'no' }],
    [{ content: [text], resultType: 7, next: 1 }],
  ])('takes an object that has more than a result, or other content, for an object: %j', async (value) => {
    expect((await outcomeOf(value)).result).toEqual(asData(value))
  })

  it.each<[JsonObject]>([
    [{ content: [] }],
    [{ content: [text, image], _meta: { 'a/b': 1 } }],
    [{ content: [text], isError: false, structuredContent: { a: 1 } }],
    [{ resultType: 'complete', content: [text], 'x/of-another-server': 1 }],
  ])('sends a full result as it is: %j', async (value) => {
    expect((await outcomeOf(value)).result).toBe(value)
  })

  const lacking = 'and must be text in a block of the type'
  it.each<[unknown, string]>([
    [[{ type: 'text', body: 'x' }], `[0].text is missing, ${lacking} "text"`],
    [[text, { type: 'text', text: 7 }], `[1].text is a number, ${lacking} "text"`],
    [
      { content: [{ type: 'image' }] },
      'content[0].data is missing, and must be text (base64) in a block of the type "image"',
    ],
    [
      { type: 'image', data: new Uint8Array(2), mimeType: 'image/png' },
      '.data is of the type Uint8Array, and must be text (base64)',
    ],
    [{ type: 'image', data: 'AA==' }, `.mimeType is missing, ${lacking} "image"`],
    [{ type: 'resource_link', uri: 'a:b' }, `.name is missing, ${lacking} "resource_link"`],
    [[{ type: 'text', text: Symbol('x') }], `[0].text is a symbol, ${lacking} "text"`],
    [{ content: [{ type: 'text', text: Symbol('x') }] }, `content[0].text is a symbol, ${lacking} "text"`],
    [{ content: [{ type: 'text', text: () => 'x' }] }, `content[0].text is a function, ${lacking} "text"`],
    [[{ type: 'resource', resource: () => 'x' }], '[0].resource is a function, and must be an object'],
    [
      [{ type: 'resource', resource: { uri: 'a:b', text: Symbol('x') } }],
      '[0].resource.text is a symbol, and must be text',
    ],
    [
      [{ type: 'resource', uri: 'a:b' }],
      '[0].resource is missing, and must be an object with a "uri" and "text" or "blob"',
    ],
    [[{ type: 'resource', resource: { text: 'x' } }], '[0].resource.uri is missing, and must be text'],
    [[{ type: 'resource', resource: { uri: 'a:b' } }], '[0].resource.blob is missing, and must be text (base64)'],
    [[{ type: 'resource', resource: { uri: 'a:b', text: null } }], '[0].resource.text is null, and must be text'],
    [{ content: [text, 'x'], isError: true }, `content[1] is "x", and must be a content block such as`],
    [{ content: [{ type: 'txt' }], isError: true }, 'content[0].type is "txt", and must be one of text, image, audio,'],
    [
      { content: 'failed', isError: true },
      'content is "failed", and must be a list of content blocks in a full result',
    ],
    [{ structuredContent: { a: 1 } }, 'content is missing, and must be a list of content blocks in a full result'],
  ])('fails for content that cannot be sent, and tells the author which member: %j', async (value, what) => {
    const { result, said } = await outcomeOf(value)
    expect(result).toEqual({ content: [{ type: 'text', text: 'The tool "t" failed' }], isError: true })
    expect(said).toEqual([expect.stringContaining(`Cannot send what a tool returned: ${what}`)])
    expect(said).toEqual([expect.stringMatching(/is sent where the tool has an "output" schema$/)])
  })
})

describe('a tool with an output schema', () => {
  it.each([[[]], [[1]], [[text]], [text], [{ content: [text] }]])(
    'takes any value for the value: %j',
    async (value) => {
      expect((await outcomeOf(value, { output: {} })).result).toEqual(asData(value))
    },
  )

  const document = z.object({ content: z.array(z.unknown()), isError: z.boolean().optional() })

  it('takes what conforms to a schema with a content of its own for the value', async () => {
    for (const value of [{ content: [] }, { content: [text], isError: true }, { content: ['x'], isError: true }]) {
      expect((await outcomeOf(value, { output: document })).result).toEqual(asData(value))
    }
  })

  it('takes a full result beside a schema with a content of its own, where it does not conform', async () => {
    const output = z.strictObject({ content: z.string() })
    const full = { content: [text], structuredContent: { content: 'a' } }
    expect((await outcomeOf(full, { output })).result).toEqual(full)
  })

  it('takes content beside the value in a full result, and checks it', async () => {
    const output = z.object({ n: z.number() })
    const full = { content: [image], structuredContent: { n: 1 } }
    expect((await outcomeOf(full, { output })).result).toEqual(full)
    const wrong = { content: [{ type: 'image' }], structuredContent: { n: 1 } }
    expect((await outcomeOf(wrong, { output })).said).toEqual([expect.stringContaining('content[0].data is missing')])
  })
})

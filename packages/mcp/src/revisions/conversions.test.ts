import { answers, json, notifications, params, questions, results } from '@crosspoint/testkit/canonical'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { JsonObject, RpcError } from '../jsonrpc/frame.ts'
import { composeRevisions } from './compose.ts'
import { findRevision, NEWEST, REVISIONS } from './index.ts'
import type { Canonical, Delta, Revision } from './revision.ts'

const [A, B, C, D, E] = ['2024-11-05', '2025-03-26', '2025-06-18', '2025-11-25', '2026-07-28'] as const

function revision(name: string): Revision {
  const found = findRevision(name)
  if (found === undefined) throw new Error(`No revision "${name}"`)
  return found
}

function codec(name: string, method: string) {
  const found = revision(name).methods.get(method)
  if (found === undefined) throw new Error(`"${name}" has no "${method}"`)
  return found
}

const downResult = (name: string, method: string, value: JsonObject) => codec(name, method).downResult(value)

describe('every conversion', () => {
  const kinds = [
    ['downResult', { ...results, ...answers }],
    ['upResult', { ...results, ...answers }],
    ['downParams', { ...params, ...questions, ...notifications }],
    ['upParams', { ...params, ...questions, ...notifications }],
  ] as const

  test.each(kinds)('%s never changes what it is given', (direction, arbitraries) => {
    for (const [method, arbitrary] of Object.entries(arbitraries)) {
      fc.assert(
        fc.property(arbitrary, (value) => {
          const before = JSON.stringify(value)
          for (const { methods } of REVISIONS) tolerant(() => methods.get(method)?.[direction](value))
          expect(JSON.stringify(value)).toBe(before)
        }),
        { numRuns: 30 },
      )
    }
  })

  test.each(kinds)('%s lets any JSON of an unknown shape pass without failing', (direction, arbitraries) => {
    const members = [
      'content',
      'tools',
      'messages',
      'contents',
      'capabilities',
      'requestedSchema',
      'completion',
      'structuredContent',
      '_meta',
    ]
    const odd = fc.dictionary(fc.constantFrom(...members), fc.oneof(json, fc.array(json)), { maxKeys: 5 })
    fc.assert(
      fc.property(odd, (value) => {
        for (const method of Object.keys(arbitraries)) {
          for (const { methods } of REVISIONS) tolerant(() => methods.get(method)?.[direction](value))
        }
      }),
    )
  })

  test('abuse-11: a member "__proto__" stays a member through every revision', () => {
    const hostile = JSON.parse(`{
      "__proto__": {"polluted": 1}, "resultType": "complete", "structuredContent": [1],
      "content": [{"type": "audio", "data": "", "mimeType": "audio/wav", "__proto__": {"polluted": 2}}],
      "_meta": {"__proto__": {"polluted": 3}, "io.modelcontextprotocol/serverInfo": {}}
    }`) as JsonObject
    for (const { methods } of REVISIONS) {
      const written = methods.get('tools/call')?.downResult(hostile) ?? {}
      expect(Object.hasOwn(written, '__proto__')).toBe(true)
      expect(Object.hasOwn(written._meta as object, '__proto__')).toBe(true)
      expect(Object.getPrototypeOf(written)).toBe(Object.prototype)
      expect(written.polluted).toBeUndefined()
    }
    expect(({} as JsonObject).polluted).toBeUndefined()
    const form = JSON.parse(
      '{"message":"","requestedSchema":{"type":"object","properties":{"__proto__":{"type":"string","default":"x"}}}}',
    )
    expect(JSON.stringify(codec(C, 'elicitation/create').downParams(form))).toContain(
      '"properties":{"__proto__":{"type":"string"}}',
    )
    expect(({} as JsonObject).default).toBeUndefined()
  })

  test('a plain tool result is passed on as the same object, up and down, at every distance', () => {
    const plain = { content: [{ type: 'text', text: 'x' }], isError: false }
    for (const { methods } of REVISIONS) {
      expect(methods.get('tools/call')?.downResult(plain)).toBe(plain)
      expect(methods.get('tools/call')?.upResult(plain)).toBe(plain)
    }
  })
})

describe('what only the newest revision says', () => {
  test.each([A, B, C, D])('is left out toward %s', (name) => {
    const value = {
      resultType: 'complete',
      ttlMs: 5,
      cacheScope: 'private',
      prompts: [],
      _meta: { 'io.modelcontextprotocol/serverInfo': { name: 's', version: '1' }, 'com.example/x': 1 },
    }
    expect(downResult(name, 'prompts/list', value)).toEqual({ prompts: [], _meta: { 'com.example/x': 1 } })
    expect(
      downResult(name, 'prompts/list', {
        resultType: 'complete',
        prompts: [],
        _meta: { 'io.modelcontextprotocol/serverInfo': {} },
      }),
    ).toEqual({ prompts: [] })
  })

  test('is kept toward the newest', () => {
    const value = { resultType: 'complete', ttlMs: 5, prompts: [] }
    expect(downResult(E, 'prompts/list', value)).toBe(value)
  })

  test.each(['tools/call', 'prompts/get', 'resources/read'])(
    'answers and sealed state of a retry do not reach an older server: %s',
    (method) => {
      const value = { name: 'n', inputResponses: { a: {} }, requestState: 'sealed' }
      for (const name of [A, B, C, D]) expect(codec(name, method).downParams(value)).toEqual({ name: 'n' })
      expect(codec(E, method).downParams(value)).toBe(value)
    },
  )

  test('a subscription id does not reach an older client', () => {
    const tagged = { uri: 'file:///a', _meta: { 'io.modelcontextprotocol/subscriptionId': 1, x: 1 } }
    expect(codec(D, 'notifications/resources/updated').downParams(tagged)).toEqual({
      uri: 'file:///a',
      _meta: { x: 1 },
    })
  })
})

describe('what the newest revision no longer says', () => {
  test('a wish for a core task is ignored, as by any receiver without tasks', () => {
    for (const method of ['tools/call', 'sampling/createMessage', 'elicitation/create']) {
      expect(codec(D, method).upParams({ name: 'n', task: { ttl: 5 } })).toEqual({ name: 'n' })
    }
  })

  test('more than 100 completions are cut, and said to be more', () => {
    const values = Array.from({ length: 101 }, (_, i) => `v${i}`)
    const read = codec(D, 'completion/complete').upResult({ completion: { values, total: 300 } })
    expect(read).toEqual({ completion: { values: values.slice(0, 100), total: 300, hasMore: true } })
    const few = { completion: { values: values.slice(0, 100), hasMore: false } }
    expect(codec(A, 'completion/complete').upResult(few)).toBe(few)
  })

  test('the task support of a tool goes, and its input becomes an object', () => {
    const tools = [
      { name: 'a', inputSchema: { type: 'object' }, execution: { taskSupport: 'required' } },
      { name: 'b', inputSchema: { properties: {} } },
      { name: 'c', inputSchema: { type: 'string' } },
      { name: 'd' },
      { name: 'e', inputSchema: true },
    ]
    expect(codec(D, 'tools/list').upResult({ tools })).toEqual({
      tools: [
        { name: 'a', inputSchema: { type: 'object' } },
        { name: 'b', inputSchema: { type: 'object', properties: {} } },
      ],
    })
  })

  test('schemas of older dialects are written in the new one, unless they name theirs', () => {
    const old = {
      type: 'object',
      properties: {
        pair: {
          type: 'array',
          items: [{ type: 'number', minimum: 0, exclusiveMinimum: true }],
          additionalItems: false,
        },
        list: { type: 'array', items: { type: 'integer', maximum: 9, exclusiveMaximum: false } },
        both: { anyOf: [{ items: [] }, { type: 'null' }] },
        items: { enum: ['a property of that name'] },
      },
      definitions: { x: { items: [{}] } },
    }
    const read = codec(B, 'tools/list').upResult({ tools: [{ name: 't', inputSchema: old, outputSchema: old }] })
    const converted = {
      type: 'object',
      properties: {
        pair: { type: 'array', prefixItems: [{ type: 'number', exclusiveMinimum: 0 }], items: false },
        list: { type: 'array', items: { type: 'integer', maximum: 9 } },
        both: { anyOf: [{ prefixItems: [] }, { type: 'null' }] },
        items: { enum: ['a property of that name'] },
      },
      definitions: { x: { prefixItems: [{}] } },
    }
    expect(read).toEqual({ tools: [{ name: 't', inputSchema: converted, outputSchema: converted }] })
    const named = {
      tools: [{ name: 't', inputSchema: { ...old, $schema: 'http://json-schema.org/draft-07/schema#' } }],
    }
    expect(codec(B, 'tools/list').upResult(named)).toBe(named)
  })
})

describe('content an older revision does not know', () => {
  const link = { type: 'resource_link', uri: 'file:///a', name: 'A', annotations: { priority: 1 } }
  const audio = { type: 'audio', data: 'AA==', mimeType: 'audio/wav' }
  const line = { type: 'text', text: 'A: file:///a', annotations: { priority: 1 } }
  const sound = (index: number) => ({
    type: 'resource',
    resource: { uri: `crosspoint:audio/${index}`, mimeType: 'audio/wav', blob: 'AA==' },
  })

  test.each([
    [D, [link, audio, audio]],
    [C, [link, audio, audio]],
    [B, [line, audio, audio]],
    [A, [line, sound(1), sound(2)]],
  ] as const)('%s gets links and audio as it can show them', (name, content) => {
    expect(downResult(name, 'tools/call', { content: [link, audio, audio] })).toEqual({ content })
    const messages = [link, audio, audio].map((block) => ({ role: 'user', content: block }))
    expect(downResult(name, 'prompts/get', { messages })).toEqual({
      messages: content.map((block) => ({ role: 'user', content: block })),
    })
  })

  test('the words of progress do not reach the first revision', () => {
    const progress = { progressToken: 1, progress: 2, message: 'half' }
    expect(codec(A, 'notifications/progress').downParams(progress)).toEqual({ progressToken: 1, progress: 2 })
    expect(codec(B, 'notifications/progress').downParams(progress)).toBe(progress)
  })
})

describe('structured output', () => {
  const output = (name: string, outputSchema: unknown) => {
    const { tools } = downResult(name, 'tools/list', {
      tools: [{ name: 't', inputSchema: { type: 'object' }, outputSchema }],
    })
    return (tools as JsonObject[])[0]?.outputSchema
  }
  const wrapped = (schema: JsonObject, rest: JsonObject = {}) => ({
    type: 'object',
    properties: { result: schema },
    required: ['result'],
    ...rest,
  })

  test.each<[string, JsonObject, JsonObject | undefined]>([
    ['an object', { type: 'object', properties: { a: {} } }, { type: 'object', properties: { a: {} } }],
    ['a list', { type: 'array', items: {} }, wrapped({ type: 'array', items: {} })],
    ['text or nothing', { type: ['string', 'null'] }, wrapped({ type: ['string', 'null'] })],
    ['a constant', { const: 7 }, wrapped({ const: 7 })],
    ['words', { enum: ['a', 'b'] }, wrapped({ enum: ['a', 'b'] })],
    [
      'one of several objects',
      { oneOf: [{ type: 'object' }, { $ref: '#/$defs/o' }], $defs: { o: { type: 'object' } } },
      { type: 'object', oneOf: [{ type: 'object' }, { $ref: '#/$defs/o' }], $defs: { o: { type: 'object' } } },
    ],
    [
      'one of several scalars',
      { anyOf: [{ type: 'string' }, { type: 'number' }] },
      wrapped({ anyOf: [{ type: 'string' }, { type: 'number' }] }),
    ],
    [
      'a reference to a list',
      { $ref: '#/$defs/l', $defs: { l: { type: 'array' } } },
      wrapped({ $ref: '#/$defs/l' }, { $defs: { l: { type: 'array' } } }),
    ],
    ['an object or a list', { oneOf: [{ type: 'object' }, { type: 'array' }] }, undefined],
    ['an object or nothing', { type: ['object', 'null'] }, undefined],
    ['anything', {}, undefined],
    ['itself', { $ref: '#' }, undefined],
    ['a list of itself', { type: 'array', items: { $ref: '#' } }, undefined],
    ['a list with an identity', { $id: 'x', type: 'array' }, undefined],
    ['a definition that is not there', { $ref: '#/$defs/none' }, undefined],
    ['a definition that is an inherited name', { $ref: '#/$defs/constructor', $defs: {} }, undefined],
    ['a circle of definitions', { $ref: '#/$defs/a', $defs: { a: { $ref: '#/$defs/a' } } }, undefined],
  ])('a tool that answers with %s', (_, schema, expected) => {
    for (const name of [C, D]) expect(output(name, schema)).toEqual(expected)
    for (const name of [A, B]) expect(output(name, schema)).toBeUndefined()
    expect(output(E, schema)).toBe(schema)
  })

  test('property descriptions that are true or false become objects that mean the same', () => {
    const inputSchema = { type: 'object', properties: { any: true, none: false, text: { type: 'string' } } }
    expect(downResult(D, 'tools/list', { tools: [{ name: 't', inputSchema }] })).toEqual({
      tools: [
        {
          name: 't',
          inputSchema: { type: 'object', properties: { any: {}, none: { not: {} }, text: { type: 'string' } } },
        },
      ],
    })
  })

  test.each([[[1, 2]], [null], [0], [''], [false], ['text']])(
    'the value %j is wrapped for C and D and text for all',
    (value) => {
      const written = { content: [{ type: 'text', text: JSON.stringify(value) }], structuredContent: { result: value } }
      for (const name of [C, D])
        expect(downResult(name, 'tools/call', { content: [], structuredContent: value })).toEqual(written)
      const { structuredContent: _, ...bare } = written
      for (const name of [A, B])
        expect(downResult(name, 'tools/call', { content: [], structuredContent: value })).toEqual(bare)
    },
  )

  test('an object is not wrapped, and text that is there is not doubled', () => {
    const value = { content: [{ type: 'text', text: 'said' }], structuredContent: { a: 1 } }
    expect(downResult(D, 'tools/call', value)).toBe(value)
    expect(downResult(B, 'tools/call', value)).toEqual({ content: value.content })
  })

  test('what a tool lists and what it answers agree after conversion', () => {
    const schemas = fc.constantFrom<JsonObject>(
      { type: 'array' },
      { type: 'string' },
      { type: 'null' },
      { type: 'object' },
      { anyOf: [{ type: 'object' }] },
      { enum: [1, 2] },
      { type: ['number', 'boolean'] },
    )
    const value = fc.oneof(json, fc.constantFrom([], 'x', null, {}, 1, true))
    fc.assert(
      fc.property(schemas, value, (schema, structuredContent) => {
        fc.pre(fits(structuredContent, schema))
        const listed = output(D, schema) as JsonObject
        const answered = downResult(D, 'tools/call', { content: [], structuredContent }).structuredContent as JsonObject
        expect(listed.type).toBe('object')
        const wraps = Object.hasOwn((listed.properties ?? {}) as object, 'result')
        expect(answered).toEqual(wraps ? { result: structuredContent } : structuredContent)
      }),
    )
  })

  function fits(value: unknown, schema: JsonObject): boolean {
    if (Array.isArray(schema.anyOf)) return schema.anyOf.some((branch) => fits(value, branch))
    if (Array.isArray(schema.enum)) return schema.enum.includes(value)
    const type = value === null ? 'null' : Array.isArray(value) ? 'array' : typeof value
    return [schema.type].flat().includes(type)
  }
})

describe('questions an older client cannot be asked as they are', () => {
  const ask = (name: string, method: string, value: JsonObject) => codec(name, method).downParams(value)
  const form = (properties: JsonObject) => ({ message: 'm', requestedSchema: { type: 'object', properties } })

  test('titled choices become names of choices, defaults and the mode go', () => {
    const asked = {
      mode: 'form',
      ...form({
        colour: {
          type: 'string',
          title: 'Colour',
          oneOf: [
            { const: 'r', title: 'Red' },
            { const: 'g', title: 'Green' },
          ],
          default: 'r',
        },
        plain: { type: 'string', enum: ['a'], default: 'a' },
        legacy: { type: 'string', enum: ['a'], enumNames: ['A'] },
        count: { type: 'integer', default: 3, minimum: 0 },
        sure: { type: 'boolean', default: true },
      }),
    }
    expect(ask(D, 'elicitation/create', asked)).toBe(asked)
    expect(ask(C, 'elicitation/create', asked)).toEqual(
      form({
        colour: { type: 'string', title: 'Colour', enum: ['r', 'g'], enumNames: ['Red', 'Green'] },
        plain: { type: 'string', enum: ['a'] },
        legacy: { type: 'string', enum: ['a'], enumNames: ['A'] },
        count: { type: 'integer', minimum: 0 },
        sure: { type: 'boolean', default: true },
      }),
    )
  })

  test('a field with several answers, and a URL, are refused before they are sent', () => {
    const several = form({ tags: { type: 'array', items: { type: 'string', enum: ['a'] } } })
    expect(() => ask(C, 'elicitation/create', several)).toThrow(
      expect.objectContaining({ code: 'caller.missing_capability', message: expect.stringContaining('"tags"') }),
    )
    const url = { mode: 'url', url: 'https://example.com', message: 'm' }
    expect(() => ask(C, 'elicitation/create', url)).toThrow(
      expect.objectContaining({
        code: 'caller.missing_capability',
        data: { requiredCapabilities: { elicitation: { url: {} } } },
      }),
    )
    expect(ask(D, 'elicitation/create', url)).toBe(url)
  })

  test('several blocks of one speaker become several messages', () => {
    const text = (words: string) => ({ type: 'text', text: words })
    const asked = {
      maxTokens: 1,
      messages: [
        { role: 'user', content: [text('a'), text('b')] },
        { role: 'assistant', content: text('c') },
      ],
    }
    const written = {
      maxTokens: 1,
      messages: [
        { role: 'user', content: text('a') },
        { role: 'user', content: text('b') },
        { role: 'assistant', content: text('c') },
      ],
    }
    expect(ask(D, 'sampling/createMessage', asked)).toBe(asked)
    for (const name of [A, B, C]) expect(ask(name, 'sampling/createMessage', asked)).toEqual(written)
  })

  test('tools in sampling are refused, an empty list of them is not', () => {
    const base = { maxTokens: 1, messages: [] }
    expect(() => ask(C, 'sampling/createMessage', { ...base, tools: [{ name: 't' }] })).toThrow(
      expect.objectContaining({ code: 'caller.missing_capability' }),
    )
    const use = { role: 'assistant', content: [{ type: 'tool_use', id: '1', name: 't', input: {} }] }
    expect(() => ask(B, 'sampling/createMessage', { ...base, messages: [use] })).toThrow(
      expect.objectContaining({ code: 'caller.missing_capability' }),
    )
    expect(ask(C, 'sampling/createMessage', { ...base, tools: [], toolChoice: { mode: 'none' } })).toEqual(base)
  })

  test('audio in sampling is refused where there is none', () => {
    const asked = {
      maxTokens: 1,
      messages: [{ role: 'user', content: { type: 'audio', data: '', mimeType: 'audio/wav' } }],
    }
    expect(() => ask(A, 'sampling/createMessage', asked)).toThrow(
      expect.objectContaining({ code: 'caller.missing_capability' }),
    )
    expect(ask(B, 'sampling/createMessage', asked)).toBe(asked)
  })

  test('the answer of a model in several texts is one text for an older server, anything else is refused', () => {
    const answer = (content: unknown) =>
      downResult(C, 'sampling/createMessage', { role: 'assistant', model: 'm', content })
    const text = (words: string) => ({ type: 'text', text: words })
    expect(answer([text('a'), text('b')])).toEqual({ role: 'assistant', model: 'm', content: text('a\nb') })
    expect(answer([text('a')])).toEqual({ role: 'assistant', model: 'm', content: text('a') })
    expect(() => answer([text('a'), { type: 'image', data: '', mimeType: 'x' }])).toThrow(
      expect.objectContaining({ code: 'upstream.protocol' }),
    )
    expect(() => answer([{ type: 'tool_use', id: '1', name: 't', input: {} }])).toThrow(
      expect.objectContaining({ code: 'upstream.protocol' }),
    )
  })
})

describe('errors', () => {
  const up = (name: string, error: RpcError, method = 'tools/call') => revision(name).upError(error, method)
  const down = (name: string, error: RpcError, method = 'tools/call') => revision(name).downError(error, method)
  const carried = (code: number, upstream: RpcError) => ({ code, message: upstream.message, data: { upstream } })

  test('a resource that is not found has a code of its own before the newest revision', () => {
    const modern = { code: -32602, message: 'm', data: { uri: 'file:///a' } }
    const legacy = { ...modern, code: -32002 }
    for (const name of [A, B, C, D]) {
      expect(down(name, modern, 'resources/read')).toEqual(legacy)
      expect(up(name, legacy, 'resources/read')).toEqual(modern)
      expect(down(name, modern, 'tools/call')).toEqual(modern)
    }
    expect(down(E, modern, 'resources/read')).toBe(modern)
  })

  test('a resource not found that is not named is still invalid params for a modern client, and itself for an older one', () => {
    const legacy = { code: -32002, message: 'gone' }
    const read = up(C, legacy, 'resources/read')
    expect(read).toEqual(carried(-32602, legacy))
    expect(down(B, read, 'resources/read')).toEqual(legacy)
  })

  test.each([-32000, -32001, -32019, -32002])(
    "a server's own code %i reaches an older client unchanged and a modern one inside data",
    (code) => {
      for (const data of [undefined, null, { a: 1 }]) {
        const error = data === undefined ? { code, message: 'm' } : { code, message: 'm', data }
        for (const from of [A, B, C, D, E]) {
          const read = up(from, error)
          expect(read).toEqual(carried(-32603, error))
          for (const to of [A, B, C, D]) expect(down(to, read)).toEqual(error)
          expect(down(E, read)).toBe(read)
        }
      }
    },
  )

  test('a demand for URLs reaches only those who know it', () => {
    const error = { code: -32042, message: 'm', data: { elicitations: [{ url: 'https://example.com/secret' }] } }
    const read = up(D, error)
    expect(read).toEqual(carried(-32603, error))
    expect(down(D, read)).toEqual(error)
    for (const name of [A, B, C]) expect(down(name, read)).toEqual({ code: -32603, message: 'm' })
  })

  test.each([-32020, -32021, -32022])(
    'the modern code %i keeps its data and loses its code toward older clients',
    (code) => {
      const error = { code, message: 'm', data: { requiredCapabilities: {} } }
      for (const name of [A, B, C, D]) expect(down(name, error)).toEqual({ ...error, code: -32603 })
      expect(down(E, error)).toBe(error)
      expect(up(E, error)).toBe(error)
      // The same number from an older server was never that error.
      expect(up(C, error)).toEqual(carried(-32603, error))
    },
  )

  test.each([-32023, -32050, -32099])('trap-21: the reserved code %i is passed on to nobody', (code) => {
    const error = { code, message: 'm' }
    for (const from of [A, D, E]) {
      const read = up(from, error)
      expect(read).toEqual(carried(-32603, error))
      for (const to of [A, B, C, D, E]) expect(down(to, read)).toEqual(read)
    }
  })

  test.each([-32700, -32600, -32601, -32603, -32602, -1, 0, 1, 1001, -31999, -32100])(
    'the code %i is the same everywhere',
    (code) => {
      const error = { code, message: 'm', data: { a: 1 } }
      for (const name of [A, B, C, D, E]) {
        expect(up(name, error)).toEqual(error)
        expect(down(name, error)).toEqual(error)
      }
    },
  )
})

describe('composing revisions', () => {
  const canonical: Canonical = {
    traits: NEWEST.traits,
    adds: ['tools/call'],
    readError: (error) => error,
    writeError: (error) => error,
  }
  const newest: Delta = { name: 'new', traits: {} }
  const delta = (rest: Partial<Delta>): Delta => ({ name: 'old', traits: {}, ...rest })

  test('steps run from neighbour to neighbour, a method of its own before the one for all', () => {
    const mark = (name: string) => (value: JsonObject) => ({ path: `${String(value.path)}${name}` })
    const { revisions: composed } = composeRevisions(canonical, [
      newest,
      delta({
        name: 'b',
        down: { results: { 'tools/call': mark('B') }, every: mark('b') },
        up: { results: { 'tools/call': mark('1') } },
      }),
      delta({
        name: 'a',
        down: { results: { 'tools/call': mark('A') } },
        up: { results: { 'tools/call': mark('2') } },
      }),
    ])
    expect(composed[2]?.methods.get('tools/call')?.downResult({ path: '' })).toEqual({ path: 'BbA' })
    expect(composed[2]?.methods.get('tools/call')?.upResult({ path: '' })).toEqual({ path: '21' })
    expect(composed[1]?.methods.get('tools/call')?.downResult({ path: '' })).toEqual({ path: 'Bb' })
  })

  test.each([
    [delta({ adds: ['no/such'] }), '"no/such" is not in the method table'],
    [delta({ adds: ['tools/call'] }), 'its newer neighbour has "tools/call" too'],
    [delta({ removes: ['ping'] }), 'no "ping" to take out'],
  ])('a delta that makes no sense is refused when the module loads', (wrong, message) => {
    expect(() => composeRevisions(canonical, [newest, wrong])).toThrow(message)
  })

  test.each([[[]], [[delta({ removes: ['tools/call'] })]], [[delta({ traits: { batching: true } })]]])(
    'the newest differs in nothing from what is spoken inside, or calls in it would have to be converted',
    (deltas) => {
      expect(() => composeRevisions(canonical, deltas)).toThrow('differs in nothing')
    },
  )

  test('a revision cannot be changed by who uses it', () => {
    for (const at of REVISIONS) {
      expect(Object.isFrozen(at)).toBe(true)
      expect(Object.isFrozen(at.traits)).toBe(true)
    }
  })
})

/** Refusals are part of the contract of some steps; anything else is a failure. */
function tolerant(run: () => unknown): void {
  try {
    run()
  } catch (error) {
    expect(error).toMatchObject({ name: 'McpError' })
  }
}

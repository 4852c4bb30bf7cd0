import { type Handle, type JsonObject, REVISIONS, type Revision } from '@crosspoint/mcp'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { buildCatalog } from './catalog.ts'
import { KINDS, type Kind } from './kinds.ts'
import { listAll } from './listing.ts'
import { createLens } from './view.ts'

/** What a server of one revision lists, as a client of another sees it: up, through the catalog, and down again. */
async function pass(kind: Kind, items: readonly unknown[], server: Revision, client: Revision): Promise<JsonObject[]> {
  const { method, listKey } = KINDS[kind]
  const handle: Handle = async () => {
    const result = { [listKey]: JSON.parse(JSON.stringify(items)) as unknown }
    return server.methods.get(method)?.upResult(result) ?? result
  }
  const { items: listed, problem } = await listAll(handle, kind, new AbortController().signal)
  expect(problem).toBeUndefined()
  const nothing = {
    tools: [],
    resources: [],
    templates: [],
    prompts: [],
    skills: [],
    told: [],
    instructions: undefined,
  }
  const source = {
    destination: { name: 'up', handle },
    offer: { ...nothing, capabilities: {}, [kind]: listed },
    offersTool: () => true,
  }
  const page = createLens(undefined, 1_000)(buildCatalog([source])).pages[kind].page(undefined)
  const told = client.methods.get(method)?.downResult(page) ?? {}
  return JSON.parse(JSON.stringify(told[listKey])) as JsonObject[]
}

const PAIRS = REVISIONS.flatMap((server) => REVISIONS.map((client) => [server, client] as const))

const name = fc.oneof(
  fc.stringMatching(/^[a-z]{1,8}$/),
  fc.constantFrom('__proto__', 'constructor', 'x-mcp-header', ''),
)
const object = (values: fc.Arbitrary<unknown>) =>
  // As JSON makes them: a `__proto__` is a member like any other.
  fc.array(fc.tuple(name, values), { maxLength: 4 }).map((members) => Object.fromEntries(members) as JsonObject)
const json = fc.jsonValue({ maxDepth: 1 })

/** A schema of 2020-12 of a few keywords, among them such as older dialects do not have or spell otherwise. */
function schemaOf(depth: number): fc.Arbitrary<JsonObject> {
  const plain = [
    ['type', fc.constantFrom<unknown>('string', 'object', ['array', 'null'])],
    ['$ref', fc.constantFrom('#/$defs/a', 'https://x.example/schema', '#anchor')],
    ['$dynamicRef', fc.constant('#a')],
    ['$anchor', fc.constant('a')],
    ['$comment', fc.string()],
    ['const', json],
    ['enum', fc.array(json, { maxLength: 3 })],
    ['default', json],
    ['exclusiveMinimum', fc.integer()],
    ['minContains', fc.nat()],
    ['dependentRequired', object(fc.array(name, { maxLength: 2 }))],
    ['x-own', json],
  ] as const
  const any = depth === 0 ? fc.boolean() : fc.oneof(fc.boolean(), schemaOf(depth - 1))
  const some = fc.array(any, { maxLength: 2 })
  const nested = [
    ...['items', 'unevaluatedItems', 'unevaluatedProperties', 'if', 'then', 'else', 'not', 'contentSchema'].map(
      (keyword) => [keyword, any] as const,
    ),
    ...['prefixItems', 'anyOf', 'allOf'].map((keyword) => [keyword, some] as const),
    ...['properties', 'patternProperties', 'dependentSchemas', '$defs'].map(
      (keyword) => [keyword, object(any)] as const,
    ),
  ]
  const member = fc.oneof(
    ...[...plain, ...nested].map(([keyword, value]) =>
      fc.tuple(fc.constant<string>(keyword), value as fc.Arbitrary<unknown>),
    ),
  )
  return fc.array(member, { maxLength: 4 }).map((members) => Object.fromEntries(members))
}

const schema = schemaOf(2)

const inputSchema = fc
  .tuple(
    schema,
    // Handshake revisions describe properties by objects, at the root.
    fc.record(
      {
        $schema: fc.constantFrom(
          'https://json-schema.org/draft/2020-12/schema',
          'http://json-schema.org/draft-07/schema#',
        ),
        $id: fc.constant('https://x.example/input'),
        $defs: object(schema),
        properties: object(schema),
        required: fc.array(name, { maxLength: 2 }),
      },
      { requiredKeys: [] },
    ),
  )
  .map(([{ properties: _, ...inner }, root]) => ({ ...inner, ...root, type: 'object' }))

const about = {
  title: fc.string(),
  description: fc.string(),
  icons: fc.constant([{ src: 'data:image/png;base64,AA==', sizes: ['48x48'], theme: 'dark' }]),
  _meta: object(json),
}
const hints = { readOnlyHint: fc.boolean(), destructiveHint: fc.boolean(), title: fc.string(), 'x-own': json }

const tool = fc
  .tuple(
    inputSchema,
    fc.record({ ...about, annotations: fc.record(hints, { requiredKeys: [] }), 'x-own': json }, { requiredKeys: [] }),
  )
  .map(([input, rest]) => ({ name: 'tool', inputSchema: input, ...rest }))

test('what tools take, and what is said about them, passes untouched between every two revisions', async () => {
  await fc.assert(
    fc.asyncProperty(tool, fc.constantFrom(...PAIRS), async (given, [server, client]) => {
      const [seen] = await pass('tools', [given], server, client)
      expect(JSON.stringify(seen)).toBe(JSON.stringify({ ...given, name: 'up__tool' }))
    }),
    { numRuns: 1_000 },
  )
})

const annotations = fc.record(
  {
    audience: fc.uniqueArray(fc.constantFrom('user', 'assistant')),
    priority: fc.double({ min: 0, max: 1, noNaN: true }),
    lastModified: fc.constant('2026-01-01T00:00:00Z'),
    'x-own': json,
  },
  { requiredKeys: [] },
)

test('what is said about resources, templates and prompts passes untouched between every two revisions', async () => {
  const addressed = { ...about, mimeType: fc.string(), annotations, 'x-own': json }
  const rows = fc.oneof(
    fc.tuple(
      fc.constant<Kind>('resources'),
      fc
        .record({ ...addressed, size: fc.nat() }, { requiredKeys: [] })
        .map((rest) => ({ uri: 'a://b', name: 'b', ...rest })),
    ),
    fc.tuple(
      fc.constant<Kind>('templates'),
      fc.record(addressed, { requiredKeys: [] }).map((rest) => ({ uriTemplate: 'a://{b}', name: 'b', ...rest })),
    ),
    fc.tuple(
      fc.constant<Kind>('prompts'),
      fc.record({ ...about, 'x-own': json }, { requiredKeys: [] }).map((rest) => ({
        name: 'ask',
        arguments: [{ name: 'x', title: 'X', required: true, 'x-own': 1 }],
        ...rest,
      })),
    ),
  )
  await fc.assert(
    fc.asyncProperty(rows, fc.constantFrom(...PAIRS), async ([kind, given], [server, client]) => {
      const [seen] = await pass(kind, [given], server, client)
      const expected = kind === 'prompts' ? { ...given, name: 'up__ask' } : given
      expect(JSON.stringify(seen)).toBe(JSON.stringify(expected))
    }),
    { numRuns: 500 },
  )
})

import { McpError, type ServerCapabilities } from '@crosspoint/mcp'
import { expect, test } from 'vitest'
import type { ViewConfig } from '../config/model.ts'
import { buildCatalog, type Source } from './catalog.ts'
import type { Offer } from './offer.ts'
import { createLens, toChangedKinds } from './view.ts'

interface Offered {
  readonly tools?: readonly string[]
  readonly prompts?: readonly string[]
  readonly resources?: readonly string[]
  readonly capabilities?: ServerCapabilities
  readonly instructions?: string
  readonly told?: Offer['told']
}

function sourceOf(name: string, offered: Offered | undefined): Source {
  const destination = { name, handle: () => Promise.reject(new McpError('internal.error', name)) }
  if (offered === undefined) return { destination, offer: undefined, offersTool: () => true }
  const { tools = [], prompts = [], resources = [], capabilities = {}, instructions, told = [] } = offered
  return {
    destination,
    offer: {
      tools: tools.map((tool) => ({ name: tool, description: `${name} ${tool}`, inputSchema: { type: 'object' } })),
      prompts: prompts.map((prompt) => ({ name: prompt })),
      resources: resources.map((uri) => ({ uri, name: uri })),
      templates: [],
      skills: [],
      capabilities,
      instructions,
      told,
    },
    offersTool: (tool) => tool !== 'hidden',
  }
}

const catalogOf = (servers: Readonly<Record<string, Offered | undefined>>) =>
  buildCatalog(Object.entries(servers).map(([name, offered]) => sourceOf(name, offered)))

const viewOf = (more: Partial<ViewConfig>): ViewConfig => ({
  name: 'v',
  tools: {},
  prompts: {},
  resources: {},
  rename: new Map(),
  describe: new Map(),
  ...more,
})

const all = createLens(undefined, 1000)
const toolsOf = (view: ReturnType<typeof all>) => [...view.entries.tools.keys()]

test('shows everything in the order of the configuration, without what a server is told to keep to itself', () => {
  const view = all(catalogOf({ b: { tools: ['y', 'hidden', 'x'] }, a: { tools: ['z'] } }))
  expect(toolsOf(view)).toEqual(['b__y', 'b__x', 'a__z'])
  expect(view.pages.tools.page(undefined).tools).toEqual([
    { name: 'b__y', description: 'b y', inputSchema: { type: 'object' } },
    { name: 'b__x', description: 'b x', inputSchema: { type: 'object' } },
    { name: 'a__z', description: 'a z', inputSchema: { type: 'object' } },
  ])
})

test('a list whose changes every server tells may be kept by its caller; of any other nobody knows how long it holds', () => {
  const offered = { tools: ['t'], prompts: ['p'], capabilities: { tools: {}, prompts: {} } }
  const hintsOf = (view: ReturnType<typeof all>, kind: 'tools' | 'prompts' | 'resources') => {
    const { ttlMs, cacheScope } = view.pages[kind].page(undefined)
    return [ttlMs, cacheScope]
  }
  const view = all(catalogOf({ a: { ...offered, told: ['tools', 'prompts'] }, b: { ...offered, told: ['tools'] } }))
  expect(hintsOf(view, 'tools')).toEqual([60_000, 'private'])
  expect(hintsOf(view, 'prompts')).toEqual([undefined, undefined])
  expect(hintsOf(view, 'resources')).toEqual([60_000, 'private'])
  expect(hintsOf(all(catalogOf({ unmet: undefined })), 'tools')).toEqual([undefined, undefined])
})

test('the tools and prompts of a server go by its prefix, or by their own names where that is empty', () => {
  const offered = { tools: ['t'], prompts: ['p'], resources: ['r:1'] }
  const sources = [
    { ...sourceOf('a', offered), prefix: 'z' },
    { ...sourceOf('b', offered), prefix: '' },
    { ...sourceOf('c', offered) },
  ]
  const view = all(buildCatalog(sources))
  expect(toolsOf(view)).toEqual(['z__t', 't', 'c__t'])
  expect([...view.entries.prompts.keys()]).toEqual(['z__p', 'p', 'c__p'])
  expect([...view.entries.resources.keys()]).toEqual(['r:1', 'crosspoint:b/r:1', 'crosspoint:c/r:1'])
})

test('a view selects by server and by name', () => {
  const lens = createLens(viewOf({ servers: ['a'], tools: { include: ['*__r*'], exclude: ['a__rm'] } }), 1000)
  expect(toolsOf(lens(catalogOf({ a: { tools: ['read', 'rm', 'write'] }, b: { tools: ['read'] } })))).toEqual([
    'a__read',
  ])
})

test('a view renames and describes, and the call still finds its way', () => {
  const lens = createLens(
    viewOf({ rename: new Map([['a__read', 'look']]), describe: new Map([['a__read', 'Looks']]) }),
    1000,
  )
  const view = lens(catalogOf({ a: { tools: ['read'] } }))
  expect(view.pages.tools.page(undefined).tools).toEqual([
    { name: 'look', description: 'Looks', inputSchema: { type: 'object' } },
  ])
  expect(view.entries.tools.get('look')).toMatchObject({ native: 'read' })
})

test('a given name wins over one that came by itself, which is still there under another', () => {
  const lens = createLens(viewOf({ rename: new Map([['a__x', 'b__y']]) }), 1000)
  const view = lens(catalogOf({ a: { tools: ['x'] }, b: { tools: ['y'] } }))
  expect(toolsOf(view)).toEqual(['b__y', 'b__y_2'])
  expect(view.entries.tools.get('b__y')).toMatchObject({ native: 'x' })
  expect(view.displaced).toEqual(['b__y'])
})

test('two names may be swapped', () => {
  const lens = createLens(
    viewOf({
      rename: new Map([
        ['a__x', 'a__y'],
        ['a__y', 'a__x'],
      ]),
    }),
    1000,
  )
  const view = lens(catalogOf({ a: { tools: ['x', 'y'] } }))
  expect(view.entries.tools.get('a__y')).toMatchObject({ native: 'x' })
  expect(view.entries.tools.get('a__x')).toMatchObject({ native: 'y' })
})

test.each([
  ['no server', {}],
  ['a server it has not met', { late: undefined }],
  ['a server with tools only', { a: { capabilities: { tools: {} } } }],
])('announces every list and that it may change, with %s: older clients ask only once', (_, servers) => {
  const view = all(catalogOf(servers))
  expect(view.discover.capabilities).toEqual({
    tools: { listChanged: true },
    resources: { listChanged: true },
    prompts: { listChanged: true },
  })
  expect(view.methods.has('tools/call')).toBe(true)
  expect(view.methods.has('completion/complete')).toBe(false)
  expect(view.pages.tools.page(undefined)).toMatchObject({ tools: [] })
  expect(view.pages.prompts.page(undefined)).toMatchObject({ prompts: [] })
  expect(view.pages.resources.page(undefined)).toMatchObject({ resources: [] })
  expect(view.pages.templates.page(undefined)).toMatchObject({ resourceTemplates: [] })
})

test('announces subscriptions, completions and logging where a server really has them', () => {
  const view = all(
    catalogOf({
      a: { capabilities: { tools: {}, logging: {} } },
      b: { capabilities: { resources: { subscribe: true }, completions: {} } },
    }),
  )
  expect(view.discover.capabilities).toMatchObject({
    resources: { subscribe: true, listChanged: true },
    completions: {},
    logging: {},
  })
})

test('instructions stand under the name of their server, each cut on its own', () => {
  const view = all(catalogOf({ a: { instructions: 'Be kind.' }, b: { instructions: 'x'.repeat(100_000) }, c: {} }))
  const { instructions = '' } = view.discover
  expect(instructions).toMatch(/^## a\nTools and prompts of this server are named `a__…` here.\n\nBe kind.\n\n## b\n/)
  expect(instructions.length).toBeLessThan(9_000)
  expect(instructions).not.toContain('## c')
})

test('only a list that a caller would see differently counts as changed', () => {
  const source = sourceOf('a', { tools: ['read', 'write'], prompts: ['p'] })
  const lens = createLens(viewOf({ tools: { exclude: ['a__write'] } }), 1000)
  const before = lens(buildCatalog([source]))
  const offer = source.offer
  if (offer === undefined) throw new Error('The source has an offer')
  const changed = {
    ...offer,
    tools: offer.tools.map((tool) => (tool.name === 'write' ? { ...tool, title: 'W' } : tool)),
  }
  expect(toChangedKinds(before, lens(buildCatalog([{ ...source, offer: changed }])))).toEqual([])
  expect(toChangedKinds(before, lens(buildCatalog([{ ...source, offer: { ...offer, prompts: [] } }])))).toEqual([
    'prompts',
  ])
  expect(toChangedKinds(before, all(buildCatalog([source])))).toEqual(['tools'])
})

test('the page of a tool leads to its server, where another server keeps the URI', () => {
  const ui = { visibility: ['model'], csp: { connectDomains: ['https://x.example'] }, domain: 'a.example' }
  const source = (name: string): Source => {
    const plain = sourceOf(name, { resources: ['ui://page'] })
    const show = { name: 'show', inputSchema: {}, _meta: { ui: { resourceUri: 'ui://page', ...ui }, mine: 1 } }
    const both = { name: 'both', inputSchema: {}, _meta: { ...show._meta, 'ui/resourceUri': 'ui://page' } }
    const old = { name: 'old', inputSchema: {}, _meta: { 'ui/resourceUri': 'ui://page', ui: 7 } }
    return plain.offer === undefined ? plain : { ...plain, offer: { ...plain.offer, tools: [show, both, old] } }
  }
  const view = all(buildCatalog([source('a'), source('b')]))
  const { tools } = view.pages.tools.page(undefined)
  const metas = (tools as readonly { readonly _meta: unknown }[]).map(({ _meta }) => _meta)
  const of = (resourceUri: string) => [
    { ui: { resourceUri, ...ui }, mine: 1 },
    { ui: { resourceUri, ...ui }, mine: 1, 'ui/resourceUri': resourceUri },
    { 'ui/resourceUri': resourceUri, ui: 7 },
  ]
  expect(metas).toEqual([...of('ui://page'), ...of('crosspoint:b/ui://page')])
})

test('pages that come with tools are announced exactly where a server has them', () => {
  const UI = 'io.modelcontextprotocol/ui'
  const withUi = (settings: unknown) => ({ capabilities: { extensions: { [UI]: settings, 'other.example/x': {} } } })
  const extensionsOf = (servers: Parameters<typeof catalogOf>[0]) =>
    all(catalogOf(servers)).discover.capabilities.extensions
  expect(extensionsOf({ a: {}, b: undefined })).toBeUndefined()
  expect(extensionsOf({ a: withUi({}), b: {} })).toEqual({ [UI]: {} })
  expect(extensionsOf({ a: withUi(true), b: withUi(null) })).toBeUndefined()
  const [one, two] = ['text/html;profile=mcp-app', 'text/html']
  expect(extensionsOf({ a: withUi({ mimeTypes: [one], x: 1 }), b: withUi({ mimeTypes: [two, one, 7] }) })).toEqual({
    [UI]: { mimeTypes: [one, two], x: 1 },
  })
})

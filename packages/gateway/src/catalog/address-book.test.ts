import fc from 'fast-check'
import { expect, test } from 'vitest'
import { createAddressBook } from './address-book.ts'
import { fromQualifiedUri, toQualifiedUri } from './addresses.ts'
import { buildCatalog, type Catalog, type Source } from './catalog.ts'

interface Offered {
  readonly resources?: readonly string[]
  readonly templates?: readonly string[]
  readonly skills?: readonly string[]
}

function sourceOf(name: string, { resources = [], templates = [], skills = [] }: Offered): Source {
  return {
    destination: { name, handle: () => Promise.reject(new Error(name)) },
    offer: {
      tools: [],
      prompts: [],
      resources: resources.map((uri) => ({ uri, name: uri })),
      templates: templates.map((uriTemplate) => ({ uriTemplate, name: uriTemplate })),
      skills: skills.map((uri) => ({ uri })),
      capabilities: { resources: {} },
      instructions: undefined,
      told: [],
    },
    offersTool: () => true,
  }
}

const catalogOf = (servers: Readonly<Record<string, Offered>>) =>
  buildCatalog(Object.entries(servers).map(([name, offered]) => sourceOf(name, offered)))

function bookOf(catalog: Catalog) {
  const { sources } = catalog
  const book = createAddressBook(sources, catalog, () => true)
  return {
    find(uri: string) {
      const found = book.find(uri)
      return found === undefined ? undefined : `${found.source.destination.name} ${found.native}`
    },
    toPublic(server: string, native: string) {
      const source = sources.find(({ destination }) => destination.name === server)
      return source === undefined ? undefined : book.toPublic(source.destination, native)
    },
  }
}

test('a URI only one server offers passes through', () => {
  const { resources } = catalogOf({ a: { resources: ['x://1'] }, b: { resources: ['x://2'] } })
  expect(resources.map(({ name }) => name)).toEqual(['x://1', 'x://2'])
})

test('the first server in the configuration keeps a URI, the next is reached by its name', () => {
  const { resources } = catalogOf({ a: { resources: ['x://1'] }, b: { resources: ['x://1'] } })
  expect(resources.map(({ name }) => name)).toEqual(['x://1', 'crosspoint:b/x://1'])
})

test('templates that may overlap are kept apart the same way', () => {
  const { templates } = catalogOf({
    a: { templates: ['file:///{+path}', 'file:///a/{x}'] },
    b: { templates: ['file:///b/{x}', 'other://{x}'] },
    c: { templates: ['{+any}'] },
  })
  expect(templates.map(({ name }) => name)).toEqual([
    'file:///{+path}',
    'file:///a/{x}',
    'crosspoint:b/file:///b/{x}',
    'other://{x}',
    'crosspoint:c/{+any}',
  ])
})

test('a URI that looks qualified is qualified again, so that a gateway behind a gateway can be reached', () => {
  const catalog = catalogOf({ inner: { resources: ['crosspoint:b/x://1'] }, b: { resources: ['x://1'] } })
  const [entry] = catalog.resources
  expect(entry?.name).toBe('crosspoint:inner/crosspoint:b/x://1')
  expect(bookOf(catalog).find('crosspoint:inner/crosspoint:b/x://1')).toBe('inner crosspoint:b/x://1')
  expect(bookOf(catalog).find('crosspoint:b/x://1')).toBe('b x://1')
})

test('any URI of any server can be reached by the name of the server', () => {
  const book = bookOf(catalogOf({ a: { resources: ['x://1'] }, b: {} }))
  expect(book.find('crosspoint:b/never://listed?q#f')).toBe('b never://listed?q#f')
  expect(book.find('crosspoint:nobody/x://1')).toBeUndefined()
})

test('a URI nobody lists goes to the template it fits, the longest beginning first', () => {
  const book = bookOf(catalogOf({ a: { templates: ['x://a/{y}'] }, b: { templates: ['x://b/{y}', 'z:{y}'] } }))
  expect(book.find('x://a/1')).toBe('a x://a/1')
  expect(book.find('x://b/1')).toBe('b x://b/1')
  expect(book.find('z:1')).toBe('b z:1')
})

test('then to the only server of that scheme and authority, then of that scheme', () => {
  const book = bookOf(catalogOf({ a: { resources: ['demo://one/1', 'memo:1'] }, b: { resources: ['demo://two/1'] } }))
  expect(book.find('demo://one/other')).toBe('a demo://one/other')
  expect(book.find('DEMO://two/other')).toBe('b DEMO://two/other')
  expect(book.find('memo:2')).toBe('a memo:2')
  expect(book.find('demo://three/1')).toBeUndefined()
})

test('then to the only server that has resources, and is never tried around', () => {
  expect(bookOf(catalogOf({ a: {} })).find('q://1')).toBe('a q://1')
  expect(bookOf(catalogOf({ a: {}, b: {} })).find('q://1')).toBeUndefined()
})

test('all in the folder of a skill is its server’s, the innermost first', () => {
  const a = { skills: ['skill://one/SKILL.md'] }
  const b = { skills: ['skill://one/SKILL.md', 'skill://one/two/SKILL.md'] }
  const catalog = catalogOf({ a, b })
  const names = ['skill://one/SKILL.md', 'crosspoint:b/skill://one/SKILL.md', 'skill://one/two/SKILL.md']
  expect(catalog.skills.map(({ name }) => name)).toEqual(names)
  const book = bookOf(catalog)
  expect(book.find('skill://one/x.md')).toBe('a skill://one/x.md')
  expect(book.find('skill://one')).toBe('a skill://one')
  expect(book.find('skill://one/two/x.md')).toBe('b skill://one/two/x.md')
  expect(book.toPublic('b', 'skill://one/x.md')).toBe('crosspoint:b/skill://one/x.md')
  expect(book.toPublic('a', 'skill://one/x.md')).toBe('skill://one/x.md')
})

test('what leads elsewhere from here is qualified on its way out, the rest stays', () => {
  const book = bookOf(catalogOf({ a: { resources: ['x://1'] }, b: { resources: ['x://1', 'y://1'] } }))
  expect(book.toPublic('a', 'x://1')).toBe('x://1')
  expect(book.toPublic('b', 'x://1')).toBe('crosspoint:b/x://1')
  expect(book.toPublic('b', 'y://unlisted')).toBe('y://unlisted')
  expect(book.toPublic('b', 'u://unknown')).toBe('crosspoint:b/u://unknown')
  expect(book.toPublic('b', 'https://example.org/page')).toBe('https://example.org/page')
})

test('a view shows only what it selects, however the URI is written', () => {
  const catalog = catalogOf({ a: { resources: ['x://1', 'x://2'] } })
  const book = createAddressBook(catalog.sources, catalog, (uri) => uri !== 'x://2')
  expect(book.find('x://1')?.native).toBe('x://1')
  expect(book.find('x://2')).toBeUndefined()
  expect(book.find('crosspoint:a/x://2')).toBeUndefined()
})

test('qualifying is undone exactly, for any URI', () => {
  fc.assert(
    fc.property(fc.stringMatching(/^[A-Za-z0-9_-]{1,32}$/), fc.string(), (server, native) => {
      expect(fromQualifiedUri(toQualifiedUri(server, native))).toEqual({ server, native })
    }),
  )
})

test('what comes out leads back to where it came from, whatever servers offer', () => {
  const uris = [
    'x://1',
    'x://2',
    'y://1',
    'z:1',
    'crosspoint:a/x://1',
    'https://h/1',
    'q://unlisted',
    'x://s/a',
    'x://s',
  ]
  const files = ['x://s/SKILL.md', 'x://s/t/SKILL.md', 'crosspoint:a/x://s/SKILL.md', 'SKILL.md']
  const uri = fc.constantFrom(...uris, ...files)
  const template = fc.constantFrom('x://{a}', 'y://{a}', '{+all}', 'z:{a}')
  const offered = fc.record({
    resources: fc.uniqueArray(uri),
    templates: fc.uniqueArray(template),
    skills: fc.uniqueArray(fc.constantFrom(...files)),
  })
  fc.assert(
    fc.property(offered, offered, offered, uri, (a, b, c, native) => {
      const book = bookOf(catalogOf({ a, b, c }))
      for (const server of ['a', 'b', 'c']) {
        const outward = book.toPublic(server, native)
        if (outward === native && native.startsWith('https:') && book.find(native) === undefined) continue
        expect(book.find(outward ?? '')).toBe(`${server} ${native}`)
      }
    }),
  )
})

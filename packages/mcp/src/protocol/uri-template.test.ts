import fc from 'fast-check'
import { expect, test } from 'vitest'
import { parseUriTemplate } from './uri-template.ts'

const examples: readonly [template: string, uri: string, variables: Record<string, string>][] = [
  ['test://static', 'test://static', {}],
  ['test://template/{id}/data', 'test://template/42/data', { id: '42' }],
  ['user://{email}', 'user://ann%40example.com', { email: 'ann@example.com' }],
  ['file:///{+path}', 'file:///a/b%20c.txt', { path: 'a/b c.txt' }],
  ['x://{+dir}/{name}', 'x://a/b/c', { dir: 'a/b', name: 'c' }],
  ['x://{a,b}', 'x://1,2', { a: '1', b: '2' }],
  ['x:{/a,b}', 'x:/1/2', { a: '1', b: '2' }],
  ['x:a{.ext}', 'x:a.txt', { ext: 'txt' }],
  ['x:a{;v}', 'x:a;v=1', { v: '1' }],
  ['x:a{#part}', 'x:a#top', { part: 'top' }],
  ['x:find{?q,page}', 'x:find?q=a%26b&page=2', { q: 'a&b', page: '2' }],
  ['x:find{?q,page}', 'x:find', {}],
  ['x:find?fixed=1{&q}', 'x:find?fixed=1&q=z', { q: 'z' }],
]

test.each(examples)('"%s" matches "%s" and makes it again', (template, uri, variables) => {
  const parsed = parseUriTemplate(template)
  expect(parsed.match(uri)).toEqual(variables)
  expect(parsed.expand(variables)).toBe(uri)
})

test('a query matches in any order and ignores members the template does not name', () => {
  expect(parseUriTemplate('x:find{?q,page}').match('x:find?other=1&page=2&q=z')).toEqual({ q: 'z', page: '2' })
})

test('an exploded path variable spans segments', () => {
  expect(parseUriTemplate('x:{/path*}').match('x:/a/b/c')).toEqual({ path: 'a/b/c' })
})

test.each([
  ['test://template/{id}/data', 'test://template/a/b/data'],
  ['test://template/{id}/data', 'test://template//data'],
  ['test://template/{id}/data', 'test://template/1/data/'],
  ['test://template/{id}/data', 'test://template/%zz/data'],
  ['x:find{?q}', 'x:found?q=1'],
  ['x:{a}', 'x:1?b=2'],
  ['x:{a,b}', 'x:1'],
])('"%s" does not match "%s"', (template, uri) => {
  expect(parseUriTemplate(template).match(uri)).toBeUndefined()
})

test.each(['{a', 'a}', '{}', '{a:3}', '{!a}', '{a b}'])('refuses the template "%s"', (template) => {
  expect(() => parseUriTemplate(template)).toThrow('Cannot read the URI template')
})

test('names each variable once, in order', () => {
  expect(parseUriTemplate('x://{b}/{a}{?b,c}').variables).toEqual(['b', 'a', 'c'])
})

test('a variable called __proto__ is only a variable', () => {
  const values = parseUriTemplate('x:{__proto__}').match('x:1')
  expect(Object.keys(values ?? {})).toEqual(['__proto__'])
})

test('whatever a template is expanded with, it matches again with the same variables', () => {
  const word = fc.string({ unit: 'grapheme', minLength: 1 })
  fc.assert(
    fc.property(word, word, (a, b) => {
      const parsed = parseUriTemplate('x://h/{a}/rest{?b}')
      expect(parsed.match(parsed.expand({ a, b }))).toEqual({ a, b })
    }),
  )
})

test('a hostile template and URI take linear time', () => {
  const parsed = parseUriTemplate(`x:${'{+a}a'.repeat(64)}b`)
  const started = performance.now()
  expect(parsed.match(`x:${'a'.repeat(8000)}`)).toBeUndefined()
  expect(parsed.match(`x:${'a'.repeat(8000)}b`)).toBeDefined()
  expect(performance.now() - started).toBeLessThan(2000)
})

test('abuse-38: a template of more than 64 variables is not read', () => {
  expect(() => parseUriTemplate('{a}'.repeat(65))).toThrow('more than 64 variables')
  expect(() => parseUriTemplate(`{${Array.from({ length: 65 }, (_, i) => `a${i}`).join(',')}}`)).toThrow('64 variables')
})

test('a URI longer than 8,192 characters matches nothing', () => {
  expect(parseUriTemplate('x:{+a}').match(`x:${'a'.repeat(9000)}`)).toBeUndefined()
})

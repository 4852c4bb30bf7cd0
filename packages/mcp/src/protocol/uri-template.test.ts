import fc from 'fast-check'
import { describe, expect, expectTypeOf, it, test } from 'vitest'
import { toParts } from './uri-template/expression.ts'
import { matchSteps } from './uri-template/match.ts'
import { toSteps } from './uri-template/steps.ts'
import type { UriValue, UriVariables, UriVariablesOf } from './uri-template/variables.ts'
import { parseUriTemplate } from './uri-template.ts'

const examples: readonly [template: string, uri: string, variables: UriVariables][] = [
  ['test://static', 'test://static', {}],
  ['test://template/{id}/data', 'test://template/42/data', { id: '42' }],
  ['user://{email}', 'user://ann%40example.com', { email: 'ann@example.com' }],
  ['file:///{+path}', 'file:///a/b%20c.txt', { path: 'a/b c.txt' }],
  ['x://{+dir}/{name}', 'x://a/b/c', { dir: 'a/b', name: 'c' }],
  ['x://{a,b}', 'x://1,2', { a: '1', b: '2' }],
  ['x:{/a,b}', 'x:/1/2', { a: '1', b: '2' }],
  ['x:a{.ext}', 'x:a.txt', { ext: 'txt' }],
  ['x:a{.ext}', 'x:a.tar.gz', { ext: 'tar.gz' }],
  ['x:a{;v}', 'x:a;v=1', { v: '1' }],
  ['x:a{;v,w}', 'x:a;v;w=2', { v: '', w: '2' }],
  ['x:a{;v}', 'x:a', {}],
  ['x:a{#part}', 'x:a#top', { part: 'top' }],
  ['x:find{?q,page}', 'x:find?q=a%26b&page=2', { q: 'a&b', page: '2' }],
  ['x:find{?q,page}', 'x:find', {}],
  ['x:find?fixed=1{&q}', 'x:find?fixed=1&q=z', { q: 'z' }],
  ['x:find{?a}{&b}', 'x:find?a=1&b=2', { a: '1', b: '2' }],
  ['x:find{?a}{&b}', 'x:find&b=2', { b: '2' }],
  ['x:{a}{b}', 'x:%C3%A9%C3%A8', { a: 'é', b: 'è' }],
  ['file:///{+path}{?line}', 'file:///a/b?line=3', { path: 'a/b', line: '3' }],
  // Exploded.
  ['x:{/path*}', 'x:/a/b/c', { path: ['a', 'b', 'c'] }],
  ['x:{/path*}', 'x:/a%2Fb', { path: ['a/b'] }],
  ['x:{/path*}{?q}', 'x:/a/b?q=1', { path: ['a', 'b'], q: '1' }],
  ['x:{a}{/path*}', 'x:1/2/3', { a: '1', path: ['2', '3'] }],
  ['x:{/path*}/end', 'x:/a/b/end', { path: ['a', 'b'] }],
  ['x:{ids*}', 'x:1,2%2C3', { ids: ['1', '2,3'] }],
  ['x:{+dirs*}', 'x:a/b,c', { dirs: ['a/b', 'c'] }],
  ['x:a{.labels*}', 'x:a.b.c', { labels: ['b', 'c'] }],
  ['x:a{;v*}', 'x:a;v=1;v=2', { v: ['1', '2'] }],
  ['x:a{;v*}', 'x:a;k=1;l', { v: { k: '1', l: '' } }],
  ['a://t/{id}{?q,r*}', 'a://t/1?r=2&r=3', { id: '1', r: ['2', '3'] }],
  ['a://t/{id}{?q,r*}', 'a://t/1?q=0&r=2', { id: '1', q: '0', r: ['2'] }],
  ['a://t/{id}{?q,r*}', 'a://t/1?q=0&s=2', { id: '1', q: '0', r: { s: '2' } }],
  ['x:find{?q*}', 'x:find?a=1&b=2', { q: { a: '1', b: '2' } }],
  ['x:find{?q*}', 'x:find?q=1', { q: ['1'] }],
  ['x:find{?q*}', 'x:find', {}],
  ['x:find{?q*}', 'x:find?%26=%3D', { q: { '&': '=' } }],
  // Prefixes.
  ['x:{a:3}', 'x:abc', { a: 'abc' }],
  ['x:{a:3}', 'x:%C3%A9%C3%A9%C3%A9', { a: 'ééé' }],
  ['x:{/a:1,a}', 'x:/v/value', { a: 'value' }],
  ['x:{/a:1}/{a:3}', 'x:/v/val', { a: 'val' }],
  ['x:{a:3}{b}', 'x:abcd', { a: 'abc', b: 'd' }],
  ['x:{a:3}{b}', 'x:abcdef', { a: 'abc', b: 'def' }],
  ['x:find{?q:2}', 'x:find?q=ab', { q: 'ab' }],
  ['x:find{?q:1,q}', 'x:find?q=a&q=abc', { q: 'abc' }],
  // Repeats.
  ['x:{a}/{a}', 'x:1/1', { a: '1' }],
  ['x:{a}{?a}', 'x:1?a=1', { a: '1' }],
]

test.each(examples)('"%s" matches "%s" and makes it again', (template, uri, variables) => {
  const parsed = parseUriTemplate(template)
  expect(parsed.match(uri)).toEqual(variables)
  expect(parsed.expand(variables)).toBe(uri)
})

describe('as RFC 6570 has it, it makes', () => {
  const values = {
    count: ['one', 'two', 'three'],
    dom: ['example', 'com'],
    dub: 'me/too',
    hello: 'Hello World!',
    half: '50%',
    var: 'value',
    who: 'fred',
    base: 'http://example.com/home/',
    path: '/foo/bar',
    list: ['red', 'green', 'blue'],
    keys: { semi: ';', dot: '.', comma: ',' },
    v: '6',
    x: '1024',
    y: '768',
    empty: '',
    empty_keys: {},
    undef: undefined,
  }
  it.each([
    ['{count}', 'one,two,three'],
    ['{count*}', 'one,two,three'],
    ['{/count}', '/one,two,three'],
    ['{/count*}', '/one/two/three'],
    ['{;count}', ';count=one,two,three'],
    ['{;count*}', ';count=one;count=two;count=three'],
    ['{?count}', '?count=one,two,three'],
    ['{?count*}', '?count=one&count=two&count=three'],
    ['{&count*}', '&count=one&count=two&count=three'],
    ['{hello}', 'Hello%20World%21'],
    ['{half}', '50%25'],
    ['O{empty}X', 'OX'],
    ['O{undef}X', 'OX'],
    ['?{x,empty}', '?1024,'],
    ['{var:3}', 'val'],
    ['{var:30}', 'value'],
    ['{keys}', 'semi,%3B,dot,.,comma,%2C'],
    ['{keys*}', 'semi=%3B,dot=.,comma=%2C'],
    ['{+half}', '50%25'],
    ['{base}index', 'http%3A%2F%2Fexample.com%2Fhome%2Findex'],
    ['{+base}index', 'http://example.com/home/index'],
    ['{+path,x}/here', '/foo/bar,1024/here'],
    ['{+path:6}/here', '/foo/b/here'],
    ['{+keys}', 'semi,;,dot,.,comma,,'],
    ['{+keys*}', 'semi=;,dot=.,comma=,'],
    ['{#path:6}here', '#/foo/bhere'],
    ['{#list*}', '#red,green,blue'],
    ['X{.empty_keys*}', 'X'],
    ['X{.empty_keys}', 'X'],
    ['www{.dom*}', 'www.example.com'],
    ['X{.keys*}', 'X.semi=%3B.dot=..comma=%2C'],
    ['{/var:1,var}', '/v/value'],
    ['{/list*,path:4}', '/red/green/blue/%2Ffoo'],
    ['{/keys*}', '/semi=%3B/dot=./comma=%2C'],
    ['{;v,empty,who}', ';v=6;empty;who=fred'],
    ['{;hello:5}', ';hello=Hello'],
    ['{;keys}', ';keys=semi,%3B,dot,.,comma,%2C'],
    ['{;keys*}', ';semi=%3B;dot=.;comma=%2C'],
    ['{?x,y,empty}', '?x=1024&y=768&empty='],
    ['{?x,y,undef}', '?x=1024&y=768'],
    ['{?var:3}', '?var=val'],
    ['{?keys*}', '?semi=%3B&dot=.&comma=%2C'],
    ['{&var:3}', '&var=val'],
    ['é {who}', '%C3%A9%20fred'],
  ])('of "%s" "%s"', (template, uri) => {
    expect(parseUriTemplate(template).expand(values)).toBe(uri)
  })
})

test('a query matches in any order and ignores members the template does not name', () => {
  expect(parseUriTemplate('x:find{?q,page}').match('x:find?other=1&page=2&q=z')).toEqual({ q: 'z', page: '2' })
  expect(parseUriTemplate('x:find{?q}').match('x:find?%zz=%zz&q=z&')).toEqual({ q: 'z' })
})

test('text that has to be encoded in a URI matches as it is and encoded', () => {
  for (const uri of ['x://café/a%20b', 'x://caf%C3%A9/a b']) {
    expect(parseUriTemplate('x://café/{id}').match(uri)).toEqual({ id: 'a b' })
  }
  expect(parseUriTemplate('x:{id}').match('x:\ud800')).toBeUndefined()
})

test.each([
  ['test://template/{id}/data', 'test://template/a/b/data'],
  ['test://template/{id}/data', 'test://template//data'],
  ['test://template/{id}/data', 'test://template/1/data/'],
  ['test://template/{id}/data', 'test://template/%zz/data'],
  ['x:find{?q}', 'x:found?q=1'],
  ['x:find{?q}', 'x:find?q=%zz'],
  ['x:{a}', 'x:1?b=2'],
  ['x:{a,b}', 'x:1'],
  ['x:{a}{b}', 'x:%41'],
  ['x:{ids*}', 'x:1/2'],
  ['x:{/path*}', 'x:'],
  // Two values of one variable.
  ['x:{a}/{a}', 'x:1/2'],
  ['x:{a}{?a}', 'x:1?a=2'],
  ['x:find{?q}', 'x:find?q=1&q=2'],
  ['x:find{?q*}', 'x:find?a=1&a=2'],
  ['x:{a}{?a*}', 'x:1?a=1'],
  // More than the prefix.
  ['x:{a:3}', 'x:abcd'],
  ['x:{a:1}', 'x:%C3%A9%C3%A9'],
  ['x:find{?q:2}', 'x:find?q=abc'],
  ['x:{a:1}/{a}', 'x:b/abc'],
  ['x:{a:2}/{a}', 'x:a/abc'],
])('"%s" does not match "%s"', (template, uri) => {
  expect(parseUriTemplate(template).match(uri)).toBeUndefined()
})

test.each(['{a', 'a}', '{}', '{a:0}', '{a:12345}', '{a:3*}', '{a*:3}', '{!a}', '{a b}', '{a..b}', '\ud800'])(
  'refuses the template "%s"',
  (template) => {
    expect(() => parseUriTemplate(template)).toThrow('Cannot read the URI template')
  },
)

test('names each variable once, in order', () => {
  expect(parseUriTemplate('x://{b}/{a}{?b,c}').variables).toEqual(['b', 'a', 'c'])
})

test('a variable called __proto__ is only a variable, and so is a name in a map', () => {
  expect(Object.keys(parseUriTemplate('x:{__proto__}').match('x:1') ?? {})).toEqual(['__proto__'])
  const { q } = parseUriTemplate('x:a{?q*}').match('x:a?__proto__=1') ?? {}
  expect(Object.entries(q ?? {})).toEqual([['__proto__', '1']])
})

const word = fc.string({ unit: 'grapheme', minLength: 1, maxLength: 8 })
const list = fc.array(word, { minLength: 1, maxLength: 4 })
const map = fc
  .array(fc.tuple(word, word), { minLength: 1, maxLength: 4 })
  .map((pairs) => pairs.map(([key, value]) => [`k${key}`, value] as const))
  .map((pairs): Record<string, string> => Object.fromEntries(pairs))
/** What stays as it is must not look like what comes after it. */
const plain = fc.stringMatching(/^[a-z0-9/:é ]{1,8}$/)

/** Pieces of templates, with the values that matching can give back: none alike, each in any place. */
const pieces: readonly fc.Arbitrary<{ text: string; values: Record<string, UriValue> }>[] = [
  word.map((a) => ({ text: '/{a}', values: { a } })),
  fc.tuple(word, word).map(([b, c]) => ({ text: '/{b}-/{c}', values: { b, c } })),
  fc.tuple(word, word).map(([d, e]) => ({ text: '/{d,e}', values: { d, e } })),
  list.map((f) => ({ text: '/{f*}', values: { f } })),
  word.map((g) => ({ text: '/{g}/{g:2}/{g}', values: { g } })),
  fc.tuple(list, word).map(([h, i]) => ({ text: '/l{.i}/m{/h*}/_', values: { h, i } })),
  fc.tuple(word, word).map(([j, k]) => ({ text: '/n{;j,k}', values: { j, k } })),
  list.map((l) => ({ text: '/o{;l*}', values: { l } })),
  fc.string({ unit: 'grapheme', minLength: 1, maxLength: 3 }).map((m) => {
    const value = [...m].slice(0, 3).join('')
    return { text: '/{m:3}', values: { m: value } }
  }),
]
const queries: readonly fc.Arbitrary<{ text: string; values: Record<string, UriValue> }>[] = [
  fc.constant({ text: '', values: {} }),
  fc.tuple(word, fc.string({ unit: 'grapheme' })).map(([q, r]) => ({ text: '{?q}{&r,s}', values: { q, r } })),
  fc.tuple(list, word).map(([q, r]) => ({ text: '{?q*,r}', values: { q, r } })),
  fc.tuple(map, word).map(([q, r]) => ({ text: '{?r,q*}', values: { q, r } })),
  fc.tuple(list, map).map(([q, r]) => ({ text: '?x=1{&q*,r*}', values: { q, r } })),
  plain.map((q) => ({ text: '/p{#q}', values: { q } })),
  plain.map((q) => ({ text: '/p/{+q}', values: { q } })),
  fc.tuple(plain, word).map(([q, r]) => ({ text: '/p/{+q}{?r}', values: { q, r } })),
]

test('whatever a template is expanded with, it matches again with the same variables', () => {
  const template = fc
    .tuple(fc.shuffledSubarray([...pieces]), fc.constantFrom(...queries))
    .chain(([some, query]) => fc.tuple(...some, query))
  fc.assert(
    fc.property(template, (parts) => {
      const parsed = parseUriTemplate(`x://h${parts.map(({ text }) => text).join('')}`)
      const values = Object.assign({}, ...parts.map((part) => part.values))
      expect(parsed.match(parsed.expand(values))).toEqual(values)
    }),
    { numRuns: 1_000 },
  )
})

test('whatever a URI is, matching it does not throw', () => {
  const piece = fc.constantFrom(
    '{a}',
    '{+b}',
    '{/c*}',
    '{?d*}',
    '{&e:2}',
    '{;f}',
    '{.g}',
    '{#h}',
    '{a:1}',
    '/',
    'x',
    '%4',
  )
  const letter = fc.constantFrom('a', '/', '?', '&', ';', '=', '#', '.', ',', '%', '41', '%C3', '%A9', 'é', '\ud800')
  const text = (one: fc.Arbitrary<string>) => fc.array(one, { maxLength: 12 }).map((some) => some.join(''))
  fc.assert(
    fc.property(text(piece), text(letter), (template, uri) => {
      const found = parseUriTemplate(template).match(uri)
      for (const value of Object.values(found ?? {})) expect(value).not.toBeUndefined()
    }),
    { numRuns: 2_000 },
  )
})

describe('abuse-38: a hostile template and URI', () => {
  /** Characters looked at for each of the URI. */
  const workOf = (template: string, uri: string) => {
    const work = { characters: 0 }
    matchSteps(toSteps(toParts(template)), uri, work)
    return work.characters
  }

  it.each([
    ['x:{+a}', '{+a}a', 'a'],
    ['x:', '{a}', 'a'],
    ['x:', '{+a*}', ','],
    ['x:', '{a:9}', '%41'],
    ['x:', '{+a}{?q*}', '?q=1&'],
    ['x:', `{+a}${'a'.repeat(25)}b`, 'a'],
  ])('cost a few looks at each character for each variable: %s%s on %s…', (before, piece, letters) => {
    const template = before + piece.repeat(Math.floor(60 / piece.split('{').length))
    for (const size of [1_000, 2_000, 4_000, 8_000]) {
      const uri = `x:${letters.repeat(size / letters.length)}`
      expect(workOf(template, uri)).toBeLessThan(uri.length * 400)
      expect(workOf(template, uri)).toBeLessThan(workOf(template, uri.slice(0, size / 2)) * 2.2)
    }
  })

  it('of more than 64 variables is not read', () => {
    expect(() => parseUriTemplate('{a}'.repeat(65))).toThrow('more than 64 variables')
    const names = Array.from({ length: 65 }, (_, i) => `a${i}`).join(',')
    expect(() => parseUriTemplate(`{${names}}`)).toThrow('64 variables')
  })

  it('of more than 8,192 characters, as they are sent, matches nothing', () => {
    expect(parseUriTemplate('x:{+a}').match(`x:${'a'.repeat(9000)}`)).toBeUndefined()
    expect(parseUriTemplate('x:{+a}').match(`x:${'é'.repeat(3000)}`)).toBeUndefined()
    expect(parseUriTemplate('x:{+a}').match(`x:${'a'.repeat(8000)}`)).toBeDefined()
  })
})

test('the types of variables are those of the template', () => {
  type Pairs = readonly string[] | Readonly<Record<string, string>> | undefined
  expectTypeOf<UriVariablesOf<'x:static'>>().toEqualTypeOf<Record<never, never>>()
  expectTypeOf<UriVariablesOf<'x:{id}/{+path}{.ext:3}'>>().toEqualTypeOf<{
    readonly id: string
    readonly path: string
    readonly ext: string
  }>()
  expectTypeOf<UriVariablesOf<'x:{/path*}{?q,r*}{#part}'>>().toEqualTypeOf<{
    readonly path: readonly string[]
    readonly part: string
    readonly q?: string | undefined
    readonly r?: Pairs
  }>()
  expectTypeOf<UriVariablesOf<'x:{id}{?id}'>['id']>().toEqualTypeOf<string>()
  expectTypeOf<UriVariablesOf<string>>().toEqualTypeOf<UriVariables>()
})

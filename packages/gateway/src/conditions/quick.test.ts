import fc from 'fast-check'
import { expect, test } from 'vitest'
import { beginConditions, parseCondition } from './condition.ts'
import { type Facts, PrincipalFacts, PromptFacts, ResourceFacts, ToolFacts } from './facts.ts'

const word = fc.constantFrom('', 'a', 'ab', 'abc', 'b', 'files__ab', '__proto__', 'é"\\')
const annotations = fc.record(
  { destructiveHint: fc.boolean(), readOnlyHint: fc.boolean(), title: word },
  { requiredKeys: [], noNullPrototype: true },
)
const facts: fc.Arbitrary<Facts> = fc
  .record({
    words: fc.array(word, { minLength: 8, maxLength: 8 }),
    annotations,
    parts: fc.array(fc.boolean(), { minLength: 6, maxLength: 6 }),
  })
  .map(({ words: [a = '', b = '', c = '', d = '', e = '', f = '', g = '', h = ''], annotations, parts }) => ({
    ...(parts[0] && {
      principal: new PrincipalFacts({ id: a, tenant: b, scopes: [c], attributes: { roles: [d, e] } }),
    }),
    ...(parts[1] && { tool: new ToolFacts(a, { name: f, title: g, annotations }) }),
    ...(parts[2] && { server: c }),
    ...(parts[3] && { view: h }),
    ...(parts[4] && { prompt: new PromptFacts(b, {}) }),
    ...(parts[5] && { resource: new ResourceFacts(b, { mimeType: e, annotations }) }),
  }))

const text = fc.oneof(
  fc
    .tuple(
      fc.constantFrom(
        'tool.name',
        'tool.native',
        'tool.title',
        'server',
        'view',
        'principal.id',
        'principal.tenant',
        'prompt.name',
        'resource.uri',
      ),
      fc.constantFrom(
        'V == X',
        'X == V',
        'V != X',
        'V.startsWith(X)',
        'V.endsWith(X)',
        'V.contains(X)',
        '!(V == X)',
        '!V.startsWith(X)',
      ),
      word,
    )
    .map(([known, shape, value]) => shape.replace('V', known).replace('X', JSON.stringify(value))),
  fc
    .tuple(fc.constantFrom('principal.roles', 'principal.scopes'), fc.constantFrom('X in V', '!(X in V)'), word)
    .map(([known, shape, value]) => shape.replace('V', known).replace('X', JSON.stringify(value))),
  fc.constantFrom(
    'tool.annotations.destructiveHint',
    '!tool.annotations.readOnlyHint',
    'tool.annotations.destructiveHint || tool.annotations.readOnlyHint',
    'has(tool.annotations.title) ? tool.annotations.title == "a" : false',
    'tool.annotations.title == "a"',
    'tool.annotations.readOnlyHint || server == "a"',
    'tool.annotations.readOnlyHint || view == "a"',
    'resource.annotations.title == "b"',
    'tool.annotations.destructiveHint || tool.name == "a"',
  ),
)

test('what is told quickly is what the language tells, of anything, in any order', () => {
  fc.assert(
    fc.property(fc.array(fc.tuple(text, facts), { minLength: 1, maxLength: 12 }), (asked) => {
      for (const [condition, told] of asked) {
        beginConditions(told)
        const [quick] = parseCondition(condition).parts
        // A shape of its own, which nothing is quick at.
        const [slow] = parseCondition(`(${condition}) == (1 == 1)`).parts
        expect(quick?.test(told), condition).toBe(slow?.test(told))
      }
    }),
    { numRuns: 400 },
  )
})

import type { Principal } from '@crosspoint/mcp'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { buildCatalog } from '../catalog/catalog.ts'
import { createLens } from '../catalog/view.ts'
import { parseConfig } from '../config/parse.ts'
import { Policy } from './policy.ts'
import { judge, type Verdict } from './verdict.ts'

const NAMES = ['a', 'b', 'c', 'd']

function toView(names: readonly string[] = NAMES) {
  const sources = ['one', 'two'].map((name) => ({
    destination: { name, handle: () => Promise.reject(new Error('Not called')) },
    offer: {
      tools: names.map((tool) => ({ name: tool, inputSchema: {}, annotations: { readOnlyHint: tool < 'c' } })),
      prompts: [],
      resources: [{ uri: `${name}://x`, name: 'x' }],
      templates: [],
      skills: [],
      capabilities: { tools: {}, resources: {} },
      instructions: undefined,
      told: [],
    },
    offersTool: () => true,
  }))
  return createLens(undefined, 1_000)(buildCatalog(sources))
}

function toPolicy(policy: object, more: object = {}): Policy {
  const servers = { one: { command: 'one' }, two: { command: 'two' } }
  return new Policy(
    parseConfig(JSON.stringify({ servers, policy, ...more }), { path: 'crosspoint.json' }).config.policy,
  )
}

const patterns = fc.constantFrom('one__*', 'two__*', '*__a', 'one__b', '*', 'two__c')
const conditions = fc.constantFrom(
  'principal.id == "x"',
  '"dev" in principal.roles',
  'principal.claims.level > 2',
  'tool.annotations.readOnlyHint',
  'server == principal.tenant',
  'tool.name.endsWith(principal.id)',
  'arguments.n > 3',
  'arguments.n < 5 && "dev" in principal.roles',
  'principal.claims.missing == 1 && tool.annotations.readOnlyHint',
)
const rules = fc.array(
  fc.record(
    {
      effect: fc.constantFrom('allow', 'deny'),
      tools: fc.array(patterns, { minLength: 1, maxLength: 2 }),
      servers: fc.constantFrom(['one'], ['*']),
      when: conditions,
    },
    { requiredKeys: ['effect'] },
  ),
  { maxLength: 6 },
)
const principals: fc.Arbitrary<Principal> = fc.record(
  {
    id: fc.constantFrom('x', 'a', 'y'),
    tenant: fc.constantFrom('one', 'other'),
    scopes: fc.subarray(['r', 'w']),
    attributes: fc.record({
      roles: fc.subarray(['dev', 'ops']),
      claims: fc.constantFrom({}, { level: 1 }, { level: 3 }),
    }),
  },
  { requiredKeys: ['id', 'tenant'] },
)

test('what is listed is what is not refused before there is a call, for all rules, callers and tools', () => {
  const base = toView()
  const scopes = { r: { tools: ['*__a', 'one__*'] }, w: { tools: ['two__*'] } }
  fc.assert(
    fc.property(rules, principals, fc.constantFrom('allow', 'deny'), fc.boolean(), (some, who, effect, hasScopes) => {
      const named = some.map((rule, at) => ({ ...rule, name: `r${at}` }))
      const policy = toPolicy(
        { default: effect, rules: named },
        hasScopes ? { scopes, roles: { ops: { scopes: ['w'] } } } : {},
      )
      const { facts, permit } = policy.forView(undefined).callerOf(who)
      const grant = permit.at(base)
      const listed = (grant.view.pages.tools.page(undefined).tools as { name: string }[]).map(({ name }) => name)
      for (const name of base.entries.tools.keys()) {
        const verdict = grant.named('tools', name) as Verdict // every tool of the view has one
        expect(grant.view.entries.tools.has(name)).toBe(verdict.shown)
        expect(listed.includes(name)).toBe(verdict.shown)
        const outcomes = [{}, { n: 1 }, { n: 4 }, { n: 9 }, { n: 'x' }].map((args) => {
          const { waiting, decision } = verdict
          if (waiting === undefined) return decision.effect
          return judge(decision, waiting, { principal: facts, arguments: args }).decision.effect
        })
        // What nobody could call whatever the arguments is hidden, unless it takes the call to know.
        if (!verdict.shown) expect(new Set(outcomes)).toEqual(new Set(['deny']))
        if (verdict.shown && verdict.waiting === undefined) expect(new Set(outcomes)).toEqual(new Set(['allow']))
      }
    }),
    { numRuns: 300 },
  )
})

test('callers who may the same share one decision, and those who may not do not', () => {
  const base = toView()
  const policy = toPolicy({ rules: [{ name: 'r', effect: 'deny', tools: ['one__a'], when: 'principal.id == "x"' }] })
  const permitOf = (id: string, tenant = 't') => policy.forView(undefined).callerOf({ id, tenant }).permit
  expect(permitOf('a')).toBe(permitOf('b', 'other'))
  expect(permitOf('a')).not.toBe(permitOf('x'))
  expect(permitOf('a').at(base).view).toBe(permitOf('b').at(base).view)
  const { facts } = policy.forView(undefined).callerOf({ id: 'b', tenant: 'other' })
  expect(facts).toMatchObject({ id: 'b', tenant: 'other' })
})

test('who asks about caller and thing together is decided for each caller', () => {
  const policy = toPolicy({
    default: 'deny',
    rules: [{ name: 'own', effect: 'allow', when: 'tool.name.endsWith("__" + principal.id)' }],
  })
  const listOf = (id: string) => {
    const { permit } = policy.forView(undefined).callerOf({ id, tenant: 't' })
    return [...permit.at(toView()).view.entries.tools.keys()]
  }
  expect(listOf('a')).toEqual(['one__a', 'two__a'])
  expect(listOf('b')).toEqual(['one__b', 'two__b'])
})

test('with 5,000 rules a call asks only those that wait for it', () => {
  const names = Array.from({ length: 200 }, (_, at) => `tool${at}`)
  const base = toView(names)
  const many = Array.from({ length: 5_000 }, (_, at) => ({
    name: `r${at}`,
    effect: at % 2 === 0 ? 'deny' : 'allow',
    tools: [at % 5 === 0 ? `one__tool${at % 200}*` : `two__tool${at % 200}`],
    when: [
      'principal.id == "nobody"',
      `arguments.n == ${at}`,
      'tool.annotations.readOnlyHint && "none" in principal.roles',
      'principal.tenant == "none" && arguments.path.startsWith("/etc")',
    ][at % 4],
  }))
  const policy = toPolicy({ rules: many })
  const { facts, permit } = policy.forView(undefined).callerOf({ id: 'x', tenant: 't' })
  const grant = permit.at(base)
  const waiting = [...base.entries.tools.keys()].map((name) => {
    const verdict = grant.named('tools', name)
    return (verdict?.waiting?.denies.length ?? 0) + (verdict?.waiting?.allows.length ?? 0)
  })
  expect(waiting.reduce((sum, count) => sum + count, 0)).toBe(0) // allow rules change nothing where the default allows
  expect(grant.named('tools', 'one__tool1')?.decision.effect).toBe('allow')
  expect(policy.forView(undefined).callerOf({ id: 'x', tenant: 't' }).facts).toBe(facts)
})

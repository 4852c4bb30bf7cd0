import { expect, test } from 'vitest'
import { beginConditions, ConditionFault, parseCondition } from './condition.ts'
import { type Facts, PrincipalFacts, ToolFacts } from './facts.ts'

const principal = new PrincipalFacts({
  id: 'alice',
  tenant: 'acme',
  scopes: ['read:file'],
  attributes: { roles: ['dev'], claims: { level: 3, email: 'alice@acme.example' } },
})
const tool = new ToolFacts('files__delete', { name: 'delete', annotations: { title: 'Delete' } })

function ask(text: string, facts: Facts = {}) {
  const all = { principal, tool, view: '', server: 'files', method: 'tools/call', ...facts }
  beginConditions(all)
  return parseCondition(text).parts.map((part) => part.test(all))
}

test.each([
  'principal.id == "alice" && principal.tenant == "acme"',
  '"dev" in principal.roles',
  'principal.claims.level >= 3',
  'principal.claims.email.endsWith("@acme.example")',
  'tool.annotations.destructiveHint && !tool.annotations.readOnlyHint',
  'arguments.amount > 100 && arguments.amount <= 500',
  'arguments.paths.all(path, path.startsWith("/home/" + principal.id + "/"))',
  'has(arguments.amount) && !has(arguments.other)',
  'arguments.note.matches("^[a-z]+$")',
  'now >= timestamp("2026-01-01T00:00:00Z") && now.getHours() < 20',
  '(arguments.amount + 1.0) == 151.0',
])('is true of what it says: %s', (text) => {
  const facts = {
    arguments: { amount: 150, paths: ['/home/alice/a', '/home/alice/b'], note: 'abc' },
    now: new Date('2026-11-21T12:00:00Z'),
  }
  expect(ask(text, facts)).toEqual(ask(text, facts).map(() => true))
})

test('falls into parts at the top, each with what it reads', () => {
  const { parts, reads } = parseCondition(
    '(principal.id == "a" || tool.name == "b") && arguments.x == 1 && (now.getHours() > 8 && view == "v")',
  )
  expect(parts.map((part) => [...part.reads])).toEqual([['principal', 'tool'], ['arguments'], ['now'], ['view']])
  expect([...reads].sort()).toEqual(['arguments', 'now', 'principal', 'tool', 'view'])
})

test('fails, and is neither true nor false, where something is missing or of another type', () => {
  expect(ask('arguments.nope == 1', { arguments: {} })).toEqual(['failed'])
  expect(ask('arguments.x.startsWith("a")', { arguments: { x: 1 } })).toEqual(['failed'])
  expect(ask('arguments.x', { arguments: { x: 'yes' } })).toEqual(['failed'])
  expect(ask('arguments.x == 1')).toEqual(['failed'])
})

test('members that other languages keep for themselves are only members', () => {
  const given = JSON.parse('{"__proto__": {"admin": true}, "constructor": {"name": "x"}}') as Facts['arguments'] &
    object
  expect(ask('arguments.admin', { arguments: given })).toEqual(['failed'])
  expect(ask('arguments.toString == 1', { arguments: {} })).toEqual(['failed'])
  expect(ask('arguments.constructor.constructor == 1', { arguments: {} })).toEqual(['failed'])
})

test.each([
  ['principal.tennant == "a"', 'there is no such field; known are principal.{id, tenant', 11],
  ['user.id == "a"', 'known here are principal, view, server, tool', 1],
  ['principal.id == 5', 'these types cannot be put together so', 1],
  ['(arguments.amount + 1.0) == 151', 'these types cannot be put together so', 2],
  ['principal.id', 'it gives string, not true or false', 0],
  ['principal.id ==', 'this is no expression', 16],
  ['principal.id.shout()', 'there is no such function for these types', 1],
  ['arguments.x.matches(arguments.y)', 'the pattern of matches() must be a text', 1],
  ['arguments.x.matches("(a")', 'the pattern of matches() cannot be used', 21],
  ['_look(arguments.x)', 'there is no function "_look"', 1],
])('says what is wrong with %s, and where', (text, message, position) => {
  expect(faultOf(text)).toMatchObject({ message: expect.stringContaining(message) as string, position })
})

test('takes no more than can be asked with every call', () => {
  expect(faultOf(`${'true && '.repeat(600)}true`).message).toContain('it has more than 4096 characters')
  expect(faultOf(`[${'1,'.repeat(600)}1].size() > 1`).message).toContain('it is too large')
})

function faultOf(text: string): ConditionFault {
  try {
    parseCondition(text)
  } catch (error) {
    if (error instanceof ConditionFault) return error
    throw error
  }
  throw new Error('Nothing is wrong with it')
}

test('abuse-34: a pattern takes linear time, whatever it is', () => {
  const condition = parseCondition('arguments.x.matches("(a+)+$")')
  const facts = { arguments: { x: `${'a'.repeat(50_000)}!` } }
  beginConditions(facts)
  expect(condition.parts[0]?.test(facts)).toBe(false)
})

test('a list that is too long to be looked through fails the condition, and so do lists in lists', () => {
  const items = Array.from({ length: 1_000 }, (_, at) => at)
  expect(ask('arguments.items.all(a, a >= 0)', { arguments: { items } })).toEqual([true])
  expect(ask('arguments.items.all(a, arguments.items.exists(b, a == b))', { arguments: { items } })).toEqual(['failed'])
  const texts = Array.from({ length: 10_000 }, () => 'x'.repeat(100))
  expect(ask('arguments.texts.exists(a, a == "y")', { arguments: { texts } })).toEqual(['failed'])
  expect(ask('arguments.texts.size() > 3', { arguments: { texts } })).toEqual([true])
})

test('what looks through lists is counted by looks, for all conditions of one call together', () => {
  const facts = { arguments: { items: Array.from({ length: 3_000 }, (_, at) => at) } }
  const parts = parseCondition('arguments.items.all(a, a >= 0) && arguments.items.all(a, a < 9000)').parts
  beginConditions(facts)
  const outcomes = Array.from({ length: 4 }, () => parts.map((part) => part.test(facts)))
  expect(outcomes.flat()).toContain(true)
  expect(outcomes.at(-1)).toEqual(['failed', 'failed'])
})

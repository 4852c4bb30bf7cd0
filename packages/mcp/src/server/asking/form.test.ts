import { describe, expect, it } from 'vitest'
import { z } from 'zod'
import type { JsonObject } from '../../jsonrpc/frame.ts'
import { toForm } from './form.ts'

const plain = (field: JsonObject, required: readonly string[] = ['f']) => ({
  type: 'object',
  properties: { f: field },
  required,
})
const fieldOf = (field: JsonObject) => (toForm(plain(field)).requestedSchema.properties as JsonObject).f

describe('toForm', () => {
  it('takes what a form can show of a schema, and leaves the rest to the check', () => {
    const schema = z.object({
      name: z.string().min(1).max(50).describe('Your name'),
      email: z.email(),
      age: z.int().min(18).optional(),
      ratio: z.number().default(0.5),
      sure: z.boolean(),
      plan: z.enum(['free', 'paid']).default('free'),
      exact: z.literal('yes'),
      tags: z.array(z.enum(['a', 'b'])).max(2),
    })
    expect(toForm(schema).requestedSchema).toEqual({
      type: 'object',
      properties: {
        name: { type: 'string', description: 'Your name', minLength: 1, maxLength: 50 },
        email: { type: 'string', format: 'email' },
        age: { type: 'integer', minimum: 18 },
        ratio: { type: 'number', default: 0.5 },
        sure: { type: 'boolean' },
        plan: { type: 'string', enum: ['free', 'paid'], default: 'free' },
        exact: { type: 'string', enum: ['yes'] },
        tags: { type: 'array', items: { type: 'string', enum: ['a', 'b'] }, maxItems: 2 },
      },
      required: ['name', 'email', 'sure', 'exact', 'tags'],
    })
  })

  it.each([
    [{ type: 'string', enum: ['a'], enumNames: ['A'] }],
    [{ type: 'string', oneOf: [{ const: 'a', title: 'A' }] }],
    [{ type: 'array', items: { type: 'string', enum: ['a'] } }],
    [{ type: 'array', items: { anyOf: [{ const: 'a', title: 'A' }] } }],
  ])('keeps choices as they are written: %j', (field) => {
    expect(fieldOf(field)).toEqual(field)
  })

  it.each([
    ['an object', { type: 'object' }],
    ['a list of anything', { type: 'array', items: { type: 'string' } }],
    ['numbers to choose from', { enum: [1, 2] }],
    ['no type', {}],
    ['several types', { type: ['string', 'null'] }],
    ['a union of types', { anyOf: [{ type: 'string' }, { type: 'number' }] }],
  ])('refuses %s, by the name of the field', (_title, field) => {
    expect(() => toForm(plain(field))).toThrow(/"f".*a form has/)
  })

  it.each(['password', 'newPassword', 'api_key', 'API-Key', 'clientSecret', 'access_token', 'card number', 'CVV'])(
    'trap-38, abuse-46: does not ask for a secret called "%s"',
    (name) => {
      const schema = { type: 'object', properties: { user: { type: 'string' }, [name]: { type: 'string' } } }
      expect(() => toForm(schema)).toThrow(`Cannot ask for "${name}" by a form`)
    },
  )

  it('trap-38: nor for what its schema says is one, and for anything else', () => {
    for (const more of [{ format: 'password' }, { writeOnly: true }]) {
      expect(() => toForm(plain({ type: 'string', ...more }))).toThrow('with elicitUrl')
    }
    const names = ['token', 'secretary', 'passwordPolicy', 'card', 'key', 'secretSanta', 'maxTokens']
    const properties = Object.fromEntries(names.map((name) => [name, { type: 'string' }]))
    expect(Object.keys(toForm({ type: 'object', properties }).requestedSchema.properties as object)).toEqual(names)
  })

  it('refuses what is no object', () => {
    expect(() => toForm({ type: 'string' })).toThrow('"type": "object"')
    expect(() => toForm(z.string())).toThrow('"type": "object"')
  })

  it.each([
    [{ type: 'string' }, 'x', 5],
    [{ type: 'string', minLength: 2 }, '👍👍', '👍'],
    [{ type: 'string', maxLength: 1 }, '👍', 'ab'],
    [{ type: 'string', format: 'email' }, 'a@b', 'a'],
    [{ type: 'string', format: 'uri' }, 'app:x', 'no uri'],
    [{ type: 'string', format: 'date' }, '2026-02-01', '2026-13-01'],
    [{ type: 'string', format: 'date-time' }, '2026-02-01T10:00:00Z', '2026-02-01'],
    [{ type: 'string', enum: ['a'] }, 'a', 'b'],
    [{ type: 'string', oneOf: [{ const: 'a', title: 'A' }] }, 'a', 'A'],
    [{ type: 'number', minimum: 1 }, 1.5, 0.5],
    [{ type: 'integer', maximum: 3 }, 3, 4],
    [{ type: 'integer' }, 3, 3.5],
    [{ type: 'boolean' }, false, 'false'],
    [{ type: 'array', items: { type: 'string', enum: ['a', 'b'] } }, ['a', 'b'], ['a', 'c']],
    [{ type: 'array', items: { anyOf: [{ const: 'a', title: 'A' }] } }, [], ['a', 'a']],
    [{ type: 'array', minItems: 1, items: { type: 'string', enum: ['a'] } }, ['a'], []],
    [{ type: 'array', maxItems: 0, items: { type: 'string', enum: ['a'] } }, [], 'a'],
  ])('%j takes %j and not %j', async (field, good, bad) => {
    const { parse } = toForm(plain(field))
    expect(await parse({ f: good })).toEqual({ f: good })
    await expect(parse({ f: bad })).rejects.toMatchObject({
      code: 'caller.invalid_params',
      message: expect.stringContaining('"f"'),
    })
  })

  it('asks for what is required and lets the rest be', async () => {
    await expect(toForm(plain({ type: 'string' })).parse({})).rejects.toMatchObject({ code: 'caller.invalid_params' })
    expect(await toForm(plain({ type: 'string' }, [])).parse({ f: null })).toEqual({})
    expect(() => toForm(plain({ type: 'string' }, ['toString']))).not.toThrow()
  })

  it('gives what the schema makes of an answer, and holds it to what no form can say', async () => {
    const schema = z.object({ n: z.string().transform(Number) })
    const parsing = toForm(schema, { type: 'object', properties: { n: { type: 'string' } } })
    expect(await parsing.parse({ n: '5' })).toEqual({ n: 5 })
    const picky = toForm(z.object({ n: z.string().refine((text) => text.startsWith('x'), 'must start with x') }))
    await expect(picky.parse({ n: 'y' })).rejects.toMatchObject({
      message: expect.stringContaining('must start with x'),
    })
  })
})

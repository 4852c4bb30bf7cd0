import { describe, expectTypeOf, it } from 'vitest'
import { z } from 'zod'
import type { JsonObject } from '../jsonrpc/frame.ts'
import type { Principal } from '../protocol/call.ts'
import type { UriVariables } from '../protocol/uri-template/variables.ts'
import { type Context, createServer, type Registration, type ToolDefinition, type ToolHandler } from './index.ts'

/** What authors see while they write; nothing of it has to run. */
const server = createServer({ name: 's', version: '1' })

describe('the types of a server', () => {
  it('take the arguments of a tool from its schema', () => {
    const input = z.object({ city: z.string(), days: z.number().default(1), units: z.enum(['c', 'f']).optional() })
    const tool = server.tool('typed', { input }, (args, context) => {
      expectTypeOf(args).toEqualTypeOf<{ city: string; days: number; units?: 'c' | 'f' | undefined }>()
      expectTypeOf(context).toEqualTypeOf<Context>()
      expectTypeOf(context.principal).toEqualTypeOf<Principal>()
      return args.city
    })
    expectTypeOf(tool).toEqualTypeOf<Registration<ToolDefinition<typeof input>, ToolHandler<typeof input>>>()
    // @ts-expect-error: a city is no number
    server.tool('wrong', { input }, ({ city }) => city.toFixed())
  })

  it('leave arguments open where the schema is plain, or missing', () => {
    server.tool('plain', { input: { type: 'object' } }, (args) => {
      expectTypeOf(args).toEqualTypeOf<JsonObject>()
    })
    server.tool('none', {}, (args) => {
      expectTypeOf(args).toEqualTypeOf<JsonObject>()
    })
  })

  it('know which arguments of a prompt are there', () => {
    server.prompt('p', { arguments: { a: { required: true }, b: {} } }, (values) => {
      expectTypeOf(values.a).toBeString()
      expectTypeOf(values.b).toEqualTypeOf<string | undefined>()
      return values.a
    })
    // @ts-expect-error: neither a handler nor a template
    expectTypeOf(() => server.prompt('q', {})).toBeFunction()
    server.prompt('r', { template: '{{a}}' }).update({ template: '{{b}}' })
  })

  it('take the variables of a template from what it is', () => {
    server.template('a://t/{id}{/path*}{?q,r*}', { name: 't' }, (_uri, { id, path, q, r }) => {
      expectTypeOf(id).toBeString()
      expectTypeOf(path).toEqualTypeOf<readonly string[]>()
      expectTypeOf(q).toEqualTypeOf<string | undefined>()
      expectTypeOf(r).toEqualTypeOf<readonly string[] | Readonly<Record<string, string>> | undefined>()
      return id
    })
    // @ts-expect-error: there is no such variable
    server.template('a://u/{id}', { name: 'u', version: (_uri, { ids }) => ({ etag: ids }) }, () => '')
    const registration = server.template('a://v/{id}', { name: 'v' }, (_uri, { id }) => id)
    registration.update({}, (_uri, { id }) => id.toUpperCase())
    server.template('a://w/{id}' as string, { name: 'w' }, (_uri, variables) => {
      expectTypeOf(variables).toEqualTypeOf<UriVariables>()
      return ''
    })
  })

  it('take rules that answer at once', () => {
    server.access((principal, { kind, key }) => principal.id === key && kind === 'tool')
    // @ts-expect-error: nobody waits for a rule
    expectTypeOf(() => server.access(async () => true)).toBeFunction()
  })

  it('take handlers that were written elsewhere', () => {
    const handler: ToolHandler = (args, { signal }) => `${Object.keys(args).length} ${signal.aborted}`
    server.tool('elsewhere', {}, handler)
  })
})

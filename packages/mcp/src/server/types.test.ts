import { describe, expectTypeOf, it } from 'vitest'
import { z } from 'zod'
import type { JsonObject } from '../jsonrpc/frame.ts'
import type { Principal } from '../protocol/call.ts'
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

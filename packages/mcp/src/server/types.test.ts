import { describe, expectTypeOf, it } from 'vitest'
import { z } from 'zod'
import type { JsonObject } from '../jsonrpc/frame.ts'
import type { Principal } from '../protocol/call.ts'
import type { UriVariables } from '../protocol/uri-template/variables.ts'
import {
  type Context,
  createServer,
  type Registration,
  type ToolDefinition,
  type ToolHandler,
  type ToolOutput,
  type ToolReturn,
} from './index.ts'

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

  it('hold what a tool returns against its output', () => {
    const output = z.object({ a: z.number(), b: z.string().default('') })
    server.tool('value', { output }, () => ({ a: 1 }))
    server.tool('later', { output, input: z.object({ n: z.number() }) }, async ({ n }) => ({
      a: n,
      b: 'b',
      more: true,
    }))
    server.tool('full', { output }, () => ({ content: [{ type: 'text', text: 'x' }], structuredContent: { a: 1 } }))
    server.tool('failed', { output }, ({ a }) => {
      if (a === 1) return { content: [{ type: 'text', text: 'No' }], isError: true }
      if (a === 2) throw new Error('No')
      return { a: 1 }
    })
    server.tool('asks', { output }, () => ({ resultType: 'input_required' as const, requestState: 's' }))
    server.tool('works-on', { output, task: { start: 'by-handler' } }, (_, { task }) => task(() => ({ a: 1 })))
    server.tool('list', { output: z.array(z.string()) }, () => ['a'])
    server.tool('untyped', { output: { type: 'object' } }, () => ({ anything: 1 }))
    const wrong = () => {
      // @ts-expect-error: text is no number
      server.tool('t', { output }, () => ({ a: 'x' }))
      // @ts-expect-error: text is no number, however late it comes
      server.tool('t', { output }, async () => ({ a: 'x' }))
      // @ts-expect-error: nothing is no output
      server.tool('t', { output }, () => {})
      // @ts-expect-error: text would be structured content, which is an object
      server.tool('t', { output }, () => 'x')
      // @ts-expect-error: content alone says nothing of the value
      server.tool('t', { output: z.array(z.string()) }, () => [{ type: 'text', text: 'x' }])
      const registered = server.tool('t', { output }, () => ({ a: 1 }))
      // @ts-expect-error: nor may a later handler
      registered.update({}, () => ({ a: 'x' }))
    }
    expectTypeOf(wrong).toBeFunction()
    expectTypeOf<ToolOutput>().toExtend<ToolReturn<JsonObject>>()
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

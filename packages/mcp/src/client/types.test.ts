import { describe, expectTypeOf, it } from 'vitest'
import type { JsonObject } from '../jsonrpc/frame.ts'
import type { Result } from '../protocol/call.ts'
import type { GetPromptResult } from '../protocol/features/prompts.ts'
import type { ListToolsResult } from '../protocol/features/tools.ts'
import type { Client, ToolResult } from './client.ts'

/** What callers see while they write; nothing of it has to run. */
declare const client: Client

interface Place {
  readonly city: string
  readonly days?: number
}

describe('the types of a client', () => {
  it('take arguments of any object type', () => {
    const call = (place: Place) => client.callTool<Place>('forecast', place)
    expectTypeOf(call).returns.resolves.toEqualTypeOf<ToolResult<Place>>()
    expectTypeOf(() => client.startTask('forecast', { city: 'Rome' } satisfies Place)).toBeFunction()
    expectTypeOf((place: Place) => client.request('acme/forecast', place)).toBeFunction()
    expectTypeOf((args: JsonObject) => client.callTool('forecast', args)).toBeFunction()
    // @ts-expect-error: arguments have names
    expectTypeOf(() => client.callTool('forecast', 'Rome')).toBeFunction()
  })

  it('know what the methods of the protocol answer, by whichever way they are called', () => {
    expectTypeOf(() => client.request('tools/list')).returns.resolves.toEqualTypeOf<ListToolsResult>()
    expectTypeOf(() => client.request('prompts/get', { name: 'p' })).returns.resolves.toEqualTypeOf<GetPromptResult>()
    expectTypeOf(() => client.request('acme/forecast')).returns.resolves.toEqualTypeOf<Result>()
    expectTypeOf(() => client.request<Result & { sum: number }>('acme/sum')).returns.resolves.toHaveProperty('sum')
  })

  it('take strings alone for a prompt', () => {
    expectTypeOf((place: { readonly city: string }) => client.getPrompt('brief', place)).toBeFunction()
    expectTypeOf((place: Pick<Place, 'city'>) => client.getPrompt('brief', place)).toBeFunction()
    expectTypeOf((values: Readonly<Record<string, string>>) => client.getPrompt('brief', values)).toBeFunction()
    expectTypeOf(() => client.getPrompt('brief')).toBeFunction()
    // @ts-expect-error: days are no string
    expectTypeOf((place: Place) => client.getPrompt('brief', place)).toBeFunction()
  })
})

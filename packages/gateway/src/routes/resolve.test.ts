import type { Params } from '@crosspoint/mcp'
import { recordCall } from '@crosspoint/testkit'
import { expect, test } from 'vitest'
import { buildCatalog, type Source } from '../catalog/catalog.ts'
import { createLens } from '../catalog/view.ts'
import { ROUTED } from './resolve.ts'

const source = (name: string): Source => ({
  destination: { name, handle: () => Promise.reject(new Error(name)) },
  offer: {
    tools: [{ name: 'echo' }, { name: 'a__b' }],
    prompts: [{ name: 'greet' }],
    resources: [{ uri: 'x://1', name: 'one' }],
    templates: [{ uriTemplate: 'x://t/{id}', name: 't' }],
    skills: [],
    capabilities: { tools: {}, prompts: {}, resources: {}, completions: {} },
    instructions: undefined,
    told: [],
  },
  offersTool: () => true,
})
const view = createLens(undefined, 100)(buildCatalog([source('one'), source('two')]))

function resolve(method: string, params: Params) {
  const route = ROUTED.get(method)?.(params, view, recordCall(method, params).call)
  return route === undefined ? undefined : [route.destination.name, route.params]
}

test('a tool and a prompt go by table to their server, under its own name for them', () => {
  expect(resolve('tools/call', { name: 'two__echo', arguments: { a: 1 } })).toEqual([
    'two',
    { name: 'echo', arguments: { a: 1 } },
  ])
  expect(resolve('tools/call', { name: 'one__a__b' })).toEqual(['one', { name: 'a__b' }])
  expect(resolve('prompts/get', { name: 'one__greet' })).toEqual(['one', { name: 'greet' }])
})

test('an unknown name is -32602 and names the nearest', () => {
  expect(() => resolve('tools/call', { name: 'two__eco' })).toThrow(
    expect.objectContaining({
      code: 'caller.invalid_params',
      message: 'There is no tool "two__eco" here; did you mean "two__echo"?',
    }),
  )
  expect(() => resolve('prompts/get', { name: 'zzz' })).toThrow('There is no prompt "zzz" here')
  expect(() => resolve('tools/call', {})).toThrow('Cannot look for a tool without its "name"')
})

test('a resource goes to its server under its own URI', () => {
  expect(resolve('resources/read', { uri: 'x://1' })).toEqual(['one', { uri: 'x://1' }])
  expect(resolve('resources/read', { uri: 'crosspoint:two/x://1' })).toEqual(['two', { uri: 'x://1' }])
})

test('a resource that is not there is an error with its URI', () => {
  expect(() => resolve('resources/read', { uri: 'nowhere:1' })).toThrow(
    expect.objectContaining({ code: 'caller.resource_not_found', data: { uri: 'nowhere:1' } }),
  )
})

test('completion follows its reference', () => {
  const argument = { name: 'id', value: '' }
  expect(resolve('completion/complete', { ref: { type: 'ref/prompt', name: 'two__greet' }, argument })).toEqual([
    'two',
    { ref: { type: 'ref/prompt', name: 'greet' }, argument },
  ])
  const uri = 'crosspoint:two/x://t/{id}'
  expect(resolve('completion/complete', { ref: { type: 'ref/resource', uri }, argument })).toEqual([
    'two',
    { ref: { type: 'ref/resource', uri: 'x://t/{id}' }, argument },
  ])
  expect(() => resolve('completion/complete', { ref: { type: 'ref/other' }, argument })).toThrow('Cannot complete')
})

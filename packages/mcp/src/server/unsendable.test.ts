import { recordCall } from '@crosspoint/testkit'
import { expect, it } from 'vitest'
import type { EndpointEvent } from '../transports/endpoint.ts'
import { createServer } from './index.ts'
import { findUnsendable } from './unsendable.ts'

async function outcomeOf(value: unknown, definition: object = {}) {
  const events: EndpointEvent[] = []
  const server = createServer({ name: 's', version: '1', log: (event) => void events.push(event) })
  server.tool('t', definition, () => value as object)
  const result = await server.endpoint.handle(recordCall('tools/call', { name: 't', arguments: {} }).call)
  return { result, said: events.map(({ error }) => (error as Error).message) }
}

const itself: { inner?: unknown } = {}
itself.inner = { again: itself }

const base64 = 'use base64 text, as in the "data" of an image block, or [...list]'
const about = (what: string) => `Cannot send what a tool returned: ${what}`

it.each<[string, unknown, string]>([
  ['a Map', new Map([['a', 1]]), 'JSON has no Map; use Object.fromEntries(map)'],
  ['a Map inside', { x: [1, { y: new Map() }] }, 'JSON has no Map, as at .x[1].y; use Object.fromEntries(map)'],
  ['a Set', { tags: new Set(['a']) }, 'JSON has no Set, as at .tags; use [...set]'],
  ['a Promise', { later: Promise.resolve(1) }, 'JSON has no Promise, as at .later; await it'],
  ['an Error', { why: new Error('x') }, 'JSON has no Error, as at .why; throw it, or return its message'],
  ['a BigInt', { id: 7n }, 'JSON has no BigInt, as at .id; use text, or Number(…) where it is small enough'],
  ['a BigInt alone', 7n, 'JSON has no BigInt; use text, or Number(…) where it is small enough'],
  ['a function', () => 1, 'JSON has no function; call it, or leave it out'],
  ['a symbol', Symbol('x'), 'JSON has no symbol; return plain objects, lists, text and numbers'],
  [
    'search parameters',
    { q: new URLSearchParams('a=1') },
    'JSON has no URLSearchParams, as at .q; return plain objects, lists, text and numbers',
  ],
  ['bytes', new Uint8Array([1]), `JSON has no Uint8Array; ${base64}`],
  ['no bytes', new Uint8Array(), `JSON has no Uint8Array; ${base64}`],
  ['bytes inside', { file: new Uint8Array([1]) }, `JSON has no Uint8Array, as at .file; ${base64}`],
  ['bytes of Node', { file: Buffer.from('a') }, `JSON has no Uint8Array, as at .file; ${base64}`],
  ['numbers of one size', { at: new Float64Array(2) }, 'JSON has no Float64Array, as at .at; use [...list]'],
  ['itself', itself, 'it has itself in it at .inner.again'],
])('a tool that returns %s fails, and its author is told where and what would work', async (_, value, what) => {
  const { result, said } = await outcomeOf(value)
  expect(result).toEqual({ content: [{ type: 'text', text: 'The tool "t" failed' }], isError: true })
  expect(said).toEqual([about(what)])
})

it('a schema of the output does not hide it', async () => {
  const { said } = await outcomeOf(new Map(), { output: { type: 'object' } })
  expect(said).toEqual([about('JSON has no Map; use Object.fromEntries(map)')])
})

class Point {
  #inner = 1
  toJSON() {
    return { inner: this.#inner }
  }
}
class Empty {}
const shared = {}

it.each<[unknown, string]>([
  [{}, '{}'],
  [{ a: {}, b: [{}], c: Object.create(null), d: '{}' }, '{"a":{},"b":[{}],"c":{},"d":"{}"}'],
  [{ at: new Date(0), none: undefined, run() {} }, '{"at":"1970-01-01T00:00:00.000Z"}'],
  [{ point: new Point(), empty: new Empty() }, '{"point":{"inner":1},"empty":{}}'],
  [
    { by: { 0: 'a', 1: 'b' }, of: { type: 'Buffer', size: 1 } },
    '{"by":{"0":"a","1":"b"},"of":{"type":"Buffer","size":1}}',
  ],
  [{ one: shared, other: shared }, '{"one":{},"other":{}}'],
  [Object.assign(new Error('x'), { code: 7 }), '{"code":7}'],
])('what JSON has goes out as ever: %j', async (value, text) => {
  const { result, said } = await outcomeOf(value)
  expect([result.content, said]).toEqual([[{ type: 'text', text }], []])
})

it('looks at no more than a bound', () => {
  const wide = [...Array.from({ length: 20_000 }, () => ({})), new Map()]
  expect(findUnsendable(wide)).toBeUndefined()
  let deep: unknown = new Map()
  for (let depth = 0; depth < 5_000; depth++) deep = { deep }
  expect(findUnsendable(deep)).toBeUndefined()
})

import { expect, test } from 'vitest'
import { toWellFormed } from './well-formed.ts'

const schema = { type: 'object' }

test('what is well formed is returned as that very object, with members nobody knows', () => {
  const tool = {
    name: 'a',
    title: 'A',
    description: 'd',
    inputSchema: { type: 'object', properties: { x: true }, required: ['x'] },
    outputSchema: { type: 'array' },
    annotations: { readOnlyHint: true, 'x-own': 1 },
    icons: [{ src: 'data:image/png;base64,', sizes: ['any'] }],
    _meta: { 'a.b/c': null },
    'x-own': null,
  }
  expect(toWellFormed('tools', tool)?.item).toBe(tool)
})

test('optional members that are null are left out without a word', () => {
  const tool = { name: 'a', title: null, description: null, annotations: null, outputSchema: null, inputSchema: schema }
  expect(toWellFormed('tools', tool)).toEqual({ item: { name: 'a', inputSchema: schema }, lost: false })
})

test('optional members of a wrong shape are left out, and that is said', () => {
  const wrong = [
    ['tools', { name: 'a', inputSchema: schema }, 'description', { text: 'x' }],
    ['tools', { name: 'a', inputSchema: schema }, 'annotations', { readOnlyHint: 'yes' }],
    ['tools', { name: 'a', inputSchema: schema }, 'icons', [{ src: 1 }]],
    ['tools', { name: 'a', inputSchema: schema }, 'outputSchema', 'x'],
    ['prompts', { name: 'a' }, 'arguments', 'x'],
    ['prompts', { name: 'a' }, 'arguments', [{ required: true }]],
    ['resources', { uri: 'x://a', name: 'a' }, 'annotations', { priority: 7 }],
    ['resources', { uri: 'x://a', name: 'a' }, 'size', '12'],
    ['templates', { uriTemplate: 'x://{a}', name: 'a' }, '_meta', []],
  ] as const
  for (const [kind, item, member, value] of wrong) {
    expect(toWellFormed(kind, { ...item, [member]: value }), `${kind} ${member}`).toEqual({ item, lost: true })
  }
})

test('without what is required there is no item', () => {
  for (const inputSchema of [undefined, null, 5, [], {}, { type: 'string' }, { ...schema, required: 'x' }]) {
    expect(toWellFormed('tools', { name: 'a', inputSchema })).toBeUndefined()
  }
  expect(toWellFormed('resources', { uri: 'x://a' })).toBeUndefined()
  expect(toWellFormed('templates', { uriTemplate: 'x://{a}', name: 5 })).toBeUndefined()
  expect(toWellFormed('prompts', { name: null })).toBeUndefined()
})

test('abuse-20: an annotation that would cost clients the tool is taken out of it, and that is said', () => {
  const properties = { a: { type: 'number', 'x-mcp-header': 'A' }, b: { type: 'string', 'x-mcp-header': 'B' } }
  const tool = { name: 'a', inputSchema: { type: 'object', properties }, _meta: { x: 1 } }
  expect(toWellFormed('tools', tool)).toEqual({
    item: { ...tool, inputSchema: { type: 'object', properties: { ...properties, a: { type: 'number' } } } },
    lost: false,
    badHeader: '"x-mcp-header" is on a property that is not a string, an integer or a boolean',
  })
})

import { expect, test } from 'vitest'
import type { AddressBook } from '../catalog/address-book.ts'
import { toPublicUris } from './public-uris.ts'

const destination = { name: 'b', handle: () => Promise.reject(new Error('Not called')) }
const book: AddressBook = {
  find: () => undefined,
  toPublic: (_, native) => (native.startsWith('shared:') ? `crosspoint:b/${native}` : native),
}

test('links and embedded resources of a tool result lead back to its server; text is never touched', () => {
  const result = {
    content: [
      { type: 'text', text: 'see shared:1' },
      { type: 'resource_link', uri: 'shared:1', name: 'one' },
      { type: 'resource', resource: { uri: 'shared:2', text: 'shared:2' } },
    ],
    structuredContent: { uri: 'shared:1' },
  }
  expect(toPublicUris('tools/call', result, destination, book)).toEqual({
    content: [
      { type: 'text', text: 'see shared:1' },
      { type: 'resource_link', uri: 'crosspoint:b/shared:1', name: 'one' },
      { type: 'resource', resource: { uri: 'crosspoint:b/shared:2', text: 'shared:2' } },
    ],
    structuredContent: { uri: 'shared:1' },
  })
})

test('what was read and what a prompt embeds are treated alike', () => {
  expect(toPublicUris('resources/read', { contents: [{ uri: 'shared:1', text: '' }] }, destination, book)).toEqual({
    contents: [{ uri: 'crosspoint:b/shared:1', text: '' }],
  })
  const message = (uri: string) => ({ role: 'user', content: { type: 'resource', resource: { uri, text: '' } } })
  expect(toPublicUris('prompts/get', { messages: [message('shared:1')] }, destination, book)).toEqual({
    messages: [message('crosspoint:b/shared:1')],
  })
})

test('a result in which nothing changes is passed on as the very object', () => {
  const result = { content: [{ type: 'resource_link', uri: 'own:1', name: 'x' }, { type: 'text', text: 'x' }, null] }
  expect(toPublicUris('tools/call', result, destination, book)).toBe(result)
  const odd = { content: 'not a list' }
  expect(toPublicUris('tools/call', odd, destination, book)).toBe(odd)
})

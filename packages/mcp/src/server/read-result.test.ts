import { recordCall } from '@crosspoint/testkit'
import { expect, it } from 'vitest'
import { createServer } from './index.ts'

function read(output: unknown) {
  const server = createServer({ name: 's', version: '1' })
  server.resource('app://x', { name: 'x', mimeType: 'text/csv' }, () => output as string) // as plain JavaScript has it
  return server.endpoint.handle(recordCall('resources/read', { uri: 'app://x' }).call)
}

const OTHER = { uri: 'app://y', text: 'y' }

it.each([
  ['contents', { uri: undefined, text: 't' }, ['t']],
  ['a list', [{ text: 't' }, OTHER], ['t', OTHER]],
  ['a full result', { contents: [OTHER, { uri: undefined, text: 't' }] }, [OTHER, 't']],
])('contents without a uri are those of what was read: in %s', async (_, output, expected) => {
  const whole = { uri: 'app://x', mimeType: 'text/csv', text: 't' }
  expect(await read(output)).toEqual({ contents: expected.map((one) => (one === 't' ? whole : one)) })
})

const USAGE = 'return text, bytes, { text } or { blob }, or a list of these'

it.each([
  [7, `it is a number; ${USAGE}`],
  [null, `it is null; ${USAGE}`],
  [true, `it is a boolean; ${USAGE}`],
  [[7], `[0] is a number; ${USAGE}`],
  [{}, `it has neither "text" nor "blob"; ${USAGE}`],
  [{ contents: [{ mimeType: 'a/b' }] }, `contents[0] has neither "text" nor "blob"; ${USAGE}`],
  [{ contents: 'x' }, 'contents is "x", and must be a list'],
  [{ contents: [{ uri: new URL('app://x'), text: 't' }] }, 'contents[0].uri is of the type URL, and must be text'],
  [{ text: 7 }, 'it.text is a number, and must be text'],
  [{ blob: new Uint8Array(1) }, 'it.blob is of the type Uint8Array, and must be text (base64), where there is no text'],
])('says what is wrong with what a handler returned: %j', async (output, message) => {
  await expect(read(output)).rejects.toThrow(new TypeError(`Cannot send what a resource returned: ${message}`))
})

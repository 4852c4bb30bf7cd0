import { recordCall } from '@crosspoint/testkit'
import { expect, test } from 'vitest'
import { createServer, type PromptOutput, type Server, type TemplateMessage } from './index.ts'

const who = { name: 'test', version: '1.0.0' }

function get(server: Server, name: unknown, args?: unknown) {
  const params = { ...(name === undefined ? {} : { name }), ...(args === undefined ? {} : { arguments: args }) }
  return server.endpoint.handle(recordCall('prompts/get', params).call)
}

function createGreeter() {
  const server = createServer(who)
  server.prompt(
    'greet',
    {
      title: 'Greet',
      description: 'Says hello',
      arguments: { name: { description: 'Whom', required: true, complete: () => ['Ann'] }, tone: { title: 'Tone' } },
    },
    ({ name, tone }) => `Hello ${name.trim()}${tone === undefined ? '' : ` (${tone})`}`,
  )
  return server
}

test('lists a prompt with its arguments in order', async () => {
  expect(await createGreeter().endpoint.handle(recordCall('prompts/list').call)).toEqual({
    prompts: [
      {
        name: 'greet',
        title: 'Greet',
        description: 'Says hello',
        arguments: [
          { name: 'name', description: 'Whom', required: true },
          { name: 'tone', title: 'Tone' },
        ],
      },
    ],
  })
})

test('text becomes one message of the user, with the description', async () => {
  expect(await get(createGreeter(), 'greet', { name: 'Ann' })).toEqual({
    description: 'Says hello',
    messages: [{ role: 'user', content: { type: 'text', text: 'Hello Ann' } }],
  })
})

test('messages and full results are sent as they are', async () => {
  const server = createServer(who)
  const messages = [{ role: 'assistant' as const, content: { type: 'text' as const, text: 'Hi' } }]
  server.prompt('list', {}, async () => messages)
  server.prompt('full', { description: 'Not this' }, () => ({ description: 'This', messages }))
  expect(await get(server, 'list')).toEqual({ messages })
  expect(await get(server, 'full')).toEqual({ description: 'This', messages })
})

const text = (words: string) => ({ type: 'text' as const, text: words })
const image = { type: 'image' as const, data: 'AA==', mimeType: 'image/png' }
const ofUser = (content: object) => ({ role: 'user', content })

test.each<[string, PromptOutput, readonly object[]]>([
  ['a list of texts', ['a', 'b'], [ofUser(text('a')), ofUser(text('b'))]],
  ['one content block', image, [ofUser(image)]],
  ['one message', { role: 'assistant', content: text('a') }, [{ role: 'assistant', content: text('a') }]],
  [
    'a list of all there is',
    ['a', image, { role: 'assistant', content: 'b', _meta: { 'a/b': 1 } } as TemplateMessage],
    [ofUser(text('a')), ofUser(image), { role: 'assistant', content: text('b'), _meta: { 'a/b': 1 } }],
  ],
  ['a full result with texts', { messages: ['a'] }, [ofUser(text('a'))]],
  ['an empty list', [], []],
])('%s becomes messages', async (_, output, messages) => {
  const server = createServer(who)
  server.prompt('p', {}, () => output)
  expect(await get(server, 'p')).toEqual({ messages })
})

test.each<[unknown, string]>([
  [undefined, "it is missing; return text, a content block, { role: 'user', content: '…' }, or a list of these"],
  [7, 'it is a number; return text'],
  [{ title: 'x' }, 'it is no message; return text'],
  [['a', null], '[1] is null; return text'],
  [[{ role: 'system', content: 'a' }], '[0].role is "system", and must be "user" or "assistant"'],
  [[{ content: 'a' }], '[0].role is missing, and must be "user" or "assistant"'],
  [[{ role: 'user' }], '[0].content is missing, and must be a content block such as'],
  [[{ role: 'user', content: [text('a')] }], '[0].content is a list, and must be a content block such as'],
  [{ type: 'image', data: 'AA==' }, 'it.mimeType is missing, and must be text in a block of the type "image"'],
  [{ messages: 'a' }, 'messages is "a", and must be a list'],
  [{ messages: [{ role: 'user', content: { type: 'txt' } }] }, 'messages[0].content.type is "txt", and must be one of'],
])('what is no message is refused with what would work: %j', async (output, what) => {
  const server = createServer(who)
  server.prompt('p', {}, () => output as string)
  await expect(get(server, 'p')).rejects.toThrow(`Cannot send what a prompt returned: ${what}`)
})

test('a missing required argument is answered with -32602, naming it', async () => {
  await expect(get(createGreeter(), 'greet')).rejects.toMatchObject({
    code: 'caller.invalid_params',
    message: 'Cannot make the prompt "greet" without "name"',
  })
  await expect(get(createGreeter(), 'greet', { toString: 'x' })).rejects.toMatchObject({
    code: 'caller.invalid_params',
  })
})

test.each([
  [{ name: 3 }, 'not text'],
  [{ name: null }, 'not text'],
  [['Ann'], 'not an object'],
  ['Ann', 'not an object'],
])('the arguments %j are answered with -32602', async (args, why) => {
  await expect(get(createGreeter(), 'greet', args)).rejects.toMatchObject({
    code: 'caller.invalid_params',
    message: expect.stringContaining(why),
  })
})

test('arguments the prompt does not declare do not reach the handler', async () => {
  const server = createServer(who)
  server.prompt('p', { arguments: { a: {} } }, (values) => Object.keys(values).join())
  expect(await get(server, 'p', { a: '1', b: '2' })).toMatchObject({ messages: [{ content: { text: 'a' } }] })
})

test('an unknown prompt is answered with -32602, naming the nearest', async () => {
  await expect(get(createGreeter(), 'great')).rejects.toMatchObject({
    code: 'caller.invalid_params',
    message: 'No prompt named "great"; did you mean "greet"?',
  })
  await expect(get(createGreeter(), undefined)).rejects.toMatchObject({ code: 'caller.invalid_params' })
})

test('a failing prompt names the author’s reason, and nothing of a slip’s', async () => {
  const server = createServer(who)
  server.prompt('author', {}, () => {
    throw new Error('No template today')
  })
  const slip = new TypeError('x is undefined')
  server.prompt('slip', {}, () => Promise.reject(slip))
  await expect(get(server, 'author')).rejects.toMatchObject({
    code: 'internal.error',
    message: 'Cannot make the prompt "author": No template today',
  })
  await expect(get(server, 'slip')).rejects.toBe(slip)
})

test('a prompt can send progress and log messages while it is made', async () => {
  const server = createServer(who)
  server.prompt('p', {}, (_values, { progress, log }) => {
    progress(1, 2)
    log('info', 'x')
    return 'done'
  })
  const { call, heard } = recordCall('prompts/get', { name: 'p' }, { logLevel: 'info' })
  await server.endpoint.handle(call)
  expect(heard.map((notification) => notification.method)).toEqual(['notifications/progress', 'notifications/message'])
})

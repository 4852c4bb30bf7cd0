import { recordCall } from '@crosspoint/testkit'
import { expect, test } from 'vitest'
import { createServer, type Server } from './index.ts'

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

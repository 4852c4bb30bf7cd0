import { createFakeClock } from '@crosspoint/testkit'
import { expect, it } from 'vitest'
import { CALLER_LIMITS } from '../jsonrpc/limits.ts'
import { createServer, serve } from './index.ts'

const who = { name: 's', version: '1' }
const say = () => 'ok'

it.each([
  ['instruction', '; did you mean "instructions"?'],
  ['callTimeout', '; did you mean "callTimeoutMs" (in milliseconds)?'],
  ['capabilities', ''],
])('refuses the option "%s" of a server, which nobody reads', (name, hint) => {
  const message = `Cannot create a server with the option "${name}": there is none${hint}`
  expect(() => createServer({ ...who, [name]: {} })).toThrow(new TypeError(message))
})

it.each([
  [{ tasks: { maxTask: 5 } }, 'tasks.maxTask": there is none; did you mean "maxTasks"?'],
  [{ limits: { ...CALLER_LIMITS, maxByte: 5 } }, 'limits.maxByte": there is none; did you mean "maxBytes"?'],
  [{ resume: { retry: 5 } }, 'resume.retry": there is none; did you mean "retryMs" (in milliseconds)?'],
])('refuses what nobody reads inside of an option of a server: %j', (options, message) => {
  expect(() => createServer({ ...who, ...options } as never)).toThrow(
    `Cannot create a server with the option "${message}`,
  )
})

it('refuses what nobody reads inside of an option of a tool or a door', async () => {
  const server = createServer(who)
  expect(() => server.tool('t', { task: { ttl: 5 } as never }, say)).toThrow(
    'Cannot register the tool "t" with the option "task.ttl": there is none',
  )
  expect(() => server.tool('t', { task: 'required' }, say)).not.toThrow()
  await expect(serve(server, { stdio: { drain: 5 } as never })).rejects.toThrow(
    'Cannot serve with the option "stdio.drain": there is none; did you mean "drainMs" (in milliseconds)?',
  )
  await expect(serve(server, { port: 0, http: { allowedHost: [] } as never })).rejects.toThrow(
    'Cannot open an HTTP door with the option "allowedHost": there is none; did you mean "allowedHosts"?',
  )
})

it('refuses a clock that lacks a part, before anybody calls', () => {
  expect(() => createServer({ ...who, clock: { ...createFakeClock(), wallNow: undefined } as never })).toThrow(
    'Cannot create a server with a clock that has no wallNow(); it needs now(), wallNow() and setTimer()',
  )
})

it('refuses members of definitions that nobody reads', () => {
  const server = createServer(who)
  expect(() => server.tool('t', { descripton: 'x' } as never, say)).toThrow(
    'Cannot register the tool "t" with the option "descripton": there is none; did you mean "description"?',
  )
  expect(() => server.resource('a:b', { name: 'b', mimetype: 'x' } as never, say)).toThrow('mean "mimeType"?')
  expect(() => server.template('a:{b}', { name: 'b', completer: {} } as never, say)).toThrow('mean "complete"?')
  expect(() => server.prompt('p', { argument: {} } as never, say)).toThrow('mean "arguments"?')
  expect(() => server.tool('t', {}, say).update({ title: 'x', tittle: 'y' } as never)).toThrow('mean "title"?')
})

it('takes what has no value for left out', () => {
  expect(() =>
    createServer({ ...who, prot: undefined } as never).tool('t', { x: undefined } as never, say),
  ).not.toThrow()
})

it.each([
  ['yes', '"task" that is "yes": it is true, false, "optional" or "required"'],
  [null, '"task" that is null: it is true, false, "optional" or "required"'],
  [{ support: 'always' }, '"task.support" that is "always": it is "optional" or "required"'],
  [{ start: 'later' }, '"task.start" that is "later": it is "at-once" or "by-handler"'],
])('refuses a task of a tool that is no such thing: %j', (task, message) => {
  expect(() => createServer(who).tool('t', { task: task as never }, say)).toThrow(
    new TypeError(`Cannot register the tool "t" with ${message}`),
  )
})

it('says that a port is no number', async () => {
  await expect(serve(createServer(who), { port: Number('abc') })).rejects.toThrow(
    'Cannot listen on a port that is no number (NaN): a port is a whole number from 0',
  )
})

it('says how a tool that is there already is changed', () => {
  const server = createServer(who)
  server.tool('t', {}, say)
  expect(() => server.tool('t', {}, say)).toThrow(
    'Cannot register the tool "t" twice: change it by "update" of what the first call returned, or give this one another name',
  )
})

import { createFakeClock } from '@crosspoint/testkit'
import { expect, it } from 'vitest'
import { createServer } from './index.ts'

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

import { expect, it } from 'vitest'
import { connect } from './client.ts'

const client = { name: 'test', version: '1' }

it.each([
  ['timeout', '; did you mean "connectTimeoutMs" or "probeTimeoutMs" or "requestTimeoutMs" (in milliseconds)?'],
  ['handler', '; did you mean "handlers"?'],
  ['colour', ''],
])('refuses the option "%s", which nobody reads', async (name, hint) => {
  const connecting = connect('http://127.0.0.1:9', { client, [name]: 1 })
  await expect(connecting).rejects.toThrow(
    new TypeError(`Cannot connect with the option "${name}": there is none${hint}`),
  )
})

it.each([
  [{ cache: { maxEntrys: 1 } }, 'cache.maxEntrys": there is none; did you mean "maxEntries"?'],
  [{ limits: { maxDept: 1 } }, 'limits.maxDept": there is none; did you mean "maxDepth"?'],
  [{ restart: { maxFailure: 1 } }, 'restart.maxFailure": there is none; did you mean "maxFailures"?'],
])('refuses what nobody reads inside of an option: %j', async (options, message) => {
  const connecting = connect('http://127.0.0.1:9', { client, ...options } as never)
  await expect(connecting).rejects.toThrow(`Cannot connect with the option "${message}`)
})

it.each([
  [{ command: 'node', arg: [] }, 'Cannot start a server with the option "arg": there is none; did you mean "args"?'],
  [
    { kind: 'http', url: 'http://127.0.0.1:9', header: {} },
    'Cannot connect with the option "header": there is none; did you mean "headers"?',
  ],
  [
    { url: 'http://127.0.0.1:9' },
    `Cannot connect to an object without a "command": give a URL, { command: 'node', args: ['server.mjs'] }, { kind: 'http', url, headers } or a server of this process`,
  ],
  [{ kind: 'pipe' }, 'Cannot connect to a target of this kind: there are stdio, http, channel'],
  [{ kind: 'toString' }, 'Cannot connect to a target of this kind: there are stdio, http, channel'],
])('refuses the target %j', async (target, message) => {
  await expect(connect(target as never, { client })).rejects.toThrow(new TypeError(message))
})

it.each([[undefined], [null], [7]])('refuses %s for a target', async (target) => {
  await expect(connect(target as never, { client })).rejects.toThrow('Cannot connect to this: give a URL')
})

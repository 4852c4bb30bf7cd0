import { expect, test } from 'vitest'
import { ConfigError } from './config-error.ts'
import { variableOf } from './overrides.ts'
import { type ParseOptions, parseConfig } from './parse.ts'

const listenOf = (options: ParseOptions, text = 'servers: { a: { command: x } }') =>
  parseConfig(text, options).config.listen

test('names of variables follow the settings', () => {
  expect(variableOf('listen', 'port')).toBe('CROSSPOINT_LISTEN_PORT')
  expect(variableOf('limits', 'maxRequestBytes')).toBe('CROSSPOINT_LIMITS_MAX_REQUEST_BYTES')
})

test('variables fill in numbers, truth values and lists', () => {
  const env = {
    CROSSPOINT_LISTEN_PORT: '81',
    CROSSPOINT_LISTEN_HOST: '127.0.0.2',
    CROSSPOINT_LISTEN_ALLOWED_HOSTS: 'a.example, b.example:80,',
    CROSSPOINT_LISTEN_ALLOWED_ORIGINS: '',
  }
  expect(listenOf({ env })).toEqual({
    port: 81,
    host: '127.0.0.2',
    allowedHosts: ['a.example', 'b.example:80'],
    allowedOrigins: [],
    maxConnections: 20_000,
  })
})

test('what a container platform sets for a service of our name is not taken for a setting', () => {
  const env = { CROSSPOINT_PORT: 'tcp://10.0.0.1:80', CROSSPOINT_SERVICE_HOST: '10.0.0.1', CROSSPOINT_PORT_80_TCP: 'x' }
  expect(listenOf({ env })).toMatchObject({ host: '127.0.0.1', port: 8360 })
})

test.each<[ParseOptions, string]>([
  [
    { env: { CROSSPOINT_LISTEN_PORT: 'eighty' } },
    'environment variable CROSSPOINT_LISTEN_PORT: listen.port: Must be a whole number from 0 to 65535',
  ],
  [
    { flags: [{ flag: '--port', path: 'listen.port', value: 70_000 }] },
    'flag --port: listen.port: Must be a whole number from 0 to 65535',
  ],
  [
    { flags: [{ flag: '--host', path: 'listen.host', value: '0.0.0.0' }] },
    'flag --host: listen.host: Callers from other machines would be served without being asked who they are (add "auth", so that callers are asked, or bind 127.0.0.1)',
  ],
])('%j is refused by name', (options, message) => {
  expect(() => listenOf(options)).toThrow(ConfigError)
  expect(() => listenOf(options)).toThrow(message)
})

test.each([
  '192.0.2.1',
  'crosspoint.example',
  '0.0.0.0',
  '::',
  '0:0:0:0:0:0:0:0',
  '::0',
  '0',
  '0x0',
  '000.0.0.0',
  '0.0',
  '::ffff:0.0.0.0',
  '::%eth0',
])('abuse-03: the address %s is refused, since nobody is asked who they are', (host) => {
  const text = `listen: { host: "${host}" }`
  expect(() => listenOf({}, text)).toThrow('Callers from other machines')
})

test('a flag for a setting that does not exist is a mistake of ours', () => {
  expect(() => listenOf({ flags: [{ flag: '--x', path: 'servers.a', value: 1 }] })).toThrow(TypeError)
})

import { expect, test } from 'vitest'
import { toTransportError } from './client-failure.ts'

const failing = (members: object) =>
  toTransportError(Object.assign(new Error('failed'), members), 'tools/call', 'there')

test.each([
  ['nothing took the connection', { code: 'ECONNREFUSED', syscall: 'connect' }],
  ['the socket is not there', { code: 'ENOENT', syscall: 'connect' }],
  ['the name is not known', { code: 'ENOTFOUND', syscall: 'getaddrinfo' }],
  ['the connection was not taken in time', { code: 'UND_ERR_CONNECT_TIMEOUT' }],
  ['what answers is no TLS', { code: 'ERR_SSL_WRONG_VERSION_NUMBER' }],
])('what was asked certainly never began where %s', (_, members) => {
  expect(failing(members)).toMatchObject({ code: 'upstream.unavailable', neverRan: true })
})

test.each([
  ['the connection was reset', { code: 'ECONNRESET', syscall: 'read' }],
  ['the other side closed it', { code: 'UND_ERR_SOCKET' }],
  ['the network went away under an open connection', { code: 'EHOSTUNREACH', syscall: 'write' }],
  ['we closed it, perhaps with the request on its way', { code: 'UND_ERR_DESTROYED' }],
  ['nobody says what failed', {}],
])('nobody knows where %s', (_, members) => {
  expect(failing(members).neverRan).toBe(false)
})

import { expect, test } from 'vitest'
import { parseAddress } from './address.ts'

test('a URL says who and where', () => {
  expect(parseAddress('redis://localhost')).toEqual({ host: 'localhost', port: 6_379 })
  expect(parseAddress('redis://:p%40ss@[::1]:7000/3')).toEqual({ host: '::1', port: 7_000, password: 'p@ss', db: 3 })
  expect(parseAddress('rediss://me:x@redis.example.com/')).toEqual({
    host: 'redis.example.com',
    port: 6_379,
    username: 'me',
    password: 'x',
    tls: { servername: 'redis.example.com' },
  })
  expect(parseAddress('rediss://10.0.0.1')).toEqual({ host: '10.0.0.1', port: 6_379, tls: {} })
})

test.each([
  'hunter2',
  'http://me:hunter2@redis',
  'redis://me:hunter2@redis:port',
  'redis://me:hunter2@redis/name',
  'redis://me:hunter2@redis/0?tls=true',
  'redis://me:hunter2%@redis',
])('abuse-50: %s is refused without a word of it', (url) => {
  expect(() => parseAddress(url)).toThrow(expect.objectContaining({ name: 'StoreError', code: 'invalid' }))
  expect(() => parseAddress(url)).not.toThrow(/hunter2/)
})

import { expect, test } from 'vitest'
import { parseUrl } from './parse.ts'

test('a URL is what the platform makes of it', () => {
  expect(parseUrl('https://auth.example/a?b')?.href).toBe('https://auth.example/a?b')
  expect(parseUrl('/elsewhere', new URL('https://auth.example/a'))?.href).toBe('https://auth.example/elsewhere')
})

test.each(['', 'auth.example', '/a', 'https://'])('none is none: "%s"', (text) => {
  expect(parseUrl(text)).toBeUndefined()
})

test('abuse-30: one that is longer than any that is meant is not looked at', () => {
  expect(parseUrl(`https://auth.example/${'x'.repeat(2_000)}`)).toBeInstanceOf(URL)
  expect(parseUrl(`https://auth.example/${'x'.repeat(2_100)}`)).toBeUndefined()
  expect(parseUrl('x'.repeat(2_100), new URL('https://auth.example'))).toBeUndefined()
})

import { expect, test } from 'vitest'
import { maskArguments, maskReferences, maskUrl } from './mask.ts'

test.each([
  [
    ['--api-key', 'abc'],
    ['--api-key', '••••'],
  ],
  [['--api-key=abc'], ['--api-key=••••']],
  [
    ['-H', 'Authorization: Bearer abc'],
    ['-H', 'Authorization: ••••'],
  ],
  [['TOKEN=abc'], ['TOKEN=••••']],
  [['ghp_abcdef'], ['••••']],
  [['--flag=ghp_abcdef'], ['--flag=••••']],
  [['--db=postgres://me:pw@db/x?sslkey=1'], ['--db=postgres://••••@db/x?sslkey=••••']],
  [['https://host/mcp?key=1'], ['https://host/mcp?key=••••']],
  [['https://host/@scope/pkg'], ['https://host/@scope/pkg']],
  [
    ['--token', '${TOKEN}'],
    ['--token', '${TOKEN}'],
  ],
  [['--token=${TOKEN}'], ['--token=${TOKEN}']],
  [
    ['-y', '@modelcontextprotocol/server-memory', '--port=80', 'C:\\x'],
    ['-y', '@modelcontextprotocol/server-memory', '--port=80', 'C:\\x'],
  ],
  [
    ['--token', '--verbose'],
    ['--token', '--verbose'],
  ],
])('masks what is secret in %j', (args, shown) => {
  expect(maskArguments(args)).toEqual(shown)
})

test('keeps variables and hides their defaults', () => {
  expect(maskReferences('a ${X} ${Y:-secret} ${env:Z:-secret}')).toBe('a ${X} ${Y:-••••} ${env:Z:-••••}')
})

test('hides who signs in at a URL and what its query says', () => {
  expect(maskUrl('https://u:p@host/a?x=1&flag&y=${Y}')).toBe('https://••••@host/a?x=••••&flag&y=${Y}')
})

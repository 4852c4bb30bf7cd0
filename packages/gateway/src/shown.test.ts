import { expect, test } from 'vitest'
import { shown } from './shown.ts'

test('abuse-40: what a peer writes cannot begin a line, move a cursor or turn the reading direction', () => {
  expect(shown('a\r\nb\u001b[2Jc\u202ed\u2028e\u009bf\u{e0041}')).toBe(
    'a\\u{d}\\u{a}b\\u{1b}[2Jc\\u{202e}d\\u{2028}e\\u{9b}f\\u{e0041}',
  )
})

test('keeps words of every language and cuts what is long', () => {
  expect(shown('Grüße 東京 🦆')).toBe('Grüße 東京 🦆')
  expect(shown('x'.repeat(300))).toBe(`${'x'.repeat(200)}…`)
})

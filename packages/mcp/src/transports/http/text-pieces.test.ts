import fc from 'fast-check'
import { expect, it } from 'vitest'
import { TextPieces } from './text-pieces.ts'

it('gives back what it was made of, and begins anew', () => {
  fc.assert(
    fc.property(fc.array(fc.nat(3_000), { maxLength: 4 }), fc.constantFrom('', '\n'), (lengths, between) => {
      const text = new TextPieces(between)
      for (const length of lengths) {
        const pieces = Array.from({ length }, (_, at) => 'x'.repeat(at % 3))
        for (const piece of pieces) text.add(piece)
        expect(text.isEmpty).toBe(length === 0)
        expect(text.size).toBe(pieces.join('').length)
        expect(text.take()).toBe(pieces.join(between))
      }
    }),
    { numRuns: 50 },
  )
})

it('abuse-16: holds few strings, however many pieces came', () => {
  const text = new TextPieces('\n')
  for (let at = 0; at < 1_000_000; at++) text.add('')
  expect(text.held).toBeLessThan(2_048)
  expect(text.take()).toHaveLength(999_999)
  expect(text.held).toBe(0)
})

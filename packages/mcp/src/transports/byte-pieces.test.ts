import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { BytePieces } from './byte-pieces.ts'

describe('abuse-5: bytes in pieces', () => {
  it('are what came, however they were cut', () => {
    const piece = fc.oneof(
      fc.uint8Array({ maxLength: 8 }),
      fc.uint8Array({ minLength: 1_000, maxLength: 1_050 }),
      fc.uint8Array({ minLength: 16_000, maxLength: 17_000 }),
    )
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 60 }), (parts) => {
        const pieces = new BytePieces()
        for (const part of parts) pieces.add(Buffer.from(part))
        expect(pieces.join().equals(Buffer.concat(parts))).toBe(true)
      }),
      { numRuns: 50 },
    )
  })

  it('of one byte each hold few buffers', () => {
    const pieces = new BytePieces()
    const packet = Buffer.alloc(65_536, 'x')
    for (let at = 0; at < 1_000_000; at++) pieces.add(packet.subarray(at % 65_536, (at % 65_536) + 1))
    expect(pieces.held).toBeLessThan(70)
    expect(pieces.join().length).toBe(1_000_000)
  })

  it('that alternate between small and large hold no more than there are large ones, twice', () => {
    const pieces = new BytePieces()
    const large = Buffer.alloc(1_024, 'x')
    for (let at = 0; at < 1_000; at++) {
      pieces.add(large)
      pieces.add(large.subarray(0, 1))
    }
    expect(pieces.held).toBeLessThan(2_002)
    expect(pieces.join().length).toBe(1_025_000)
  })

  it('are a copy: the packet they came in may be used again', () => {
    const pieces = new BytePieces()
    const packet = Buffer.from('ab')
    pieces.add(packet)
    packet.fill('z')
    expect(pieces.join().toString()).toBe('ab')
  })
})

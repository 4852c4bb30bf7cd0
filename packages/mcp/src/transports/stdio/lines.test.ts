import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { LineSplitter } from './lines.ts'

function split(chunks: readonly Buffer[], maxBytes = 1024) {
  const lines: string[] = []
  const faults: { reason: string; sample: string }[] = []
  const splitter = new LineSplitter(maxBytes, {
    line: (text) => lines.push(text),
    fault: (reason, sample) => faults.push({ reason, sample }),
  })
  for (const chunk of chunks) splitter.push(chunk)
  splitter.end()
  return { lines, faults }
}

function cut(bytes: Buffer, points: readonly number[]): Buffer[] {
  const sorted = [...new Set(points.map((point) => point % (bytes.length + 1)))].sort((a, b) => a - b)
  return [0, ...sorted].map((from, i) => bytes.subarray(from, sorted[i] ?? bytes.length))
}

describe('LineSplitter', () => {
  it('gives the same lines however the bytes are cut', () => {
    const line = fc.string({ unit: 'grapheme', minLength: 1, maxLength: 40 }).filter((text) => !/[\r\n]/.test(text))
    fc.assert(
      fc.property(fc.array(line, { maxLength: 12 }), fc.array(fc.nat(), { maxLength: 30 }), (lines, points) => {
        const bytes = Buffer.from(lines.map((text) => `${text}\n`).join(''))
        expect(split(cut(bytes, points))).toEqual({ lines, faults: [] })
      }),
    )
  })

  it('takes CR LF for one break and skips empty lines', () => {
    expect(split([Buffer.from('{"a":1}\r\n\n\r\n{"b":2}\n')]).lines).toEqual(['{"a":1}', '{"b":2}'])
  })

  it('takes a last line without a break', () => {
    expect(split([Buffer.from('one\ntwo')]).lines).toEqual(['one', 'two'])
  })

  it('abuse-37: puts a character together that two chunks share', () => {
    const bytes = Buffer.from('"é€😀"\n')
    for (let at = 1; at < bytes.length; at++) {
      expect(split([bytes.subarray(0, at), bytes.subarray(at)]).lines).toEqual(['"é€😀"'])
    }
  })

  it('reports a line over the cap once and goes on behind its break', () => {
    const chunks = [
      Buffer.from('aaaa'),
      Buffer.from('bbbbbb'),
      Buffer.from('cccc\nok\n'),
      Buffer.from(`${'x'.repeat(9)}\nend`),
    ]
    const { lines, faults } = split(chunks, 8)
    expect(lines).toEqual(['ok', 'end'])
    expect(faults).toEqual([
      { reason: 'Cannot read a line longer than 8 bytes', sample: 'aaaa' },
      { reason: 'Cannot read a line longer than 8 bytes', sample: 'x'.repeat(9) },
    ])
  })

  it('takes a line of exactly the cap', () => {
    expect(split([Buffer.from('12345678\n')], 8)).toEqual({ lines: ['12345678'], faults: [] })
  })

  it('reports bytes that are not UTF-8 and goes on', () => {
    const { lines, faults } = split([Buffer.from([0x22, 0xff, 0xfe, 0x22, 0x0a]), Buffer.from('next\n')])
    expect(lines).toEqual(['next'])
    expect(faults.map((fault) => fault.reason)).toEqual(['Cannot read a line that is not UTF-8'])
  })

  it('holds no more than the cap while an endless line comes in', () => {
    const faults: string[] = []
    const splitter = new LineSplitter(1024, { line: () => {}, fault: (reason) => faults.push(reason) })
    for (let i = 0; i < 10_000; i++) splitter.push(Buffer.alloc(1000, 0x61))
    expect(faults).toHaveLength(1)
  })
})

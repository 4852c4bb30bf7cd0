import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { type SseEvent, SseReader } from './sse-reader.ts'

type Told = SseEvent | { retry: number } | { id: string }

function read(chunks: readonly Uint8Array[], maxBytes = 1_000_000): Told[] {
  const told: Told[] = []
  const reader = new SseReader(maxBytes, {
    event: (event) => told.push(event),
    retry: (retry) => told.push({ retry }),
    id: (id) => told.push({ id }),
  })
  for (const chunk of chunks) reader.push(chunk)
  return told
}

const readText = (text: string, maxBytes?: number) => read([Buffer.from(text)], maxBytes)
const message = (data: string): SseEvent => ({ type: 'message', data })

describe('an event stream', () => {
  const rows: [string, string, Told[]][] = [
    ['one event', 'data: a\n\n', [message('a')]],
    ['data of several lines', 'data: a\ndata:b\ndata\ndata:  c\n\n', [message('a\nb\n\n c')]],
    ['every kind of line end', 'data: a\r\rdata: b\r\n\r\ndata: c\n\n', [message('a'), message('b'), message('c')]],
    ['a byte order mark at its start', '\uFEFFdata: a\n\n', [message('a')]],
    ['comments', ': hello\ndata: a\n:\n\n: bye\n\n', [message('a')]],
    [
      'types of its own, each for one event',
      'event: x\ndata: a\n\ndata: b\n\n',
      [{ type: 'x', data: 'a' }, message('b')],
    ],
    ['an id, also without data', 'id: 7\ndata:\n\nid\ndata: a\n\n', [{ id: '7' }, { id: '' }, message('a')]],
    ['an id with a zero character, which is none', 'id: a\0b\ndata: a\n\n', [message('a')]],
    ['a wish to wait', 'retry: 500\n\n', [{ retry: 500 }]],
    ['a wish to wait that is no number', 'retry: 5s\nretry: -1\nretry:\nretry: 1e3\n\n', []],
    ['fields nobody knows', 'foo: bar\ndata: a\ndatax: b\n data: c\n\n', [message('a')]],
    ['an end in the middle of an event', 'data: a\n\ndata: lost\n', [message('a')]],
    [
      'an end in the middle of an event with an id',
      'id: 1\ndata: a\n\nid: 2\ndata: lost\n',
      [{ id: '1' }, message('a')],
    ],
    ['blank lines only', '\n\n\r\n\r\r', []],
  ]
  for (const [what, text, expected] of rows) {
    it(`is read with ${what}`, () => expect(readText(text)).toEqual(expected))
  }

  it('reads the same however it is cut', () => {
    const piece = fc.constantFrom(
      'data',
      ':',
      ' ',
      'id',
      'retry',
      'event',
      '12',
      'ü',
      '🙂',
      '\u2028',
      '\uFEFF',
      '\r',
      '\n',
      '\r\n',
      '\n\n',
      '\r\n\r\n',
      'data: x\n',
      'data: y\r',
      ':c\n',
    )
    const stream = fc.array(piece, { maxLength: 60 }).map((pieces) => Buffer.from(pieces.join('')))
    fc.assert(
      fc.property(stream, fc.array(fc.nat(400), { maxLength: 30 }), (bytes, cuts) => {
        const at = [...new Set(cuts.map((cut) => cut % (bytes.length + 1)))].sort((a, b) => a - b)
        const chunks = [...at, bytes.length].map((end, index) => bytes.subarray(at[index - 1] ?? 0, end))
        expect(read(chunks)).toEqual(read([bytes]))
        expect(read([...bytes].map((byte) => Uint8Array.of(byte)))).toEqual(read([bytes]))
      }),
      { numRuns: 500 },
    )
  })

  it('gives back every message it was made of', () => {
    const lines = fc.array(
      fc.string({ unit: 'grapheme' }).map((text) => text.replace(/[\r\n]/g, '')),
      { minLength: 1, maxLength: 4 },
    )
    fc.assert(
      fc.property(fc.array(lines, { maxLength: 5 }), fc.constantFrom('\n', '\r', '\r\n'), (events, end) => {
        const text = events.map((event) => event.map((line) => `data: ${line}${end}`).join('') + end).join('')
        const expected = events.map((event) => event.join('\n')).filter((data) => data !== '')
        expect(readText(text)).toEqual(expected.map(message))
      }),
    )
  })

  it('refuses an event over the limit: one long line, many lines, many pieces', () => {
    expect(() => readText(`data: ${'x'.repeat(2_000)}\n\n`, 1_000)).toThrow(RangeError)
    expect(() => readText('data: x\n'.repeat(2_000), 1_000)).toThrow(RangeError)
    expect(() =>
      read(
        Array.from({ length: 2_000 }, () => Buffer.from('x')),
        1_000,
      ),
    ).toThrow(RangeError)
    expect(() => readText(`${'data: x\n\n'.repeat(2_000)}`, 1_000)).not.toThrow()
    expect(() => readText(': keep-alive\n\n'.repeat(2_000), 1_000)).not.toThrow()
  })

  it.each(['data', 'data:', 'data: ', 'id', 'event:x', 'unknown'])(
    'abuse-16: counts every line of an event as it came, also one of "%s" that says nothing',
    (line) => {
      const lines = (count: number) => `${line}\n`.repeat(count)
      const most = Math.floor(10_000 / (line.length + 1))
      expect(() => readText(lines(most), 10_000)).not.toThrow()
      expect(() => readText(lines(most + 1), 10_000)).toThrow(RangeError)
      expect(() => readText(`${lines(most)}\n`.repeat(3), 10_000)).not.toThrow()
    },
  )

  it('refuses a comment and a field without end', () => {
    expect(() =>
      read(
        Array.from({ length: 200 }, () => Buffer.from(': still here ')),
        1_000,
      ),
    ).toThrow(RangeError)
    expect(() => readText(': x\n'.repeat(2_000), 1_000)).not.toThrow()
    const cut = Array.from({ length: 2_000 }, () => [Buffer.from(': x'), Buffer.from('\n')]).flat()
    expect(() => read(cut, 1_000)).not.toThrow()
  })

  it('takes a long line in small pieces in linear time', () => {
    const pieces = Array.from({ length: 50_000 }, () => Buffer.from('x'.repeat(64)))
    const started = performance.now()
    const [event] = read([Buffer.from('data: '), ...pieces, Buffer.from('\n\n')], 10_000_000)
    expect(event).toMatchObject({ data: expect.stringMatching(/^x{3200000}$/) })
    expect(performance.now() - started).toBeLessThan(2_000)
  })
})

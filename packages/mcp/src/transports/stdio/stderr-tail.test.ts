import { createFakeClock } from '@crosspoint/testkit'
import { describe, expect, it } from 'vitest'
import { StderrTail } from './stderr-tail.ts'

function setUp() {
  const clock = createFakeClock()
  const lines: string[] = []
  const tail = new StderrTail(clock, (line) => lines.push(line))
  return { clock, lines, tail, push: (text: string) => tail.push(Buffer.from(text)) }
}

describe('the stderr of a child', () => {
  it('is told line by line, however it arrives', () => {
    const { lines, push, tail } = setUp()
    for (const piece of ['one\ntw', 'o\r\n', '\n', 'three']) push(piece)
    expect(lines).toEqual(['one', 'two'])
    tail.end()
    expect(lines).toEqual(['one', 'two', 'three'])
  })

  it('keeps characters together that arrive in pieces', () => {
    const { lines, tail } = setUp()
    for (const byte of Buffer.from('größe 🙂\n')) tail.push(Buffer.of(byte))
    expect(lines).toEqual(['größe 🙂'])
  })

  it('is remembered for its last lines that say something', () => {
    const { push, tail } = setUp()
    push(Array.from({ length: 200 }, (_, at) => `line ${at}\n  \n`).join(''))
    expect(tail.last(2)).toEqual(['line 198', 'line 199'])
    expect(tail.last(1_000).length).toBeLessThanOrEqual(50)
  })

  it('has its long lines cut', () => {
    const { lines, push } = setUp()
    for (let piece = 0; piece < 100; piece++) push('x'.repeat(1_000))
    push('\nnext\n')
    expect(lines).toEqual([`${'x'.repeat(8_192)}…`, 'next'])
  })

  it('is thinned out in a flood, and says by how much', () => {
    const { clock, lines, push, tail } = setUp()
    for (let at = 0; at < 2_000; at++) push(`${at}\n`)
    expect(lines).toHaveLength(500)
    clock.advance(1_000)
    push('calm again\n')
    expect(lines.slice(500)).toEqual(['(1500 lines more in a flood)', 'calm again'])
    expect(tail.last(2)).toEqual(['1999', 'calm again'])
  })
})

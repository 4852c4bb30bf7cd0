import { isUtf8 } from 'node:buffer'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { McpError } from '../errors.ts'
import { FrameFault } from './fault.ts'
import { mutation, response } from './fixtures/json-text.ts'
import { type Member, type PlainlyRead, readPlainly } from './fixtures/plain-reader.ts'
import type { JsonObject } from './frame.ts'
import { UPSTREAM_LIMITS } from './limits.ts'
import { type Outline, outlineResult, type Span } from './outline.ts'
import { parseMessage } from './parse.ts'
import { cut, Relayed, toPieces, toText } from './relayed.ts'

/**
 * What is relayed, held against `JSON.parse`, the parser of messages and a reader that finds places plainly. Runs for
 * `FUZZ_MS` milliseconds where that is set; a failure prints its seed and path, which `FUZZ_SEED` begins with again.
 */
const longMs = Number(process.env.FUZZ_MS ?? 0)
const seed = process.env.FUZZ_SEED === undefined ? {} : { seed: Number(process.env.FUZZ_SEED) }
const runs =
  longMs > 0
    ? { ...seed, numRuns: Number.MAX_SAFE_INTEGER, interruptAfterTimeLimit: longMs, markInterruptAsFailure: false }
    : { ...seed, numRuns: 2_000 }

const cuts = fc.array(fc.nat({ max: 20_000 }), { maxLength: 12 })
const mutations = fc.oneof(
  { weight: 1, arbitrary: fc.constant([]) },
  { weight: 4, arbitrary: fc.array(mutation, { minLength: 1, maxLength: 3 }) },
)

/** Each at an offset of its own, so that words of four bytes begin anywhere. */
function inPieces(bytes: Uint8Array, at: readonly number[]): Uint8Array[] {
  const ends = [...at.map((where) => where % (bytes.length + 1)), bytes.length].sort((a, b) => a - b)
  return ends.map((end, which) => {
    const piece = bytes.subarray(ends[which - 1] ?? 0, end)
    const room = new Uint8Array(piece.length + 8).fill(which % 2 === 0 ? 0x22 : 0x61)
    room.set(piece, which % 5)
    return room.subarray(which % 5, (which % 5) + piece.length)
  })
}

/** What the outline promises to take: all that our rules allow but for what is unusual in names and line breaks. */
function isPlain({ message, result, depth, hasLines, hasHalves }: PlainlyRead): boolean {
  if (message === undefined || result === undefined || depth > UPSTREAM_LIMITS.maxDepth || hasLines || hasHalves)
    return false
  return [message, result].every((members) => {
    const keys = new Set(members.map(({ key }) => key))
    return (
      keys.size === members.length &&
      keys.size <= 64 &&
      members.every(({ written }) => /^[ !#-[\]-~]{1,256}$/.test(written))
    )
  })
}

/** The bytes behind which the pieces were cut. */
function endsOf(pieces: readonly Uint8Array[]): number[] {
  let before = 0
  return pieces.map(({ length }) => (before += length))
}

function places(spans: readonly Span[]) {
  return spans.map(({ key, from, to, members }) => ({ key, from, to, members }))
}

/** Of the members of the result: nobody looks for the mark elsewhere. */
function checkMarks(found: readonly Span[], expected: readonly Member[], bytes: Uint8Array, ends: readonly number[]) {
  for (const [at, { isMarked, strings }] of expected.entries()) {
    if (isMarked) expect(found[at]?.isMarked).toBe(true)
    else if (found[at]?.isMarked === true) {
      // Only a string that may begin so, for all that is seen of it in its piece.
      const mayBe = strings.some((from) =>
        ends.some(
          (end) =>
            from <= end && end < from + 8 && 'resource'.startsWith(Buffer.from(bytes.subarray(from, end)).toString()),
        ),
      )
      expect(mayBe).toBe(true)
    }
  }
}

/** Everything in it read, at every depth. */
function readWhole(value: unknown): unknown {
  return JSON.parse(JSON.stringify(value))
}

/** What the parser of messages says of a result; undefined where it takes it. */
function faultOf(result: string): FrameFault | undefined {
  try {
    parseMessage(`{"jsonrpc":"2.0","id":7,"result":${result}}`, UPSTREAM_LIMITS)
    return undefined
  } catch (error) {
    expect(error).toBeInstanceOf(FrameFault)
    return error as FrameFault
  }
}

function checkRelayed(pieces: readonly Uint8Array[], outline: Outline, bytes: Uint8Array, plain: PlainlyRead): void {
  const parsed = (JSON.parse(Buffer.from(bytes).toString()) as { result: JsonObject }).result
  const { from = 0, to } = outline.message.find(({ key }) => key === 'result') ?? {}
  const fault = faultOf(Buffer.from(bytes.subarray(from, to)).toString())
  // The one rule that relaying leaves to who reads.
  if (fault !== undefined) expect(fault.message).toMatch(/ twice$/)
  let relayed: Relayed
  try {
    relayed = Relayed.from(pieces, outline.result, UPSTREAM_LIMITS)
  } catch (error) {
    expect(error).toBeInstanceOf(McpError)
    expect(fault).toBeDefined() // in a small member
    return
  }
  expect(Object.keys(relayed).sort()).toEqual(Object.keys(parsed).sort())
  for (const { key, from, to } of outline.result) {
    if (to - from <= 1_024) expect(relayed[key]).toEqual(parsed[key])
  }
  // What goes out is one line, and says what came in.
  const out = Buffer.from(toText(toPieces(relayed, '"first":1,', '')))
  expect(out.toString()).not.toMatch(/[\n\r]/)
  expect(JSON.parse(out.toString())).toEqual({ first: 1, ...parsed })
  const again = readPlainly(out)
  for (const { key, from, to } of plain.result ?? []) {
    if (to - from <= 1_024) continue
    const came = Buffer.from(bytes.subarray(from, to))
    const went = again?.message?.find((member) => member.key === key)
    expect(out.subarray(went?.from, went?.to).equals(came)).toBe(true)
    expect(Buffer.from(toText(cut(pieces, from, to))).equals(came)).toBe(true)
  }
  if (fault !== undefined) {
    expect(() => readWhole(relayed)).toThrow(McpError)
    return
  }
  expect(readWhole(relayed)).toEqual(readWhole(parsed))
  expect({ ...relayed }).toEqual({ ...parsed })
}

test(
  'what is relayed is what JSON.parse and our rules take, in the same places, whatever becomes of the bytes',
  () => {
    const seen = { taken: 0, json: 0, mutated: 0, all: 0 }
    fc.assert(
      fc.property(response, mutations, cuts, (text, changes, at) => {
        const bytes = changes.reduce<Uint8Array>((given, change) => change(given), new Uint8Array(Buffer.from(text)))
        const pieces = inPieces(bytes, at)
        const outline = outlineResult(pieces, UPSTREAM_LIMITS.maxDepth, 'resource')
        seen.all++
        if (!isUtf8(bytes)) return // which transports have made sure of
        const plain = readPlainly(bytes)
        let isJson = true
        try {
          JSON.parse(Buffer.from(bytes).toString())
        } catch {
          isJson = false
        }
        expect(plain !== undefined).toBe(isJson)
        expect(outline !== undefined).toBe(plain !== undefined && isPlain(plain))
        if (isJson) seen.json++
        if (outline === undefined || plain === undefined) return
        seen.taken++
        if (changes.length > 0) seen.mutated++
        expect(places(outline.message)).toEqual(places(plain.message ?? []))
        expect(places(outline.result)).toEqual(places(plain.result ?? []))
        checkMarks(outline.result, plain.result ?? [], bytes, endsOf(pieces))
        checkRelayed(pieces, outline, bytes, plain)
      }),
      runs,
    )
    if (longMs > 0) console.info(seen)
    expect(seen.taken).toBeGreaterThan(150)
    expect(seen.mutated).toBeGreaterThan(50)
  },
  longMs + 60_000,
)

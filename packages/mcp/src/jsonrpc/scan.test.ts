import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { FrameFault } from './fault.ts'
import { CALLER_LIMITS } from './limits.ts'
import { hasLoneSurrogate, locate } from './locate.ts'
import { countKept, parseMessage, scan } from './parse.ts'

/** JSON as it might be written: keys may repeat, characters may be escaped, blanks may stand anywhere. */
type Node =
  | { readonly kind: 'object'; readonly members: readonly (readonly [Written, Node])[] }
  | { readonly kind: 'array'; readonly items: readonly Node[] }
  | { readonly kind: 'string'; readonly string: Written }
  | { readonly kind: 'raw'; readonly text: string }

interface Written {
  readonly value: string
  readonly text: string
}

const blank = fc.constantFrom('', '', ' ', '\n', '\t\r\n ')

const written: fc.Arbitrary<Written> = fc
  .array(
    fc.tuple(
      fc.oneof(
        fc.constantFrom(...'ab"\\/:,{}[]-1 \u0000\n\u2028é漢'),
        fc.constantFrom('😀', '__proto__', 'id', 'x'.repeat(40)),
      ),
      fc.boolean(),
    ),
    { maxLength: 4 },
  )
  .map((parts) => ({
    value: parts.map(([part]) => part).join(''),
    text: `"${parts.map(([part, asEscape]) => (asEscape ? escaped(part) : JSON.stringify(part).slice(1, -1))).join('')}"`,
  }))

function escaped(part: string): string {
  return [...Array(part.length).keys()].map((i) => `\\u${part.charCodeAt(i).toString(16).padStart(4, '0')}`).join('')
}

const node: fc.Arbitrary<Node> = fc.letrec<{ node: Node }>((tie) => ({
  node: fc.oneof(
    { maxDepth: 5, withCrossShrink: true },
    fc.constantFrom('0', '-1.5e3', 'true', 'null', '0.1').map((text): Node => ({ kind: 'raw', text })),
    written.map((string): Node => ({ kind: 'string', string })),
    fc.array(tie('node'), { maxLength: 4 }).map((items): Node => ({ kind: 'array', items })),
    fc.array(fc.tuple(written, tie('node')), { maxLength: 4 }).map((members): Node => ({ kind: 'object', members })),
  ),
})).node

function write(at: Node, gap: string): string {
  switch (at.kind) {
    case 'raw':
      return at.text
    case 'string':
      return at.string.text
    case 'array':
      return `[${gap}${at.items.map((item) => write(item, gap)).join(`${gap},${gap}`)}${gap}]`
    case 'object':
      return `{${gap}${at.members.map(([key, value]) => `${key.text}${gap}:${gap}${write(value, gap)}`).join(`${gap},${gap}`)}${gap}}`
  }
}

/** The reference: what the tree says, not the text. */
function repeats(at: Node): boolean {
  if (at.kind === 'array') return at.items.some(repeats)
  if (at.kind !== 'object') return false
  const keys = at.members.map(([key]) => key.value)
  return new Set(keys).size < keys.length || at.members.some(([, value]) => repeats(value))
}

function depth(at: Node): number {
  if (at.kind === 'array') return 1 + Math.max(0, ...at.items.map(depth))
  if (at.kind === 'object') return 1 + Math.max(0, ...at.members.map(([, value]) => depth(value)))
  return 0
}

describe('duplicate keys', () => {
  test('are found if and only if some object names a key twice, however it is spelled', () => {
    fc.assert(
      fc.property(node, blank, (tree, gap) => {
        const text = write(tree, gap)
        const found = scan(text, 64).members !== countKept(JSON.parse(text))
        expect(found).toBe(repeats(tree))
        expect(locate(text, 64).duplicateKey !== undefined).toBe(repeats(tree))
      }),
      { numRuns: 2000 },
    )
  })

  test.each([
    ['{"a":1,"a":2}', 'a'],
    ['{"a":1,"\\u0061":2}', 'a'],
    ['[{"x":[{"b":1,"c":{"d":1,"d":2}}]}]', 'd'],
    ['{"__proto__":1,"__proto__":2}', '__proto__'],
    ['{"__proto__":1,"\\u005f_proto__":2}', '__proto__'],
    ['{"constructor":1,"constructor":{}}', 'constructor'],
    ['{"":0,"":0}', ''],
    ['{"1":0,"1":0}', '1'],
    ['{"a\\"b":0,"a\\"b":0}', 'a"b'],
    [`{${Array.from({ length: 40 }, (_, i) => `"k${i}":0`).join()},"k39":1}`, 'k39'],
  ])('%s names one twice', (text, key) => {
    expect(scan(text, 64).members).not.toBe(countKept(JSON.parse(text)))
    expect(locate(text, 64).duplicateKey).toBe(key)
  })

  test.each([
    '{"a":{"a":{"a":1}}}',
    '[{"a":1},{"a":1}]',
    '{"a":"a","b":"a"}',
    '{"a":"\\":\\"","b":":::"}',
    '{"__proto__":{"__proto__":null},"x":{"__proto__":1}}',
    '{"toString":1,"hasOwnProperty":2,"valueOf":3}',
    '"a:b"',
  ])('%s names none twice', (text) => {
    expect(scan(text, 64).members).toBe(countKept(JSON.parse(text)))
    expect(locate(text, 64).duplicateKey).toBeUndefined()
  })
})

describe('depth', () => {
  test('is exact at the limit', () => {
    fc.assert(
      fc.property(node, blank, (tree, gap) => {
        const text = write(tree, gap)
        const deep = depth(tree)
        expect(scan(text, deep).tooDeep).toBe(false)
        if (deep > 0) expect(scan(text, deep - 1).tooDeep).toBe(true)
      }),
    )
  })

  test('brackets inside strings are text', () => {
    expect(scan(JSON.stringify(['[[[[', '{{{{', '\\"[[[[']), 1).tooDeep).toBe(false)
  })
})

describe('surrogates', () => {
  test('half of an escaped pair is found in keys and values, whole pairs are not', () => {
    const unit = fc.constantFrom(
      '\\ud83d',
      '\\uDE00',
      '\\uD83D\\uDe00',
      'x',
      '\\\\',
      '\\\\ud800',
      '\\n',
      '\\"',
      '\\u0041',
    )
    fc.assert(
      fc.property(fc.array(unit, { maxLength: 6 }), fc.nat(40), (units, padding) => {
        const text = `{"${'p'.repeat(padding)}${units.join('')}":1}`
        const key = Object.keys(JSON.parse(text) as object).join()
        const isWhole = encodeURIComponentIsPossible(key)
        expect(scan(text, 64).hasSurrogates && hasLoneSurrogate(text)).toBe(!isWhole)
      }),
      { numRuns: 2000 },
    )
  })

  function encodeURIComponentIsPossible(text: string): boolean {
    try {
      encodeURIComponent(text)
      return true
    } catch {
      return false
    }
  }
})

describe('numbers', () => {
  test.each([
    '1e400',
    '-1e400',
    '-0',
    '-0.0',
    '-0e5',
    '9007199254740993',
    '-9007199254740993',
    '1732163456123456789',
    '1'.repeat(400),
  ])('%s cannot be passed on', (number) => {
    expect(countKept(JSON.parse(number))).toBeNaN()
    expect(locate(`{"a":[1,${number}]}`, 64).inexactNumber).toBe(number)
  })

  test.each([
    '0',
    '0.1',
    '1e21',
    '1E+21',
    '9007199254740991',
    '-9007199254740991',
    '1.5e300',
    '3.141592653589793',
    '123456789012345.678',
    '9007199254740992',
    '100000000000000000000',
    '1732163456123456800',
  ])('%s can be passed on', (number) => {
    expect(locate(`{"a":[1,${number}]}`, 64).inexactNumber).toBeUndefined()
  })

  test('an integer is refused exactly when this runtime would write another one', () => {
    const digits = fc.bigInt({ min: -(2n ** 66n), max: 2n ** 66n }).map(String)
    fc.assert(
      fc.property(
        fc.oneof(digits, fc.double({ noNaN: true, noDefaultInfinity: true }).map(JSON.stringify)),
        (number) => {
          const changes = /^-?\d+$/.test(number) && JSON.stringify(JSON.parse(number)) !== number
          expect(locate(`[${number}]`, 64).inexactNumber).toBe(changes ? number : undefined)
          if (changes) expect(countKept(JSON.parse(number))).toBeNaN()
        },
      ),
      { numRuns: 1000 },
    )
  })
})

describe('work', () => {
  const half = 250_000
  const makers: [string, (size: number) => string][] = [
    ['opening brackets', (size) => '['.repeat(size)],
    ['opening braces', (size) => '{'.repeat(size)],
    ['closing brackets', (size) => ']'.repeat(size)],
    ['keys without end', (size) => '{"a":'.repeat(size / 5)],
    ['keys in one object', (size) => `{${'"a":'.repeat(size / 4)}`],
    ['colons', (size) => ':'.repeat(size)],
    ['quotes', (size) => '"'.repeat(size)],
    ['backslashes', (size) => '\\'.repeat(size)],
    ['backslashes in a string', (size) => `"${'\\'.repeat(size)}"`],
    ['escaped quotes', (size) => `"${'\\"'.repeat(size / 2)}"`],
    ['far escaped quotes', (size) => `"${`${'x'.repeat(40)}\\"`.repeat(size / 42)}"`],
    ['far backslashes before one quote', (size) => `"${`${'x'.repeat(40)}\\n`.repeat(size / 42)}"`],
    [
      'far quotes before one backslash',
      (size) => `[${`"${'x'.repeat(40)}",`.repeat(size / 43)}"${'x'.repeat(40)}\\n"]`,
    ],
    ['far backslashes and no quote', (size) => `"${`${'x'.repeat(40)}\\x`.repeat(size / 42)}`],
    [
      'one backslash at the end of many strings',
      (size) => `[${'"xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx",'.repeat(size / 43)}"\\n"]`,
    ],
    ['surrogate escapes', (size) => `"${'\\ud83d\\ude00'.repeat(size / 12)}"`],
    ['digits', (size) => '1'.repeat(size)],
    ['many huge integers', (size) => `[${'99999999999999999999,'.repeat(size / 21)}0]`],
    ['many equal keys', (size) => `{${'"a":1,'.repeat(size / 6)}"a":1}`],
    ['many different keys', (size) => `{${Array.from({ length: size / 12 }, (_, i) => `"${i}":1`).join()},"0":1}`],
    ['numbers that never end', (size) => `[-${'-+.eE'.repeat(size / 5)}`],
  ]

  test.each(makers)('grows no faster than the text: %s', (_, make) => {
    const small = steps(() => read(make(half)))
    const large = steps(() => read(make(half * 2)))
    expect(large).toBeLessThanOrEqual(small * 2.2 + 1000)
    expect(large).toBeLessThanOrEqual(half * 2 * 12)
  })

  function read(text: string): void {
    try {
      parseMessage(text, CALLER_LIMITS)
    } catch (error) {
      expect(error).toBeInstanceOf(FrameFault)
    }
    locate(text, 64)
  }

  /** Characters looked at, one by one or by a search; `JSON.parse` and regular expressions count their input. */
  function steps(run: () => void): number {
    let count = 0
    const { charCodeAt, charAt, indexOf, slice } = String.prototype
    const { test: matches } = RegExp.prototype
    const patched = [String.prototype, RegExp.prototype] as const
    Object.assign(patched[0], {
      charCodeAt(this: string, at: number) {
        count++
        return charCodeAt.call(this, at)
      },
      charAt(this: string, at: number) {
        count++
        return charAt.call(this, at)
      },
      indexOf(this: string, what: string, from = 0) {
        const found = indexOf.call(this, what, from)
        count += (found === -1 ? this.length : found) - from + 1
        return found
      },
      slice(this: string, from?: number, to?: number) {
        const part = slice.call(this, from, to)
        count += part.length
        return part
      },
    })
    Object.assign(patched[1], {
      test(this: RegExp, text: string) {
        const from = this.lastIndex
        const is = matches.call(this, text)
        count += this.sticky ? Math.max(1, this.lastIndex - from) : text.length
        return is
      },
    })
    try {
      run()
    } finally {
      Object.assign(patched[0], { charCodeAt, charAt, indexOf, slice })
      Object.assign(patched[1], { test: matches })
    }
    return count
  }
})

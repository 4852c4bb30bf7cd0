/**
 * The grammar of a JSON object (RFC 8259) as a table: from a state and the class of the next byte to another state, or to
 * something to do. What is inside of strings is not in it but for their ends.
 */

/** States, the numbers of rows. */
export const START = 0
export const DONE = 1
export const VALUE = 2
export const VALUE_OR_END = 3
export const KEY = 4
export const KEY_OR_END = 5
export const COLON = 6
export const AFTER = 7
const MINUS = 8
const ZERO = 9
export const INTEGER = 10
const DOT = 11
export const FRACTION = 12
const EXPONENT = 13
const EXPONENT_SIGN = 14
const EXPONENT_DIGITS = 15
/** The rest of `true`, `false` and `null`, a state for each letter that is behind us. */
const WORDS = 16
/** In these the table is not asked. */
export const STRING = 28
export const ESCAPE = 29
export const UNIT = 30
export const LOW_BACKSLASH = 31
export const LOW_U = 32

/** What is to be done where more than the state changes. */
export const REFUSE = 40
export const BEGIN_STRING = 41
export const BEGIN_KEY = 42
export const OPEN_OBJECT = 43
export const OPEN_ARRAY = 44
export const CLOSE_OBJECT = 45
export const CLOSE_ARRAY = 46
export const NEXT = 47
export const BEGIN_MEMBER = 48

/** The class of a byte: one for each that the grammar tells from the others. */
export const CLASSES = new Uint8Array(256)
/** Places in a row of the table. */
export const WIDTH = 32
export const TABLE = new Uint8Array(STRING * WIDTH).fill(REFUSE)

const SORTS = [
  ' \t',
  '\n\r',
  '{',
  '}',
  '[',
  ']',
  ':',
  ',',
  '"',
  '+',
  '-',
  '.',
  '0',
  '123456789',
  'e',
  'E',
  ...'aflnrstu',
]
for (const [at, sort] of SORTS.entries()) for (const byte of sort) CLASSES[byte.charCodeAt(0)] = at + 1

function on(states: readonly number[], bytes: string, next: number): void {
  for (const state of states) for (const byte of bytes) TABLE[state * WIDTH + (CLASSES[byte.charCodeAt(0)] ?? 0)] = next
}

const NUMBERS = [ZERO, INTEGER, FRACTION, EXPONENT_DIGITS]
const VALUES = [VALUE, VALUE_OR_END]
// Line breaks are for around the message: what travels on a line of its own must not have any.
on([START], ' \n', START)
on([START], '{', OPEN_OBJECT)
on([DONE], ' \n', DONE)
for (const state of [VALUE, VALUE_OR_END, KEY, KEY_OR_END, COLON, AFTER]) on([state], ' ', state)
on(VALUES, '"', BEGIN_STRING)
on(VALUES, '{', OPEN_OBJECT)
on(VALUES, '[', OPEN_ARRAY)
on(VALUES, '-', MINUS)
on([...VALUES, MINUS], '0', ZERO)
on([...VALUES, MINUS, INTEGER], '1', INTEGER)
on([INTEGER], '0', INTEGER)
on([ZERO, INTEGER], '.', DOT)
on([DOT, FRACTION], '01', FRACTION)
on([ZERO, INTEGER, FRACTION], 'eE', EXPONENT)
on([EXPONENT], '+-', EXPONENT_SIGN)
on([EXPONENT, EXPONENT_SIGN, EXPONENT_DIGITS], '01', EXPONENT_DIGITS)
on([VALUE_OR_END], ']', CLOSE_ARRAY)
on([KEY, KEY_OR_END], '"', BEGIN_KEY)
on([KEY_OR_END], '}', CLOSE_OBJECT)
on([COLON], ':', BEGIN_MEMBER)
on([...NUMBERS, AFTER], ' ', AFTER)
on([...NUMBERS, AFTER], ',', NEXT)
on([...NUMBERS, AFTER], ']', CLOSE_ARRAY)
on([...NUMBERS, AFTER], '}', CLOSE_OBJECT)
let row = WORDS
for (const word of ['true', 'false', 'null']) {
  let states: readonly number[] = VALUES
  for (const letter of word.slice(0, -1)) {
    on(states, letter, row)
    states = [row++]
  }
  on(states, word.slice(-1), AFTER)
}

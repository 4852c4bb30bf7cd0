import { expect, test } from 'vitest'
import { type ExpandScope, expandText } from './expand.ts'

function expand(text: string, scope: Partial<ExpandScope> = {}) {
  const problems: string[] = []
  const expanded = expandText(text, { env: ENV, ...scope }, (message) => problems.push(message))
  return { expanded, problems }
}

const ENV = { NAME: 'value', EMPTY: '', TRICKY: '${NAME} $& $1' }

test.each([
  ['plain', 'plain'],
  ['${NAME}', 'value'],
  ['a${NAME}b${NAME}c', 'avaluebvaluec'],
  ['${env:NAME}', 'value'],
  ['${NAME:-other}', 'value'],
  ['${UNSET:-other}', 'other'],
  ['${UNSET:-}', ''],
  ['${EMPTY}', ''],
  ['${EMPTY:-other}', 'other'],
  ['${env:UNSET:-other}', 'other'],
  ['${UNSET:-a:-b}', 'a:-b'],
  ['${TRICKY}', '${NAME} $& $1'],
  ['$${NAME}', '${NAME}'],
  ['$$${NAME}', '$${NAME}'],
  ['$NAME $$ $ {NAME} %NAME%', '$NAME $$ $ {NAME} %NAME%'],
  ['{env:NAME}', '{env:NAME}'],
])('%j becomes %j', (text, expected) => {
  expect(expand(text)).toEqual({ expanded: expected, problems: [] })
})

test.each([
  ['${UNSET}', 'The environment variable UNSET is not set'],
  ['${env:UNSET}', 'The environment variable UNSET is not set'],
  ['${constructor}', 'The environment variable constructor is not set'],
  ['${NAME', 'A "${" is not closed by "}"'],
  ['${}', 'This is not a variable: a name has letters, digits and "_" only'],
  ['${not a name}', 'This is not a variable: a name has letters, digits and "_" only'],
  ['${NAME:?hunter2}', 'This is not a variable: a name has letters, digits and "_" only'],
  ['${input:token}', 'This is not a variable: a name has letters, digits and "_" only'],
])('%j is refused and stays as it is', (text, problem) => {
  expect(expand(text)).toEqual({ expanded: text, problems: [problem] })
})

test('$NAME and {env:NAME} count only where a client writes them', () => {
  expect(expand('Bearer $NAME!', { bareNames: true }).expanded).toBe('Bearer value!')
  expect(expand('Bearer {env:NAME}!', { bracesOnly: true }).expanded).toBe('Bearer value!')
  expect(expand('$UNSET', { bareNames: true }).problems).toHaveLength(1)
})

test.each([['${'.repeat(400_000)], ['{env:'.repeat(150_000)], ['${a'.repeat(300_000)], ['$'.repeat(900_000)]])(
  'a megabyte of openings takes no time to speak of',
  (text) => {
    const started = performance.now()
    let count = 0
    expandText(text, { env: {}, bareNames: true, bracesOnly: true }, () => count++)
    expect(performance.now() - started).toBeLessThan(2000)
  },
)

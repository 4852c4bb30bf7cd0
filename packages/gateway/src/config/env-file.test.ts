import { expect, test } from 'vitest'
import { parseEnvFile } from './env-file.ts'

function parse(text: string) {
  const bad: number[] = []
  const values = Object.fromEntries(parseEnvFile(text, (line) => bad.push(line)))
  return { values, bad }
}

test.each([
  ['A=1', { A: '1' }],
  ['export A=1\r\nB=2\r\n', { A: '1', B: '2' }],
  ['\uFEFFA=1', { A: '1' }],
  ['A = spaced  ', { A: 'spaced' }],
  ['A=', { A: '' }],
  ['# comment\n\n  # another\nA=1 # not a part of it', { A: '1' }],
  ['A=a#b', { A: 'a#b' }],
  ["A='single # ${X} \\n'", { A: 'single # ${X} \\n' }],
  ['A="line\\nbreak \\"quoted\\" \\\\ \\$X"', { A: 'line\nbreak "quoted" \\ $X' }],
  ['A="x" # comment', { A: 'x' }],
  ['A=1\nA=2', { A: '2' }],
  ['A=b=c', { A: 'b=c' }],
])('%j', (text, values) => {
  expect(parse(text)).toEqual({ values, bad: [] })
})

test('names the lines that are none, and keeps the others', () => {
  expect(parse('A=1\nnonsense\n=x\nB="open\nC="x"y\nD=2')).toEqual({ values: { A: '1', D: '2' }, bad: [2, 3, 4, 5] })
})

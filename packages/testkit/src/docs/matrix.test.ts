import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { toCells } from '../matrix/cells.ts'
import { ROWS } from '../matrix/expectations.ts'
import { SCENARIOS } from '../matrix/scenarios.ts'
import { toMatrixPage } from './matrix.ts'

test('docs/matrix.md says what the tests of the matrix prove; `npm run docs` writes it anew', () => {
  const page = readFileSync(new URL('../../../../docs/matrix.md', import.meta.url), 'utf8')
  expect(page).toBe(toMatrixPage())
})

test('every feature on the page has a scenario that its tests run, and every scenario is on the page', () => {
  expect(ROWS.map(({ feature }) => feature).sort()).toEqual(Object.keys(SCENARIOS).sort())
  const page = toMatrixPage()
  for (const { title, expected } of ROWS) {
    expect(page).toContain(`## ${title}\n`)
    const cells = toCells(expected)
    expect(new Set(cells.map(({ sentence }) => sentence)).size).toBe(25)
    for (const { wanted } of cells) expect(page).toContain(`server: ${wanted.sentence}\n`)
  }
})

test('what is not carried says in the page what is answered instead', () => {
  for (const { expected } of ROWS) {
    for (const { wanted } of toCells(expected)) expect(wanted.isCarried || wanted.mark !== undefined).toBe(true)
  }
})

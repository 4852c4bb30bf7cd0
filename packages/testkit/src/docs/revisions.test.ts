import { readFileSync } from 'node:fs'
import { METHODS, REVISIONS } from '@crosspoint/mcp'
import { expect, test } from 'vitest'
import { toRevisionsPage } from './revisions.ts'

test('docs/revisions.md says what the code says; `npm run docs` writes it anew', () => {
  const page = readFileSync(new URL('../../../../docs/revisions.md', import.meta.url), 'utf8')
  expect(page).toBe(toRevisionsPage())
})

test('the page names every method, revision and trait', () => {
  const page = toRevisionsPage()
  const traits = Object.keys(REVISIONS[0]?.traits ?? {})
  expect(traits.length).toBeGreaterThan(10)
  for (const name of [...METHODS.keys(), ...traits]) expect(page).toContain(`| \`${name}\` |`)
  for (const { name } of REVISIONS) expect(page).toContain(`| ${name} |`)
})

test('a method needs in each revision what that revision has to announce it', () => {
  const page = toRevisionsPage()
  for (const method of ['tasks/get', 'tasks/cancel']) {
    expect(page).toContain(
      `| \`${method}\` | ↔ | – | – | – | ● | ● | \`io.modelcontextprotocol/tasks\` · 2025-11-25: \`tasks\` |`,
    )
  }
  expect(page).toContain('| `completion/complete` | → | ● | ● | ● | ● | ● | `completions` · 2024-11-05: none |')
})

test('a question is in the newest revision only as part of an answer', () => {
  expect(toRevisionsPage()).toContain('| `elicitation/create` | ← | – | – | ● | ● | ◐ |')
})

import { writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { toMatrixPage } from './matrix.ts'
import { toRevisionsPage } from './revisions.ts'

/** `npm run docs`: writes the pages that come from code. */
const PAGES = { revisions: toRevisionsPage, matrix: toMatrixPage }
for (const [name, toPage] of Object.entries(PAGES)) {
  writeFileSync(fileURLToPath(new URL(`../../../../docs/${name}.md`, import.meta.url)), toPage())
}

import { writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { toRevisionsPage } from './revisions.ts'

/** `npm run docs`: writes the pages that come from code. */
writeFileSync(fileURLToPath(new URL('../../../../docs/revisions.md', import.meta.url)), toRevisionsPage())

import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'

/** The drafts we check by, as the suite calls them. */
export const DRAFTS = ['draft2020-12', 'draft7'] as const
export type Draft = (typeof DRAFTS)[number]

/** One schema of the suite and values to check by it. */
export interface Group {
  /** Below the folder of the draft, such as `optional/format/uri.json`. */
  readonly file: string
  readonly description: string
  readonly schema: unknown
  readonly tests: readonly { readonly description: string; readonly data: unknown; readonly valid: boolean }[]
}

export interface Suite {
  readonly draft: Draft
  readonly groups: readonly Group[]
  /** What its schemas refer to, by URI. */
  readonly documents: { readonly [uri: string]: unknown }
}

/**
 * Reads the tests of one draft from a checkout of JSON-Schema-Test-Suite: all but those of formats nobody can assert.
 * @throws {TypeError} where it has none of the draft
 */
export function readSuite(checkout: string, draft: Draft): Suite {
  const folder = join(checkout, 'tests', draft)
  const files = filesIn(folder).filter((file) => !file.includes('format/') || ASSERTED.test(file))
  const groups = files.flatMap((file) => {
    const parts = readJson(join(folder, file)) as readonly Omit<Group, 'file'>[] // as the suite's test-schema.json says
    return parts.map((part) => ({ ...part, file, schema: withDialect(draft, part.schema) }))
  })
  if (groups.length === 0) {
    throw new TypeError(`Cannot find tests of ${draft} in "${folder}": wanted is a checkout of JSON-Schema-Test-Suite`)
  }
  return { draft, groups, documents: readRemotes(join(checkout, 'remotes'), draft) }
}

const ASSERTED = /\/(?:email|uri|date|date-time)\.json$/

/** Those of other drafts are left out: we refuse most of their dialects. */
function readRemotes(folder: string, draft: Draft): { readonly [uri: string]: unknown } {
  const ours = filesIn(folder).filter((file) => file.startsWith(`${draft}/`) || !OF_A_DRAFT.test(file))
  return Object.fromEntries(
    ours.map((file) => [`http://localhost:1234/${file}`, withDialect(draft, readJson(join(folder, file)))]),
  )
}

const OF_A_DRAFT = /^(?:draft[\d-]+|v\d+)\//

/** A schema that does not say its dialect is of the draft whose folder it is in. */
function withDialect(draft: Draft, schema: unknown): unknown {
  if (draft !== 'draft7' || typeof schema !== 'object') return schema
  return { $schema: 'http://json-schema.org/draft-07/schema#', ...schema }
}

function filesIn(folder: string): readonly string[] {
  if (!existsSync(folder)) return []
  const paths = readdirSync(folder, { recursive: true, encoding: 'utf8' })
  return paths
    .map((path) => path.replaceAll('\\', '/'))
    .filter((path) => path.endsWith('.json'))
    .sort()
}

function readJson(path: string): unknown {
  return JSON.parse(readFileSync(path, 'utf8'))
}

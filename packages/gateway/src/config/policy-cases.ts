import { z } from 'zod'
import { Complaints } from './complaints.ts'
import { ConfigError } from './config-error.ts'
import { formatOf, readDocument } from './parse.ts'
import { quoted } from './quoted.ts'
import { locate, type Tree, toPlain } from './tree.ts'

/** What is expected of the rules for one caller and one thing. */
export interface PolicyCase {
  /** For people. Default: who asks for what. */
  readonly name: string
  readonly as: string
  /** Default `default`. */
  readonly tenant: string
  readonly roles: readonly string[]
  /** Undefined: it brings none, and is not bound by any. */
  readonly scopes: readonly string[] | undefined
  readonly claims: Readonly<Record<string, unknown>> | undefined
  /** Undefined: the view of everything. */
  readonly view: string | undefined
  readonly kind: 'tool' | 'prompt' | 'resource'
  /** As the view has it: a name, or a URI. */
  readonly thing: string
  readonly arguments: Readonly<Record<string, unknown>>
  /** What is answered, for rules about that. */
  readonly result: Readonly<Record<string, unknown>> | undefined
  readonly expect: 'allow' | 'deny'
  /** The rule that has to decide. Undefined: any. */
  readonly rule: string | undefined
  /** Whether it has to be in its lists. Undefined: either. */
  readonly listed: boolean | undefined
  /** Where it is written. */
  readonly line: number
}

const mapping = z.record(z.string(), z.unknown(), { error: 'Must be a mapping' })
const text = z.string({ error: 'Must be a text' }).min(1, 'Must not be empty')
const texts = z.array(text, { error: 'Must be a list of texts' })

const written = z
  .strictObject(
    {
      name: text.optional(),
      as: text,
      tenant: text.default('default'),
      roles: texts.default([]),
      scopes: texts.optional(),
      claims: mapping.optional(),
      view: text.optional(),
      tool: text.optional(),
      prompt: text.optional(),
      resource: text.optional(),
      arguments: mapping.default({}),
      result: mapping.optional(),
      expect: z.enum(['allow', 'deny'], { error: 'Must be allow or deny' }),
      rule: text.optional(),
      listed: z.boolean({ error: 'Must be true or false' }).optional(),
    },
    { error: 'Must be a mapping with "as", "expect" and one of "tool", "prompt" and "resource"' },
  )
  .refine(({ tool, prompt, resource }) => [tool, prompt, resource].filter((one) => one !== undefined).length === 1, {
    error: 'Must name one of "tool", "prompt" and "resource"',
  })

const schema = z.strictObject({
  tests: z
    .array(written, { error: 'Must be a list of tests' })
    .min(1, 'There must be at least one test')
    .max(10_000, 'At most 10000 tests'),
})

/**
 * Reads what `crosspoint policy test` is to hold the rules against: YAML, JSON or JSONC with `tests`.
 * @param path as messages name it; its ending says which of them
 * @throws {ConfigError} with everything that is wrong at once
 */
export function parsePolicyCases(source: string, path: string): readonly PolicyCase[] {
  const complaints = new Complaints(path)
  const tree = readDocument(source, path, formatOf(path, source), complaints)
  const checked = schema.safeParse(toPlain(tree))
  if (!checked.success) for (const issue of checked.error.issues) report(issue, tree, complaints)
  if (!checked.success || complaints.errors.length > 0) throw new ConfigError(complaints.errors)
  return checked.data.tests.map(({ tool, prompt, resource, ...rest }, at) => {
    const kind = tool !== undefined ? 'tool' : prompt !== undefined ? 'prompt' : 'resource'
    const thing = tool ?? prompt ?? resource ?? '' // one of them is there
    const { name = `${rest.as} and ${thing}`, scopes, claims, view, result, rule, listed } = rest
    const { origin } = locate(tree, ['tests', at])
    const line = origin.source === 'file' ? origin.line : 0
    return { ...rest, name, scopes, claims, view, result, rule, listed, kind, thing, line }
  })
}

function report(issue: z.core.$ZodIssue, tree: Tree, complaints: Complaints): void {
  const { origin, found } = locate(tree, issue.path)
  if (issue.code === 'unrecognized_keys') {
    for (const key of issue.keys)
      complaints.error(locate(tree, [...issue.path, key]).origin, `Unknown key ${quoted(key)}`)
  } else if (found === undefined) {
    complaints.error(origin, `The key ${quoted(String(issue.path.at(-1)))} is missing`)
  } else complaints.error(origin, issue.message)
}

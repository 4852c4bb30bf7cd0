import type { z } from 'zod'
import { didYouMean } from './check.ts'
import type { Complaints } from './complaints.ts'
import { quoted } from './quoted.ts'
import { configSchema, knownKeys, type WrittenConfig } from './schema.ts'
import { locate, type Tree, toPlain } from './tree.ts'

/**
 * Checks a document in our own shape against the schema and fills in the defaults. What is wrong is reported and
 * left out of what is returned, so that the rest can still be checked; undefined when nothing is left.
 */
export function validate(root: Tree, complaints: Complaints): WrittenConfig | undefined {
  const checked = configSchema.safeParse(toPlain(root))
  if (checked.success) return checked.data
  for (const issue of checked.error.issues) report(issue, root, complaints)
  const sound = checked.error.issues.flatMap(pathsOf).reduce(without, root)
  return configSchema.safeParse(toPlain(sound)).data
}

function pathsOf(issue: z.core.$ZodIssue): PropertyKey[][] {
  return issue.code === 'unrecognized_keys' ? issue.keys.map((key) => [...issue.path, key]) : [[...issue.path]]
}

/** The tree without the value at a path; a list loses itself, since its members count. */
function without(tree: Tree, [step, ...rest]: readonly PropertyKey[]): Tree {
  if (tree.kind !== 'table' || step === undefined) return tree
  const entry = tree.entries.get(String(step))
  if (entry === undefined) return tree
  const entries = new Map(tree.entries)
  if (rest.length > 0 && entry.value.kind === 'table') {
    entries.set(String(step), { ...entry, value: without(entry.value, rest) })
  } else {
    entries.delete(String(step))
  }
  return { ...tree, entries }
}

function report(issue: z.core.$ZodIssue, root: Tree, complaints: Complaints): void {
  const { origin, found } = locate(root, issue.path)
  if (issue.code === 'unrecognized_keys') {
    for (const key of issue.keys) {
      const at = locate(root, [...issue.path, key]).origin
      complaints.error(at, `Unknown key ${quoted(key)}`, hintFor(key, knownKeys(issue.path)))
    }
  } else if (issue.code === 'invalid_key') {
    complaints.error(origin, issue.issues[0]?.message ?? 'This key is not allowed')
  } else if (found === undefined) {
    complaints.error(origin, `The key ${quoted(String(issue.path.at(-1)))} is missing`)
  } else {
    complaints.error(origin, issue.message)
  }
}

function hintFor(key: string, known: readonly string[]): string | undefined {
  const meant = Object.hasOwn(MEANT, key) ? MEANT[key] : undefined
  if (meant !== undefined && known.includes(meant)) return `here it is ${quoted(meant)}`
  return (
    didYouMean(key, known) ?? (known.length > 0 && known.length < 12 ? `known here: ${known.join(', ')}` : undefined)
  )
}

/** What other tools call it -> what we do. */
const MEANT: Readonly<Record<string, string>> = {
  disabled: 'enabled',
  environment: 'env',
  envs: 'env',
  cmd: 'command',
  serverUrl: 'url',
  httpUrl: 'url',
  uri: 'url',
  transport: 'type',
  http_headers: 'headers',
  timeout: 'requestTimeoutMs',
  includeTools: 'tools',
  excludeTools: 'tools',
  disabledTools: 'tools',
  server: 'servers',
  context_servers: 'mcpServers',
}

import { compileJsonSchema } from '@crosspoint/mcp/json-schema'
import type { Group, Suite } from './read.ts'

export interface Count {
  readonly passed: number
  readonly failed: number
}

export interface Verdict {
  readonly required: Count
  readonly optional: Count
  /** Failures nobody knew of, and known failures that did not fail. */
  readonly unexpected: readonly string[]
}

/** @param known tests that fail, by name, each with why */
export function judge(suite: Suite, known: ReadonlyMap<string, string>): Verdict {
  const names = (groups: readonly Group[]) => groups.flatMap((group) => namesOf(suite, group))
  const isOptional = ({ file }: Group) => file.startsWith('optional/')
  const optional = suite.groups.filter(isOptional)
  const required = suite.groups.filter((group) => !isOptional(group))
  const failed = new Set(suite.groups.flatMap((group) => failuresOf(suite, group)))
  const count = (all: readonly string[]): Count => {
    const failures = all.filter((name) => failed.has(name)).length
    return { passed: all.length - failures, failed: failures }
  }
  const files = new Set(suite.groups.map(({ file }) => `${suite.draft} ${file}`))
  const stale = [...known.keys()].filter((name) => !failed.has(name) && files.has(name.split(':')[0] ?? ''))
  return {
    required: count(names(required)),
    optional: count(names(optional)),
    unexpected: [
      ...[...failed].filter((name) => !known.has(name)).map((name) => `failed: ${name}`),
      ...stale.map((name) => `known to fail, and did not: ${name}`),
    ],
  }
}

function failuresOf(suite: Suite, group: Group): readonly string[] {
  const conforms = compile(suite, group)
  const names = namesOf(suite, group)
  return names.filter((_, at) => {
    const test = group.tests[at]
    return test !== undefined && conforms?.(test.data) !== test.valid
  })
}

/** Undefined for a schema we refuse, with which all tests of the group fail. */
function compile({ documents }: Suite, { file, schema }: Group): ((value: unknown) => boolean) | undefined {
  try {
    const compiled = compileJsonSchema(schema, { documents, assertFormats: file.startsWith('optional/format/') })
    return (value) => compiled.validate(value) === undefined
  } catch {
    return undefined
  }
}

function namesOf({ draft }: Suite, { file, description, tests }: Group): readonly string[] {
  return tests.map((test) => `${draft} ${file}: ${description}: ${test.description}`)
}

import { compileJsonSchema, JsonSchemaError } from '@crosspoint/mcp/json-schema'
import { Ajv } from 'ajv'
import { Ajv2020 } from 'ajv/dist/2020.js'
import formats from 'ajv-formats'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { caseOf, DIALECTS, type JsonMembers } from './arbitrary.ts'

/** Without `allErrors` ajv leaves out all that follows a `prefixItems` longer than the array. */
const OPTIONS = { strict: false, allErrors: true, validateSchema: false, ownProperties: true, logger: false } as const

type Verdict = (value: unknown) => boolean

function theirs(dialect: keyof typeof DIALECTS, schema: JsonMembers): Verdict {
  const ajv = dialect === 'draft-07' ? new Ajv(OPTIONS) : new Ajv2020(OPTIONS)
  // It would keep marks that nobody asks for, and throws at some of them.
  if (dialect === '2020-12') ajv.opts.unevaluated = false
  formats.default(ajv, ['date'])
  const validate = ajv.compile(withMinItems(schema) as JsonMembers) // an object stays one
  return (value) => validate(value) === true
}

/**
 * The same schema, saying that an array which must contain something is not empty: inside a loop ajv takes for an
 * empty array what the one before had.
 */
function withMinItems(schema: unknown): unknown {
  if (typeof schema !== 'object' || schema === null) return schema
  if (Array.isArray(schema)) return schema.map(withMinItems)
  const { contains, minContains, minItems, ...rest } = Object.fromEntries(
    Object.entries(schema).map(([keyword, held]) => [keyword, withMinItems(held)]),
  )
  const implied = contains !== undefined && minContains !== 0 ? 1 : 0
  const present = { contains, minContains, minItems: Math.max(implied, Number(minItems ?? 0)) || undefined }
  return { ...rest, ...Object.fromEntries(Object.entries(present).filter(([, held]) => held !== undefined)) }
}

/** Undefined for the schemas we refuse on purpose: ajv would go round in them until its stack ends. */
function ours(schema: JsonMembers): Verdict | undefined {
  try {
    const { validate } = compileJsonSchema(schema, { assertFormats: true })
    return (value) => validate(value) === undefined
  } catch (error) {
    if (error instanceof JsonSchemaError && error.message.includes('which never ends')) return undefined
    throw error
  }
}

describe.each(Object.keys(DIALECTS) as (keyof typeof DIALECTS)[])('%s', (dialect) => {
  test('verdicts are those of ajv, over schemas and values made at random', () => {
    const said = { yes: 0, no: 0 }
    fc.assert(
      fc.property(caseOf(DIALECTS[dialect]), ({ schema, values }) => {
        const conforms = ours(schema)
        fc.pre(conforms !== undefined)
        const judge = theirs(dialect, schema)
        for (const value of values) {
          const verdict = conforms(value)
          said[verdict ? 'yes' : 'no']++
          if (verdict !== judge(value)) {
            throw new Error(`We say ${verdict} of ${JSON.stringify(value)} by ${JSON.stringify(schema)}`)
          }
        }
      }),
      { numRuns: RUNS, seed: SEED },
    )
    // Neither answer is the usual one, so that being wrong is seen.
    expect(Math.min(said.yes, said.no)).toBeGreaterThan(RUNS)
  })
})

/** Some three seconds for all three, most of it ajv's compiling. */
const RUNS = 200
const SEED = 2_020_12

import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { JsonObject } from '@crosspoint/mcp'
import { Ajv, type AnySchemaObject } from 'ajv'
import { Ajv2020 } from 'ajv/dist/2020.js'
import formats from 'ajv-formats'
import { findShared } from '../shared.ts'

/** Judges messages by the official JSON Schema of one revision. */
export interface Referee {
  /** Whether the revision has a type of this name. */
  has(type: string): boolean
  /** What is wrong with a value as one of the type, or undefined. */
  fault(type: string, value: unknown): string | undefined
}

/** The referee of a revision, or undefined where the schemas are not at hand (see {@link findShared}). */
export function createReferee(revision: string): Referee | undefined {
  const file = findShared('spec', 'schema', `${revision}.json`)
  if (file === undefined) return undefined
  const schema = JSON.parse(readFileSync(file, 'utf8')) as AnySchemaObject // the official file is an object
  const folder = schema.$defs === undefined ? 'definitions' : '$defs'
  const definitions = schema[folder] as Record<string, AnySchemaObject> // both spellings hold schemas by name
  withFractions(definitions.ElicitResult)
  const options = { strict: false, allErrors: false }
  const ajv = folder === '$defs' ? new Ajv2020(options) : new Ajv(options)
  formats.default(ajv)
  ajv.addFormat('byte', true).addFormat('uri-template', true)
  ajv.addSchema(schema, 'mcp')
  return {
    has: (type) => Object.hasOwn(definitions, type),
    fault: (type, value) => {
      const validate = ajv.getSchema(`mcp#/${folder}/${type}`)
      if (validate === undefined) throw new Error(`Revision "${revision}" has no type "${type}"`)
      return validate(value) === true ? undefined : ajv.errorsText(validate.errors, { dataVar: type })
    },
  }
}

/** The generated schemas say integer where schema.ts, the source of truth, says number (PROTOCOL §17). */
function withFractions(elicitResult: AnySchemaObject | undefined): void {
  const values = elicitResult?.properties.content.additionalProperties as
    | { type?: unknown; anyOf?: unknown }
    | undefined
  const text = JSON.stringify(values)
  if (values !== undefined) Object.assign(values, JSON.parse(text.replace('"integer"', '"number"')) as JsonObject)
}

/** The official examples of a revision; none where they are not at hand. */
export function readOfficialExamples(revision: string): readonly OfficialExample[] {
  const folder = findShared('spec', 'examples', revision)
  if (folder === undefined) return []
  return readdirSync(folder).flatMap((type) =>
    readdirSync(join(folder, type)).map((name) => ({
      type,
      path: `${type}/${name}`,
      text: readFileSync(join(folder, type, name), 'utf8'),
    })),
  )
}

export interface OfficialExample {
  readonly type: string
  readonly path: string
  readonly text: string
}
export { createSchemaJudge } from './schema.ts'

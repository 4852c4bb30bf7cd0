import { Compiler } from './compile.ts'
import { APPLIED_PER_LEVEL, JSON_SCHEMA_LIMITS, type JsonSchemaLimits, MORE_FOR_LARGE } from './limits.ts'
import { type Library, readDocument } from './places.ts'
import { JsonSchemaError, toLine } from './refused.ts'
import { PRIVATE_BASE } from './resolve.ts'
import { type Fault, Overrun, Report, type Run, type SchemaNode } from './run.ts'
import { Work } from './work.ts'

export interface JsonSchemaOptions extends Partial<JsonSchemaLimits> {
  /**
   * Refuses text that is not of its `format`, of those that forms of elicitation have: `email`, `uri`, `date` and
   * `date-time`. Default false: a format is a remark.
   */
  readonly assertFormats?: boolean
  /** Other schemas that may be referred to, by absolute URI. Nothing is ever fetched. Default none. */
  readonly documents?: { readonly [uri: string]: unknown }
}

/** A schema, ready to check values by. */
export interface CompiledJsonSchema {
  /**
   * What is wrong with a value; undefined when it conforms. A member whose value is `undefined` counts as absent, as
   * it is not sent. Allocates nothing for a value that conforms, unless the schema has `unevaluated*` keywords.
   */
  validate(value: unknown): ValueFault | undefined
}

/** Why a value does not conform. */
export interface ValueFault {
  /** One line for people and models, such as `/days: expected at most 14, found the number 30; missing "city"`. */
  readonly text: string
  /** The first of them, at most `maxFaults`; empty when the check was given up. */
  readonly faults: readonly Fault[]
}

/**
 * Compiles a JSON Schema of 2020-12, which is assumed where `$schema` says nothing, or draft-07. No code is made from
 * it, patterns take linear time, and both compiling and checking are bounded by the limits of `options`.
 * @throws {JsonSchemaError} for a schema that cannot be used: which place of it, and what would work
 * @example
 * const schema = compileJsonSchema({ type: 'object', properties: { city: { type: 'string' } }, required: ['city'] })
 * schema.validate({ city: 'Rome' }) // undefined
 * schema.validate({})?.text // 'missing "city"'
 */
export function compileJsonSchema(schema: unknown, options: JsonSchemaOptions = {}): CompiledJsonSchema {
  const { assertFormats = false, documents = {}, ...rest } = options
  const limits = { ...JSON_SCHEMA_LIMITS, ...rest }
  const work = new Work(limits.maxWork)
  checkSize([schema, ...Object.values(documents)], limits, work)
  const given = new Map(Object.entries(documents).map(([uri, document]) => [uri.replace(/#$/, ''), document]))
  const library: Library = { limits, given, resources: new Map(), subschemas: 0, work }
  const root = readDocument(library, schema, PRIVATE_BASE, '', true)
  for (const [uri, document] of given) readDocument(library, document, uri, uri, true)
  return toCompiled(new Compiler(library, assertFormats).compile(root), limits)
}

/** Before anything is looked at: all there is, counted without recursion. */
function checkSize(roots: readonly unknown[], { maxMembers }: JsonSchemaLimits, work: Work): void {
  const waiting: unknown[] = [...roots]
  let count = 0
  for (let next = waiting.pop(); waiting.length > 0 || next !== undefined; next = waiting.pop()) {
    if (typeof next !== 'object' || next === null) continue
    const parts: readonly unknown[] = Array.isArray(next) ? next : Object.values(next)
    count += parts.length
    if (count > maxMembers) throw new JsonSchemaError('', `a schema has at most ${maxMembers} members and items`)
    for (const part of parts) {
      if (typeof part === 'string') work.spend(part.length >> 6)
      else if (typeof part === 'object' && part !== null) waiting.push(part)
    }
  }
}

function toCompiled(node: SchemaNode, limits: JsonSchemaLimits): CompiledJsonSchema {
  const { maxSteps, maxFaults } = limits
  const run: Run = {
    left: 0,
    large: undefined,
    maxMore: maxSteps * MORE_FOR_LARGE,
    depth: 0,
    maxDepth: limits.maxDepth * APPLIED_PER_LEVEL,
    report: undefined,
    scopes: [],
  }
  const conforms = (value: unknown, report: Report | undefined): boolean => {
    run.depth = 0
    run.scopes.length = 0
    run.report = report
    return node.check(value, run, undefined)
  }
  return {
    validate(value) {
      let report: Report | undefined
      try {
        run.left = maxSteps
        run.large = value
        if (conforms(value, undefined)) return undefined
        report = new Report(run, maxFaults)
        conforms(value, report)
        return toFault(report.faults)
      } catch (error) {
        if (!(error instanceof Overrun)) throw error
        return report === undefined || report.faults.length === 0 ? GIVEN_UP : toFault(report.faults)
      } finally {
        run.large = undefined
      }
    },
  }
}

function toFault(faults: readonly Fault[]): ValueFault {
  return {
    text: faults.map(({ path, message }) => (path === '' ? message : `${toLine(path)}: ${message}`)).join('; '),
    faults,
  }
}

const GIVEN_UP: ValueFault = Object.freeze({
  text: 'too large or too deep to be checked by its schema',
  faults: Object.freeze([]),
})

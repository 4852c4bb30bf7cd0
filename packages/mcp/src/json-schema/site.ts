import type { JsonObject } from '../jsonrpc/frame.ts'
import type { Matcher } from './pattern/index.ts'
import type { Place } from './places.ts'
import type { Check, SchemaNode } from './run.ts'

/** One schema object while it is compiled: what the keywords see of it. */
export interface Site {
  readonly schema: JsonObject
  readonly place: Place
  readonly assertsFormat: boolean
  /** Undefined where the schema has no such keyword, or its dialect does not know it. */
  value(keyword: string): unknown
  /** A whole number of at least 0; undefined where there is none. */
  count(keyword: string): number | undefined
  /** Names to other things, read as own members only. */
  map(keyword: string): readonly (readonly [name: string, value: unknown])[] | undefined
  list(keyword: string): readonly unknown[] | undefined
  /** The subschema at a path below this one, for another part of the value. */
  below(...path: readonly (string | number)[]): SchemaNode
  /** The subschema at a path below this one, for the same value. */
  inPlace(...path: readonly (string | number)[]): SchemaNode
  /** Where `$ref` leads. */
  reference(keyword: string): SchemaNode
  /** Where `$dynamicRef` leads, and its name when what it leads to may be extended. */
  dynamicReference(): { readonly node: SchemaNode; readonly name: string | undefined }
  pattern(source: unknown, ...path: readonly (string | number)[]): Matcher
  /** Adds to the steps of each check: 1 is counted for the schema itself. */
  costs(steps: number): void
  /** @throws {JsonSchemaError} always */
  refuse(path: string, message: string): never
}

/** Keywords that belong together. */
export interface Keywords {
  /** All of them, with spaces between. A schema that has none of them is not asked. */
  readonly names: string
  /** Checks in the order they are made. */
  toChecks(site: Site): readonly Check[]
}

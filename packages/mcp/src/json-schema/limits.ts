/** What a schema, and checking a value by it, may cost. By the defaults neither holds one core for 50 ms. */
export interface JsonSchemaLimits {
  /** How deep subschemas may nest. A check may apply eight times as many within each other. Default 64. */
  readonly maxDepth: number
  /** Most subschemas, of the documents given with the schema too. Default 2,000. */
  readonly maxSubschemas: number
  /**
   * Most work of compiling: some 20 for a subschema, 3 for each character of a pattern and more for what it means, and
   * what following references and identities takes. Default 100,000.
   */
  readonly maxWork: number
  /** Most members and items in the text of a schema, names and values of `enum` included. Default 10,000. */
  readonly maxMembers: number
  /**
   * Most steps of one check: a step is a subschema applied, a name of the schema looked for or a few characters. Each
   * member and item of the value adds four, up to two thirds more in all. Default 300,000.
   */
  readonly maxSteps: number
  /** Most faults told of one value. Default 5. */
  readonly maxFaults: number
}

export const JSON_SCHEMA_LIMITS: JsonSchemaLimits = Object.freeze({
  maxDepth: 64,
  maxSubschemas: 2_000,
  maxWork: 100_000,
  maxMembers: 10_000,
  maxSteps: 300_000,
  maxFaults: 5,
})

/** How many subschemas may be applied within each other, for each level of `maxDepth`: `$ref` and `allOf` add some. */
export const APPLIED_PER_LEVEL = 8

/** Steps that each member and item of a value adds to those of its check. */
export const STEPS_PER_PART = 4
/** What they add at most, for each of `maxSteps`. */
export const MORE_FOR_LARGE = 2 / 3

/** What a schema, and checking a value by it, may cost. The defaults hold 50 ms of one core on slow machines. */
export interface JsonSchemaLimits {
  /** How deep subschemas may nest. A check may apply eight times as many within each other. Default 64. */
  readonly maxDepth: number
  /** Most subschemas, of the documents given with the schema too. Default 2,000. */
  readonly maxSubschemas: number
  /** Most members and items in the text of a schema, names and values of `enum` included. Default 10,000. */
  readonly maxMembers: number
  /** Most steps of one check. A step is a subschema applied, a name looked at or a few characters. Default 1,000,000. */
  readonly maxSteps: number
  /** Most faults told of one value. Default 5. */
  readonly maxFaults: number
}

export const JSON_SCHEMA_LIMITS: JsonSchemaLimits = Object.freeze({
  maxDepth: 64,
  maxSubschemas: 2_000,
  maxMembers: 10_000,
  maxSteps: 1_000_000,
  maxFaults: 5,
})

/** How many subschemas may be applied within each other, for each level of `maxDepth`: `$ref` and `allOf` add some. */
export const APPLIED_PER_LEVEL = 8

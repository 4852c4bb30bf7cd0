import type { JsonObject } from '@crosspoint/mcp'
import fc, { type Arbitrary } from 'fast-check'
import { icons, json, meta, name, text } from './content.ts'

/** Arbitrary tools in the newest vocabulary: any schema of 2020-12 as output, one that is an object as input. */

type Schemas = { readonly schema: JsonObject | boolean; readonly object: JsonObject }

const leaf: Arbitrary<JsonObject> = fc.oneof(
  fc.constantFrom('string', 'number', 'integer', 'boolean', 'null').map((type) => ({ type })),
  fc.constant({}),
  json.map((value) => ({ const: value })),
  fc.array(json, { minLength: 1, maxLength: 3 }).map((values) => ({ enum: values })),
  fc.constant({ $ref: '#/$defs/thing' }),
  fc.constant({ type: ['string', 'null'] }),
  fc.constant({ type: ['object', 'null'] }),
)

const { schema, object } = fc.letrec<Schemas>((tie) => {
  const inner: Arbitrary<JsonObject | boolean> = tie('schema')
  const composed: readonly Arbitrary<JsonObject | boolean>[] = [
    fc.boolean(),
    tie('object'),
    inner.map((items) => ({ type: 'array', items })),
    several(inner).map((prefixItems) => ({ type: 'array', prefixItems })),
    several(inner).map((anyOf) => ({ anyOf })),
    several(inner).map((oneOf) => ({ oneOf })),
    several(tie('object')).map((oneOf) => ({ oneOf })),
  ]
  const members: Record<string, Arbitrary<unknown>> = {
    type: fc.constant('object'),
    properties: fc.dictionary(name, inner, { maxKeys: 3 }),
    required: fc.constant([]),
    additionalProperties: inner,
    description: text,
    $defs: fc.record({ thing: fc.oneof(leaf, fc.constant({ type: 'object' })) }),
  }
  return {
    object: fc.record(members, { requiredKeys: ['type'] }),
    schema: fc.oneof({ maxDepth: 3 }, leaf, ...composed),
  }
})

function several<T>(one: Arbitrary<T>): Arbitrary<T[]> {
  return fc.array(one, { minLength: 1, maxLength: 3 })
}

const hint = fc.boolean()

export const tool: Arbitrary<JsonObject> = fc.record(
  {
    name,
    title: text,
    description: text,
    inputSchema: object,
    outputSchema: schema.filter((output) => typeof output === 'object'),
    annotations: fc.record(
      { title: text, readOnlyHint: hint, destructiveHint: hint, idempotentHint: hint, openWorldHint: hint },
      { requiredKeys: [] },
    ),
    icons,
    _meta: meta,
  },
  { requiredKeys: ['name', 'inputSchema'] },
)

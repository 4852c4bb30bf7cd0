// The official metaschemas, for schemas that refer to them: a tool may take a JSON Schema as its argument. Shortened to
// what they assert; titles, defaults and formats, which are annotations, are left out.
import { URI_2020_12, URI_DRAFT_07 } from './dialect.ts'

type Members = { readonly [name: string]: unknown }

const ref = ($ref: string) => ({ $ref })
const SCHEMA = { $dynamicRef: '#meta' }
const TEXT = { type: 'string' }
const NUMBER = { type: 'number' }
const FLAG = { type: 'boolean' }
const LIST = { type: 'array' }
const byName = (member: unknown) => ({ type: 'object', additionalProperties: member })
const all = (keywords: string, value: unknown): Members =>
  Object.fromEntries(keywords.split(' ').map((keyword) => [keyword, value]))

const TYPES = { enum: ['array', 'boolean', 'integer', 'null', 'number', 'object', 'string'] }
const NAMES = { type: 'array', items: TEXT, uniqueItems: true }
const COUNT = { type: 'integer', minimum: 0 }
const NUMERIC = {
  ...all('maximum exclusiveMaximum minimum exclusiveMinimum', NUMBER),
  multipleOf: { type: 'number', exclusiveMinimum: 0 },
}
const LIMITS = 'maxLength minLength maxItems minItems maxProperties minProperties'

/** A vocabulary of 2020-12 as a metaschema of its own, which others extend by the dynamic anchor. */
const part = (name: string, properties: Members, $defs: Members = {}): [string, Members] => {
  const $id = `${URI_2020_12.replace(/schema$/, 'meta/')}${name}`
  return [$id, { $schema: URI_2020_12, $id, $dynamicAnchor: 'meta', type: ['object', 'boolean'], properties, $defs }]
}

const PARTS: readonly [string, Members][] = [
  part(
    'core',
    {
      $id: { ...ref('#/$defs/uriReferenceString'), pattern: '^[^#]*#?$' },
      $schema: ref('#/$defs/uriString'),
      ...all('$ref $dynamicRef', ref('#/$defs/uriReferenceString')),
      ...all('$anchor $dynamicAnchor', ref('#/$defs/anchorString')),
      $vocabulary: { ...byName(FLAG), propertyNames: ref('#/$defs/uriString') },
      $comment: TEXT,
      $defs: byName(SCHEMA),
    },
    {
      anchorString: { type: 'string', pattern: '^[A-Za-z_][-A-Za-z0-9._]*$' },
      uriString: TEXT,
      uriReferenceString: TEXT,
    },
  ),
  part(
    'applicator',
    {
      ...all('prefixItems allOf anyOf oneOf', ref('#/$defs/schemaArray')),
      ...all('items contains additionalProperties propertyNames if then else not', SCHEMA),
      ...all('properties patternProperties dependentSchemas', byName(SCHEMA)),
    },
    { schemaArray: { type: 'array', minItems: 1, items: SCHEMA } },
  ),
  part('unevaluated', all('unevaluatedItems unevaluatedProperties', SCHEMA)),
  part(
    'validation',
    {
      type: {
        anyOf: [
          ref('#/$defs/simpleTypes'),
          { ...LIST, items: ref('#/$defs/simpleTypes'), minItems: 1, uniqueItems: true },
        ],
      },
      const: true,
      enum: LIST,
      ...NUMERIC,
      ...all(`${LIMITS} maxContains minContains`, ref('#/$defs/nonNegativeInteger')),
      pattern: TEXT,
      uniqueItems: FLAG,
      required: ref('#/$defs/stringArray'),
      dependentRequired: byName(ref('#/$defs/stringArray')),
    },
    { nonNegativeInteger: COUNT, nonNegativeIntegerDefault0: COUNT, simpleTypes: TYPES, stringArray: NAMES },
  ),
  part('meta-data', {
    ...all('title description', TEXT),
    ...all('deprecated readOnly writeOnly', FLAG),
    default: true,
    examples: LIST,
  }),
  part('format-annotation', { format: TEXT }),
  part('content', { ...all('contentEncoding contentMediaType', TEXT), contentSchema: SCHEMA }),
]

const METASCHEMA_2020_12 = {
  $schema: URI_2020_12,
  $id: URI_2020_12,
  $dynamicAnchor: 'meta',
  allOf: PARTS.map(([$id]) => ref($id)),
  type: ['object', 'boolean'],
  properties: {
    definitions: byName(SCHEMA),
    dependencies: byName({ anyOf: [SCHEMA, ref('meta/validation#/$defs/stringArray')] }),
  },
}

const ROOT = ref('#')
const METASCHEMA_07 = {
  $schema: `${URI_DRAFT_07}#`,
  $id: `${URI_DRAFT_07}#`,
  definitions: {
    schemaArray: { type: 'array', minItems: 1, items: ROOT },
    nonNegativeInteger: COUNT,
    nonNegativeIntegerDefault0: COUNT,
    simpleTypes: TYPES,
    stringArray: NAMES,
  },
  type: ['object', 'boolean'],
  properties: {
    ...all('$id $schema $ref $comment title description pattern format contentMediaType contentEncoding', TEXT),
    ...all('default const', true),
    ...all('readOnly writeOnly uniqueItems', FLAG),
    ...NUMERIC,
    ...all(LIMITS, COUNT),
    ...all('additionalItems contains additionalProperties propertyNames if then else not', ROOT),
    ...all('definitions properties patternProperties', byName(ROOT)),
    ...all('allOf anyOf oneOf', ref('#/definitions/schemaArray')),
    examples: LIST,
    items: { anyOf: [ROOT, ref('#/definitions/schemaArray')] },
    required: NAMES,
    dependencies: byName({ anyOf: [ROOT, NAMES] }),
    enum: LIST,
    type: { anyOf: [TYPES, { type: 'array', items: TYPES, minItems: 1, uniqueItems: true }] },
  },
}

/** By URI, without a fragment. */
export const METASCHEMAS: ReadonlyMap<string, Members> = new Map<string, Members>([
  [URI_2020_12, METASCHEMA_2020_12],
  [URI_DRAFT_07, METASCHEMA_07],
  ...PARTS,
])

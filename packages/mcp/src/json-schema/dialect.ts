/** Which keywords mean something in a schema, and how. */
export interface Dialect {
  readonly draft: '2020-12' | 'draft-07'
  readonly keywords: ReadonlySet<string>
  /** `format` is asserted, whatever the options say. */
  readonly assertsFormat: boolean
  /** The schema did not say which dialect it is of: forms of draft-07 that 2020-12 has not are understood too. */
  readonly assumed: boolean
}

export const URI_2020_12 = 'https://json-schema.org/draft/2020-12/schema'
export const URI_DRAFT_07 = 'http://json-schema.org/draft-07/schema'
export const SUPPORTED = `"${URI_2020_12}" and "${URI_DRAFT_07}#"`

/** Keywords of 2020-12 by the vocabulary they belong to. */
const VOCABULARIES: { readonly [name: string]: string } = {
  core: '$id $schema $ref $anchor $dynamicRef $dynamicAnchor $vocabulary $comment $defs definitions',
  applicator:
    'prefixItems items contains additionalProperties properties patternProperties dependentSchemas propertyNames if then else allOf anyOf oneOf not additionalItems dependencies',
  unevaluated: 'unevaluatedItems unevaluatedProperties',
  validation:
    'type const enum multipleOf maximum exclusiveMaximum minimum exclusiveMinimum maxLength minLength pattern maxItems minItems uniqueItems maxContains minContains maxProperties minProperties required dependentRequired',
  'format-annotation': 'format',
  'format-assertion': 'format',
  'meta-data': '',
  content: 'contentSchema',
}

const DRAFT_07_KEYWORDS =
  '$id $schema $ref $comment definitions items additionalItems contains additionalProperties properties patternProperties dependencies propertyNames if then else allOf anyOf oneOf not type const enum multipleOf maximum exclusiveMaximum minimum exclusiveMinimum maxLength minLength pattern maxItems minItems uniqueItems maxProperties minProperties required format'

const words = (text: string) => text.split(' ')

export const DRAFT_2020_12: Dialect = {
  draft: '2020-12',
  keywords: new Set(Object.values(VOCABULARIES).flatMap(words)),
  assertsFormat: false,
  assumed: false,
}

export const DRAFT_07: Dialect = {
  draft: 'draft-07',
  keywords: new Set(words(DRAFT_07_KEYWORDS)),
  assertsFormat: false,
  assumed: false,
}

export const ASSUMED_2020_12: Dialect = { ...DRAFT_2020_12, assumed: true }

/** The dialect of a `$schema` that is one of the official ones. */
export function officialDialect(uri: string): Dialect | undefined {
  const plain = uri.replace(/#$/, '').replace(/^https:/, 'http:')
  if (plain === URI_2020_12.replace(/^https:/, 'http:')) return DRAFT_2020_12
  return plain === URI_DRAFT_07 ? DRAFT_07 : undefined
}

/**
 * The dialect a metaschema declares by its `$vocabulary` (2020-12 core §8.1.2).
 * @returns the URI of a vocabulary that is required and unknown, when there is one
 */
export function dialectOf(vocabulary: { readonly [uri: string]: unknown }): Dialect | string {
  const keywords = new Set<string>()
  let assertsFormat = false
  for (const [uri, required] of Object.entries(vocabulary)) {
    const name = uri.startsWith(VOCABULARY_PREFIX) ? uri.slice(VOCABULARY_PREFIX.length) : ''
    if (!Object.hasOwn(VOCABULARIES, name)) {
      if (required === true) return uri
      continue
    }
    for (const keyword of words(VOCABULARIES[name] ?? '')) keywords.add(keyword)
    assertsFormat ||= name === 'format-assertion'
  }
  return { draft: '2020-12', keywords, assertsFormat, assumed: false }
}

const VOCABULARY_PREFIX = 'https://json-schema.org/draft/2020-12/vocab/'

/** Where subschemas are: alone, or by name. A list of them may stand wherever one may. */
export const HOLDS_SCHEMA: ReadonlySet<string> = new Set(
  words(
    'additionalProperties propertyNames items additionalItems contains unevaluatedItems unevaluatedProperties not if then else contentSchema prefixItems allOf anyOf oneOf',
  ),
)
export const HOLDS_SCHEMAS_BY_NAME: ReadonlySet<string> = new Set(
  words('properties patternProperties $defs definitions dependentSchemas dependencies'),
)

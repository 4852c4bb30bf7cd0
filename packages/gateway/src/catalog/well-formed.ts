import { type JsonObject, withoutInvalidMirrors } from '@crosspoint/mcp'
import type { Kind } from './kinds.ts'

/** An item as it may be listed, and whether something that is no mere `null` was left out of it. */
export interface WellFormed {
  readonly item: JsonObject
  readonly lost: boolean
  /**
   * What was wrong with annotations of its input schema (`x-mcp-header`) that were taken out. Clients over HTTP drop a tool
   * that has such (2026-07-28 server/tools), and for those we connect to over HTTP we did so before.
   */
  readonly badHeader?: string
}

/**
 * Makes an item fit to be listed beside those of other servers. Official clients refuse a whole list over one
 * member of the wrong type, so that one careless server would take away the tools of all. Optional members that are
 * `null` or misshapen are left out; members that are not of the protocol stay as they are.
 * @returns undefined where a required member is missing or misshapen
 */
export function toWellFormed(kind: Kind, item: JsonObject): WellFormed | undefined {
  const { required, optional } = SHAPES[kind]
  for (const [name, isFit] of required) if (!isFit(item[name])) return undefined
  let fit = item
  let lost = false
  for (const [name, isFit] of optional) {
    const value = item[name]
    if (value === undefined || isFit(value)) continue
    const { [name]: _, ...rest } = fit
    fit = rest
    if (value !== null) lost = true
  }
  return kind === 'tools' ? withFitHeaders(fit, lost) : { item: fit, lost }
}

function withFitHeaders(item: JsonObject, lost: boolean): WellFormed {
  const { inputSchema } = item as { readonly inputSchema: JsonObject } // required, and looked at
  const { schema, problem } = withoutInvalidMirrors(inputSchema)
  return problem === undefined ? { item, lost } : { item: { ...item, inputSchema: schema }, lost, badHeader: problem }
}

type Check = (value: unknown) => boolean

interface Shape {
  readonly required: readonly (readonly [name: string, isFit: Check])[]
  readonly optional: readonly (readonly [name: string, isFit: Check])[]
}

const isText: Check = (value) => typeof value === 'string'
const isFlag: Check = (value) => typeof value === 'boolean'
const isNumber: Check = (value) => typeof value === 'number'
const isListOf =
  (isFit: Check): Check =>
  (value) =>
    Array.isArray(value) && value.every(isFit)
/** An object whose members of these names, where there are any, fit. */
const isObjectWith =
  (members: Readonly<Record<string, Check>>, required: readonly string[] = []): Check =>
  (value) =>
    isObject(value) &&
    required.every((name) => value[name] !== undefined) &&
    Object.entries(members).every(([name, isFit]) => value[name] === undefined || isFit(value[name]))

function isObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

const isInputSchema = isObjectWith(
  { type: (value) => value === 'object', properties: isObject, required: isListOf(isText) },
  ['type'],
)
const isExecution = isObjectWith({ taskSupport: isText })
const isIcon = isObjectWith({ src: isText, mimeType: isText, sizes: isListOf(isText) }, ['src'])
const isSkillFile = isObjectWith({ uri: isText, digest: isText, size: isNumber }, ['uri'])
const isArgument = isObjectWith({ name: isText, title: isText, description: isText, required: isFlag }, ['name'])
const hints = ['readOnlyHint', 'destructiveHint', 'idempotentHint', 'openWorldHint'] as const
const isToolAnnotations = isObjectWith({ title: isText, ...Object.fromEntries(hints.map((hint) => [hint, isFlag])) })
const isAnnotations = isObjectWith({
  audience: isListOf((role) => role === 'user' || role === 'assistant'),
  priority: (value) => typeof value === 'number' && value >= 0 && value <= 1,
  lastModified: isText,
})

/** Of everything that is listed (2025-11-25 and 2026-07-28 schema, `BaseMetadata` and `Icons`). */
const COMMON: Shape['optional'] = [
  ['title', isText],
  ['description', isText],
  ['icons', isListOf(isIcon)],
  ['_meta', isObject],
]
const ADDRESSED: Shape['optional'] = [...COMMON, ['mimeType', isText], ['annotations', isAnnotations]]

const SHAPES: Readonly<Record<Kind, Shape>> = {
  tools: {
    required: [
      ['name', isText],
      ['inputSchema', isInputSchema],
    ],
    optional: [...COMMON, ['outputSchema', isObject], ['annotations', isToolAnnotations], ['execution', isExecution]],
  },
  prompts: { required: [['name', isText]], optional: [...COMMON, ['arguments', isListOf(isArgument)]] },
  resources: {
    required: [
      ['uri', isText],
      ['name', isText],
    ],
    optional: [...ADDRESSED, ['size', isNumber]],
  },
  skills: {
    required: [
      ['uri', isText],
      ['frontmatter', isObjectWith({ name: isText, description: isText }, ['name', 'description'])],
      ['resources', (value) => value === 'dynamic' || isListOf(isSkillFile)(value)],
    ],
    optional: [],
  },
  templates: {
    required: [
      ['uriTemplate', isText],
      ['name', isText],
    ],
    optional: ADDRESSED,
  },
}

/** A piece of a template: text, as it stands in a URI, or variables. */
export type Part = string | Expression

export interface Expression {
  readonly operator: Operator
  readonly variables: readonly Variable[]
}

export interface Operator {
  readonly first: string
  readonly separator: string
  /** Variables are written `name=value`. */
  readonly named: boolean
  /** Reserved characters stay as they are. */
  readonly reserved: boolean
}

export interface Variable {
  readonly name: string
  readonly exploded: boolean
  /** How many characters of its value there are at most (`{name:3}`); undefined for all. */
  readonly max: number | undefined
}

export function isExpression(part: Part): part is Expression {
  return typeof part !== 'string'
}

/** @throws {Error} for a template that is malformed */
export function toParts(template: string): readonly Part[] {
  const parts: Part[] = []
  let from = 0
  while (from < template.length) {
    const open = template.indexOf('{', from)
    const text = template.slice(from, open === -1 ? undefined : open)
    if (text.includes('}')) throw unread(template, '"}" without "{"')
    if (text !== '') parts.push(toUriText(text) ?? failUnpaired(template))
    if (open === -1) break
    const close = template.indexOf('}', open)
    if (close === -1) throw unread(template, '"{" without "}"')
    parts.push(toExpression(template.slice(open + 1, close), template))
    from = close + 1
  }
  return parts
}

/** Text as it stands in a URI, where some characters have to be encoded; undefined for half a surrogate pair. */
export function toUriText(text: string): string | undefined {
  try {
    return text.replace(NOT_IN_URIS, encodeURIComponent)
  } catch {
    return undefined
  }
}

function toExpression(body: string, template: string): Expression {
  const operator = Object.hasOwn(OPERATORS, body.charAt(0)) ? OPERATORS[body.charAt(0)] : undefined
  const list = operator === undefined ? body : body.slice(1)
  const variables = list.split(',').map((spec) => {
    const [, name, exploded, max] = SPEC.exec(spec) ?? []
    if (name === undefined) throw unread(template, `"{${body}}" is no list of variables`)
    return { name, exploded: exploded !== undefined, max: max === undefined ? undefined : Number(max) }
  })
  return { operator: operator ?? SIMPLE, variables }
}

function failUnpaired(template: string): never {
  throw unread(template, 'half a character is in it')
}

function unread(template: string, why: string): Error {
  return new Error(`Cannot read the URI template "${template}": ${why}`)
}

/** RFC 6570 section 2.3 and 2.4. */
const SPEC = /^((?:\w|%[0-9A-Fa-f]{2})+(?:\.(?:\w|%[0-9A-Fa-f]{2})+)*)(?:(\*)|:([1-9]\d{0,3}))?$/
const NOT_IN_URIS = /[^\w\-.~:/?#[\]@!$&'()*+,;=%]+/g
const SIMPLE: Operator = { first: '', separator: ',', named: false, reserved: false }
const OPERATORS: Readonly<Record<string, Operator>> = {
  '+': { first: '', separator: ',', named: false, reserved: true },
  '#': { first: '#', separator: ',', named: false, reserved: true },
  '.': { first: '.', separator: '.', named: false, reserved: false },
  '/': { first: '/', separator: '/', named: false, reserved: false },
  ';': { first: ';', separator: ';', named: true, reserved: false },
  '?': { first: '?', separator: '&', named: true, reserved: false },
  '&': { first: '&', separator: '&', named: true, reserved: false },
}

/**
 * URI templates (RFC 6570, levels 1 to 3 and exploded variables; no prefix modifiers), both ways. Templates may
 * come from a peer, so matching is linear in the length of the URI and no pattern is compiled from them.
 */
export interface UriTemplate {
  readonly template: string
  /** Names in order of appearance, each once. */
  readonly variables: readonly string[]
  /** The variables of a URI this template could have made, decoded; undefined for any other. */
  match(uri: string): UriVariables | undefined
  /** The URI with these variables in it; one that is missing leaves nothing behind. */
  expand(variables: UriVariables): string
}

/** Decoded text, as hostile as the caller: a `{path}` may well hold `../`. */
export type UriVariables = Readonly<Record<string, string>>

/** @throws {Error} for a template that is malformed, too long, has too many variables or a prefix modifier (`{name:3}`). */
export function parseUriTemplate(template: string): UriTemplate {
  if (template.length > MAX_TEMPLATE)
    throw new Error(`Cannot read a URI template longer than ${MAX_TEMPLATE} characters`)
  const parts = toParts(template)
  const count = parts.reduce((sum, part) => sum + (typeof part === 'string' ? 0 : part.variables.length), 0)
  if (count > MAX_VARIABLES) throw new Error(`Cannot read a URI template of more than ${MAX_VARIABLES} variables`)
  const variables = new Set<string>()
  for (const part of parts) if (typeof part !== 'string') for (const { name } of part.variables) variables.add(name)
  const steps = parts.flatMap((part) =>
    typeof part === 'string' ? [{ kind: 'text' as const, text: part }] : toSteps(part),
  )
  return {
    template,
    variables: [...variables],
    match: (uri) => (uri.length > MAX_URI ? undefined : match(steps, uri)),
    expand: (values) => parts.map((part) => (typeof part === 'string' ? part : expand(part, values))).join(''),
  }
}

interface Operator {
  readonly first: string
  readonly separator: string
  /** Variables are written `name=value`. */
  readonly named: boolean
  /** Reserved characters stay as they are. */
  readonly reserved: boolean
}

interface Expression {
  readonly operator: Operator
  readonly variables: readonly { readonly name: string; readonly exploded: boolean }[]
}

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

function toParts(template: string): readonly (string | Expression)[] {
  const parts: (string | Expression)[] = []
  let from = 0
  while (from < template.length) {
    const open = template.indexOf('{', from)
    const text = template.slice(from, open === -1 ? undefined : open)
    if (text.includes('}')) throw new Error(`Cannot read the URI template "${template}": "}" without "{"`)
    if (text !== '') parts.push(text)
    if (open === -1) break
    const close = template.indexOf('}', open)
    if (close === -1) throw new Error(`Cannot read the URI template "${template}": "{" without "}"`)
    parts.push(toExpression(template.slice(open + 1, close), template))
    from = close + 1
  }
  return parts
}

function toExpression(body: string, template: string): Expression {
  const operator = Object.hasOwn(OPERATORS, body.charAt(0)) ? OPERATORS[body.charAt(0)] : undefined
  const list = operator === undefined ? body : body.slice(1)
  const variables = list.split(',').map((spec) => {
    const found = /^([\w.%]+)(\*?)$/.exec(spec)
    if (found?.[1] === undefined)
      throw new Error(`Cannot read the URI template "${template}": "{${body}}" is not supported`)
    return { name: found[1], exploded: found[2] === '*' }
  })
  return { operator: operator ?? SIMPLE, variables }
}

function expand({ operator, variables }: Expression, values: UriVariables): string {
  const written = []
  for (const { name } of variables) {
    if (!Object.hasOwn(values, name)) continue
    const value = values[name] ?? ''
    const text = operator.reserved ? encodeReserved(value) : encodeStrict(value)
    if (!operator.named) written.push(text)
    else written.push(text === '' && operator.first === ';' ? name : `${name}=${text}`)
  }
  return written.length === 0 ? '' : operator.first + written.join(operator.separator)
}

function encodeStrict(value: string): string {
  return encodeURIComponent(value).replace(/[!'()*]/g, (c) => `%${c.charCodeAt(0).toString(16).toUpperCase()}`)
}

function encodeReserved(value: string): string {
  return encodeURI(value)
    .replace(/%25([0-9A-Fa-f]{2})/g, '%$1')
    .replace(/%5B/g, '[')
    .replace(/%5D/g, ']')
}

/** What matching walks over: fixed text, one variable, or a whole query whose members may come in any order. */
type Step =
  | { readonly kind: 'text'; readonly text: string }
  | { readonly kind: 'variable'; readonly name: string; readonly barred: string }
  | { readonly kind: 'query'; readonly first: string; readonly names: readonly string[] }

function toSteps({ operator, variables }: Expression): readonly Step[] {
  if (operator.named && operator.first !== ';') {
    return [{ kind: 'query', first: operator.first, names: variables.map(({ name }) => name) }]
  }
  const steps: Step[] = []
  for (const [index, { name, exploded }] of variables.entries()) {
    const before = index === 0 ? operator.first : operator.separator
    const text = operator.named ? `${before}${name}=` : before
    if (text !== '') steps.push({ kind: 'text', text })
    const separator = variables.length > 1 || operator.separator !== ',' ? operator.separator : ''
    steps.push({ kind: 'variable', name, barred: operator.reserved ? '' : exploded ? '?#' : `/?#${separator}` })
  }
  return steps
}

/**
 * Forward, the positions each step can begin at; back from the end, one way through them in which earlier
 * variables take as much as they can.
 */
function match(steps: readonly Step[], uri: string): UriVariables | undefined {
  const starts: Uint8Array[] = [new Uint8Array(uri.length + 1)]
  if (starts[0] !== undefined) starts[0][0] = 1
  for (const [index, step] of steps.entries()) starts.push(advance(step, uri, starts[index] ?? new Uint8Array()))
  if (starts[steps.length]?.[uri.length] !== 1) return undefined
  const values: [string, string][] = []
  let end = uri.length
  for (let index = steps.length - 1; index >= 0; index--) {
    const step = steps[index]
    const reachable = starts[index]
    if (step === undefined || reachable === undefined) return undefined
    let start = step.kind === 'text' ? end - step.text.length : step.kind === 'query' ? end : end - 1
    // The nearest place the step can begin at always works: whatever bars it would bar every place before it too.
    if (step.kind !== 'text') {
      while (start > 0 && !(reachable[start] === 1 && mayBegin(step, uri, start, end))) start--
    }
    if (step.kind === 'variable') values.push([step.name, uri.slice(start, end)])
    if (step.kind === 'query') values.push(...toPairs(step.names, uri.slice(start + 1, end)))
    end = start
  }
  return decoded(values.reverse())
}

function advance(step: Step, uri: string, from: Uint8Array): Uint8Array {
  const to = new Uint8Array(uri.length + 1)
  if (step.kind === 'text') {
    for (let at = 0; at <= uri.length; at++)
      if (from[at] === 1 && uri.startsWith(step.text, at)) to[at + step.text.length] = 1
    return to
  }
  let running = false
  for (let at = 0; at <= uri.length; at++) {
    if (running || (step.kind === 'query' && from[at] === 1)) to[at] = 1
    if (at === uri.length) break
    const c = uri.charAt(at)
    if (from[at] === 1 && (step.kind === 'variable' || c === step.first)) running = true
    if (step.kind === 'variable' ? step.barred.includes(c) : c === '#') running = false
  }
  return to
}

function mayBegin(step: Step, uri: string, start: number, end: number): boolean {
  return step.kind !== 'query' || start === end || uri.startsWith(step.first, start)
}

function toPairs(names: readonly string[], query: string): readonly [string, string][] {
  const pairs: [string, string][] = []
  for (const pair of query.split('&').reverse()) {
    const equals = pair.indexOf('=')
    const name = equals === -1 ? pair : pair.slice(0, equals)
    if (names.includes(name)) pairs.push([name, equals === -1 ? '' : pair.slice(equals + 1)])
  }
  return pairs
}

function decoded(pairs: readonly [string, string][]): UriVariables | undefined {
  try {
    return Object.fromEntries(pairs.map(([name, text]) => [name, decodeURIComponent(text)]))
  } catch {
    return undefined // a stray "%": no template makes such a URI
  }
}

const MAX_TEMPLATE = 2048
/** Each is one more walk along a URI. */
const MAX_VARIABLES = 64
const MAX_URI = 8192

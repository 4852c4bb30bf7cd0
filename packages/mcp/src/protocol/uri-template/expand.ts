import { isExpression, type Operator, type Part, type Variable } from './expression.ts'
import type { UriValue } from './variables.ts'

type Values = Readonly<Record<string, UriValue | undefined>>

/** RFC 6570 section 3.2. */
export function expandPart(part: Part, values: Values): string {
  if (!isExpression(part)) return part
  const { operator, variables } = part
  const written = variables.flatMap((variable) => {
    const value = Object.hasOwn(values, variable.name) ? values[variable.name] : undefined
    return value === undefined ? [] : write(value, variable, operator)
  })
  return written.length === 0 ? '' : operator.first + written.join(operator.separator)
}

/** What stands between separators; nothing for an empty list or map. */
function write(value: UriValue, { name, exploded, max }: Variable, operator: Operator): readonly string[] {
  const encode = operator.reserved ? encodeReserved : encodeStrict
  if (typeof value === 'string') {
    return [toNamed(name, encode(max === undefined ? value : [...value].slice(0, max).join('')), operator)]
  }
  if (isList(value)) {
    if (exploded) return value.map((one) => toNamed(name, encode(one), operator))
    return value.length === 0 ? [] : [toNamed(name, value.map(encode).join(','), operator)]
  }
  const pairs = Object.entries(value).map(([key, one]) => [encode(key), encode(one)] as const)
  if (exploded) return pairs.map(([key, one]) => (operator.named ? toPair(key, one, operator) : `${key}=${one}`))
  return pairs.length === 0 ? [] : [toNamed(name, pairs.flat().join(','), operator)]
}

function toNamed(name: string, text: string, operator: Operator): string {
  return operator.named ? toPair(name, text, operator) : text
}

function toPair(name: string, text: string, { first }: Operator): string {
  return text === '' && first === ';' ? name : `${name}=${text}`
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

function isList(value: UriValue): value is readonly string[] {
  return Array.isArray(value)
}

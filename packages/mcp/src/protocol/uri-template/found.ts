import type { Variable } from './expression.ts'
import type { PairsStep } from './steps.ts'
import type { UriValue, UriVariables } from './variables.ts'

/** A value at one place of the template. */
export interface Found {
  readonly variable: Variable
  readonly value: UriValue
}

/** Undefined for what no template makes: a stray "%", or half a character. */
export function toDecoded<Value extends string | readonly string[]>(value: Value): Value | undefined {
  try {
    return (typeof value === 'string' ? decodeURIComponent(value) : value.map(decodeURIComponent)) as Value // as it was
  } catch {
    return undefined
  }
}

/** Undefined for pairs no template makes. */
export function fromPairs({ variables, separator }: PairsStep, text: string): Found[] | undefined {
  const named = new Map<string, string[]>(variables.map(({ name }) => [name, []]))
  const others: string[][] = []
  for (const pair of text === '' ? [] : text.split(separator)) {
    const equals = pair.indexOf('=')
    const [name, value] = equals === -1 ? [pair, ''] : [pair.slice(0, equals), pair.slice(equals + 1)]
    const values = named.get(name)
    if (values === undefined) others.push([name, value])
    else values.push(value)
  }
  return withOthers(variables, named, others)
}

function withOthers(
  variables: readonly Variable[],
  named: ReadonlyMap<string, readonly string[]>,
  others: readonly (readonly string[])[],
): Found[] | undefined {
  const found: Found[] = []
  let left = others.filter(([name]) => name !== '')
  for (const [name, written] of named) {
    const [variable, ...more] = variables.filter((one) => one.name === name)
    const values = toDecoded(written)
    if (values === undefined || variable === undefined) return undefined
    if (variable.exploded && values.length > 0) found.push({ variable, value: values })
    else if (variable.exploded && left.length > 0) {
      const value = toMap(left)
      if (value === undefined) return undefined
      found.push({ variable, value })
      left = []
    } else if (!variable.exploded) {
      values.forEach((value, at) => void found.push({ variable: (at > 0 && more[at - 1]) || variable, value }))
    }
  }
  return found
}

/** A name that is there twice has one value. */
function toMap(pairs: readonly (readonly string[])[]): UriValue | undefined {
  const map = new Map<string, string>()
  for (const pair of pairs) {
    const [name = '', value = ''] = toDecoded(pair) ?? []
    if (name === '' || (map.get(name) ?? value) !== value) return undefined
    map.set(name, value)
  }
  return Object.fromEntries(map)
}

/** Undefined where one variable would have two values. */
export function toOneValueEach(found: readonly Found[]): UriVariables | undefined {
  const values = new Map<string, UriValue>()
  for (const { variable, value } of found) {
    if (variable.max !== undefined) continue
    const { name } = variable
    const known = values.get(name)
    if (known !== undefined && JSON.stringify(known) !== JSON.stringify(value)) return undefined
    values.set(name, value)
  }
  return withPrefixes(found, values)
}

/** What is there as a prefix only is as long as the longest of them. */
function withPrefixes(found: readonly Found[], values: Map<string, UriValue>): UriVariables | undefined {
  const prefixes = found.filter(({ variable }) => variable.max !== undefined)
  for (const { variable, value } of prefixes.toSorted((a, b) => lengthOf(b) - lengthOf(a))) {
    const whole = values.get(variable.name) ?? value
    if (typeof whole !== 'string' || [...whole].slice(0, variable.max).join('') !== value) return undefined
    values.set(variable.name, whole)
  }
  return Object.fromEntries(values)
}

function lengthOf({ value }: Found): number {
  return typeof value === 'string' ? value.length : 0
}

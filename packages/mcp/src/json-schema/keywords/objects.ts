import type { JsonObject } from '../../jsonrpc/frame.ts'
import { isObject } from '../../jsonrpc/members.ts'
import type { Evaluated } from '../evaluated.ts'
import type { Matcher } from '../pattern/index.ts'
import { type Check, checkBelow, listed, MARK_STEPS, quoted, type Run, type SchemaNode, spend } from '../run.ts'
import type { Keywords, Site } from '../site.ts'

/** What a schema says of the members of an object. */
export const objectKeywords: Keywords = {
  names:
    'properties required patternProperties additionalProperties minProperties maxProperties propertyNames dependentRequired dependentSchemas dependencies',
  toChecks(site) {
    return [namedCheck(site), sizeCheck(site), namesCheck(site), ...dependentChecks(site)].filter(
      (check) => check !== undefined,
    )
  },
}

/** A member that is named by the schema. */
interface Named {
  readonly name: string
  /** Undefined for a name that is only required. */
  readonly node: SchemaNode | undefined
  readonly required: boolean
  /** The name means something to every object of this language, so that only an own member counts. */
  readonly inherited: boolean
}

interface Members {
  readonly named: readonly Named[]
  readonly known: ReadonlyMap<string, Named>
  readonly required: ReadonlySet<string>
  readonly patterns: readonly { readonly matches: Matcher; readonly node: SchemaNode }[]
  /** For members that are neither named nor of a pattern; `false` where there may be none. */
  readonly others: SchemaNode | false | undefined
}

/** `properties`, `required`, `patternProperties` and `additionalProperties`, in one pass over the named and one over the rest. */
function namedCheck(site: Site): Check | undefined {
  const members = toMembers(site)
  const { named, patterns, others } = members
  if (named.length === 0 && patterns.length === 0 && others === undefined) return undefined
  const isLarge = named.length >= MANY_NAMED
  const looksAtAll = patterns.length > 0 || others !== undefined
  const onlyNamed = others === false && patterns.length === 0
  return (value, run, seen) => {
    if (!isObject(value)) return true
    if (isLarge && run.report === undefined && countMembers(value, run) * 2 < named.length) {
      return checkFew(members, value, run, seen)
    }
    spend(run, OBJECT_STEPS + named.length)
    let conforms = true
    let present = 0
    let isMissing = false
    for (const { name, node, required, inherited } of named) {
      const member = inherited && !Object.hasOwn(value, name) ? undefined : value[name]
      if (member === undefined) {
        isMissing ||= required
        continue
      }
      if (node === undefined) continue
      present++
      if (seen !== undefined) mark(seen, name, run)
      if (!checkBelow(node, member, name, run)) {
        conforms = false
        if (run.report === undefined) return false
      }
    }
    if (isMissing) {
      tellMissing(members, value, run)
      conforms = false
    }
    if (!looksAtAll || (!conforms && run.report === undefined)) return conforms
    if (onlyNamed && countMembers(value, run) <= present) {
      seen?.addAllNames()
      return conforms
    }
    return checkOthers(members, value, run, seen) && conforms
  }
}

/** An object with few members, by a schema that names many: only what is there is looked for. */
function checkFew(members: Members, value: JsonObject, run: Run, seen: Evaluated | undefined): boolean {
  const { known, patterns, others, required } = members
  for (const name of required) {
    spend(run, NAME_STEPS)
    if (ownMember(value, name) === undefined) return false
  }
  for (const name of Object.keys(value)) {
    spend(run, NAME_STEPS)
    const node = known.get(name)?.node
    if (node === undefined || value[name] === undefined) continue
    if (seen !== undefined) mark(seen, name, run)
    if (!node.check(value[name], run, undefined)) return false
  }
  return (patterns.length === 0 && others === undefined) || checkOthers(members, value, run, seen)
}

function mark(seen: Evaluated, name: string, run: Run): void {
  spend(run, MARK_STEPS)
  seen.addName(name)
}

function toMembers(site: Site): Members {
  const required = new Set<string>(names(site, 'required', site.value('required')))
  const properties = site.map('properties') ?? []
  const isNamed = new Set(properties.map(([name]) => name))
  const toNamed = (name: string, node?: SchemaNode): Named => {
    return { name, node, required: required.has(name), inherited: name in Object.prototype }
  }
  const named = [
    ...properties.map(([name]) => toNamed(name, site.below('properties', name))),
    ...[...required].filter((name) => !isNamed.has(name)).map((name) => toNamed(name)),
  ]
  const additional = site.value('additionalProperties')
  const others =
    additional === undefined ? undefined : additional === false ? false : site.below('additionalProperties')
  return {
    named,
    known: new Map(named.filter(({ node }) => node !== undefined).map((member) => [member.name, member])),
    required,
    patterns: (site.map('patternProperties') ?? []).map(([source]) => ({
      matches: site.pattern(source, 'patternProperties', source),
      node: site.below('patternProperties', source),
    })),
    others,
  }
}

function tellMissing({ named }: Members, value: JsonObject, run: Run): void {
  if (run.report === undefined) return
  spend(run, named.length * 4)
  const missing = named.filter(({ name, required }) => required && ownMember(value, name) === undefined)
  run.report.add('required', `missing ${listed(missing, ({ name }) => quoted(name))}`)
}

/** A member whose value is undefined is none: JSON has no such thing, and it is not sent. */
function ownMember(value: JsonObject, name: string): unknown {
  return Object.hasOwn(value, name) ? value[name] : undefined
}

function countMembers(value: JsonObject, run: Run): number {
  let count = 0
  for (const _name in value) count++
  spend(run, namesCost(count))
  return count
}

/** What listing the names of an object costs: with very many it is a table, and they have to be sorted. */
function namesCost(count: number): number {
  return count > MANY_NAMES ? count * 4 : count
}

const MANY_NAMES = 100
/** Names in a schema from which on it pays to ask how many members there are. */
const MANY_NAMED = 16
/** What looking into an object costs, and at one of its members: each may have a shape of its own. */
const OBJECT_STEPS = 4
const NAME_STEPS = 10

function checkOthers(members: Members, value: JsonObject, run: Run, seen: Evaluated | undefined): boolean {
  const { known, patterns, others } = members
  let conforms = true
  const names = Object.keys(value)
  spend(run, namesCost(names.length))
  for (const name of names) {
    spend(run, NAME_STEPS)
    const member = value[name]
    if (member === undefined) continue
    let isOther = !known.has(name)
    for (const { matches, node } of patterns) {
      if (!matches(name, run)) continue
      isOther = false
      if (seen !== undefined) mark(seen, name, run)
      if (!checkBelow(node, member, name, run)) conforms = false
    }
    if (isOther && others === false) {
      run.report?.add('additionalProperties', `unknown member ${quoted(name)}${tellKnown(members)}`)
      conforms = false
    } else if (isOther && others && !checkBelow(others, member, name, run)) {
      conforms = false
    }
    if (!conforms && run.report === undefined) return false
  }
  if (others !== undefined) seen?.addAllNames()
  return conforms
}

function tellKnown({ known, patterns }: Members): string {
  if (patterns.length > 0) return ''
  return known.size === 0 ? ': it has no members' : `: it has ${listed([...known.keys()], quoted)}`
}

function sizeCheck(site: Site): Check | undefined {
  const min = site.count('minProperties') ?? 0
  const max = site.count('maxProperties') ?? Number.POSITIVE_INFINITY
  if (min === 0 && max === Number.POSITIVE_INFINITY) return undefined
  return (value, run) => {
    if (!isObject(value)) return true
    const count = countMembers(value, run)
    if (count >= min && count <= max) return true
    if (count < min) run.report?.add('minProperties', `expected at least ${min} members, found ${count}`)
    else run.report?.add('maxProperties', `expected at most ${max} members, found ${count}`)
    return false
  }
}

function namesCheck(site: Site): Check | undefined {
  if (site.value('propertyNames') === undefined) return undefined
  const node = site.below('propertyNames')
  return (value, run) => {
    if (!isObject(value)) return true
    let conforms = true
    const names = Object.keys(value)
    spend(run, namesCost(names.length))
    for (const name of names) {
      if (checkBelow(node, name, name, run)) continue
      conforms = false
      if (run.report === undefined) return false
    }
    return conforms
  }
}

/** `dependentRequired`, `dependentSchemas`, and `dependencies`, which is both of them in draft-07. */
function dependentChecks(site: Site): readonly Check[] {
  const checks: Check[] = []
  for (const keyword of ['dependentRequired', 'dependentSchemas', 'dependencies']) {
    for (const [name, value] of site.map(keyword) ?? []) {
      site.costs(2)
      const isNames = keyword === 'dependentRequired' || (keyword === 'dependencies' && Array.isArray(value))
      if (isNames) checks.push(dependentNames(name, names(site, keyword, value), site))
      else checks.push(dependentSchema(name, site.inPlace(keyword, name)))
    }
  }
  return checks
}

function dependentNames(name: string, wanted: readonly string[], site: Site): Check {
  site.costs(wanted.length * 3)
  return (value, run) => {
    if (!isObject(value) || ownMember(value, name) === undefined) return true
    if (wanted.every((other) => ownMember(value, other) !== undefined)) return true
    const missing = wanted.filter((other) => ownMember(value, other) === undefined)
    run.report?.add('dependentRequired', `missing ${listed(missing, quoted)}, which ${quoted(name)} needs`)
    return false
  }
}

function dependentSchema(name: string, node: SchemaNode): Check {
  return (value, run, seen) => {
    if (!isObject(value) || ownMember(value, name) === undefined) return true
    return node.check(value, run, seen)
  }
}

function names(site: Site, keyword: string, value: unknown): readonly string[] {
  if (value === undefined) return []
  if (!Array.isArray(value) || !value.every((name) => typeof name === 'string')) {
    return site.refuse(keyword, 'expected a list of names')
  }
  return value
}

import { toCanonicalText } from '../canonical.ts'
import { type Check, checkBelow, found, MARK_STEPS, probe, type Run, type SchemaNode, spend } from '../run.ts'
import type { Keywords, Site } from '../site.ts'

/** What a schema says of the items of an array. */
export const arrayKeywords: Keywords = {
  names: 'minItems maxItems items prefixItems additionalItems contains minContains maxContains uniqueItems',
  toChecks(site) {
    return [sizeCheck(site), itemsCheck(site), containsCheck(site), uniqueCheck(site)].filter(
      (check) => check !== undefined,
    )
  },
}

function sizeCheck(site: Site): Check | undefined {
  const min = site.count('minItems') ?? 0
  const max = site.count('maxItems') ?? Number.POSITIVE_INFINITY
  if (min === 0 && max === Number.POSITIVE_INFINITY) return undefined
  return (value, run) => {
    if (!Array.isArray(value) || (value.length >= min && value.length <= max)) return true
    if (value.length < min) run.report?.add('minItems', `expected at least ${items(min)}, found ${value.length}`)
    else run.report?.add('maxItems', `expected at most ${items(max)}, found ${value.length}`)
    return false
  }
}

function items(count: number): string {
  return count === 1 ? '1 item' : `${count} items`
}

interface Items {
  /** By place. */
  readonly first: readonly SchemaNode[]
  readonly rest: SchemaNode | undefined
}

function itemsCheck(site: Site): Check | undefined {
  const { first, rest } = toItems(site)
  if (first.length === 0 && rest === undefined) return undefined
  return (value, run, seen) => {
    if (!Array.isArray(value)) return true
    const end = rest === undefined ? Math.min(first.length, value.length) : value.length
    let conforms = true
    for (let at = 0; at < end; at++) {
      const node = first[at] ?? rest
      if (node === undefined || checkBelow(node, value[at], at, run)) continue
      conforms = false
      if (run.report === undefined) return false
    }
    if (rest === undefined) seen?.addItemsBefore(end)
    else seen?.addAllItems()
    return conforms
  }
}

function toItems(site: Site): Items {
  const items = site.value('items')
  const prefix = site.list('prefixItems')
  if (!Array.isArray(items)) {
    return {
      first: (prefix ?? []).map((_, at) => site.below('prefixItems', at)),
      rest: items === undefined ? undefined : site.below('items'),
    }
  }
  const { draft, assumed } = site.place.resource.dialect
  if (draft !== 'draft-07' && !assumed) {
    return site.refuse('items', 'a list of schemas is the form of draft-07; 2020-12 says "prefixItems"')
  }
  return {
    first: items.map((_, at) => site.below('items', at)),
    rest: site.value('additionalItems') === undefined ? undefined : site.below('additionalItems'),
  }
}

function containsCheck(site: Site): Check | undefined {
  if (site.value('contains') === undefined) return undefined
  const node = site.below('contains')
  const min = site.count('minContains') ?? 1
  const max = site.count('maxContains') ?? Number.POSITIVE_INFINITY
  return (value, run, seen) => {
    if (!Array.isArray(value)) return true
    let count = 0
    for (let at = 0; at < value.length; at++) {
      if (!probe(node, value[at], run, undefined)) continue
      count++
      if (seen !== undefined) {
        spend(run, MARK_STEPS)
        seen.addItem(at)
      }
      // Nobody asks which ones, and it is decided.
      if (seen === undefined && count >= min && max === Number.POSITIVE_INFINITY) return true
    }
    if (count >= min && count <= max) return true
    if (count < min) run.report?.add('contains', `expected ${wanted(min)} that it must contain, found ${count}`)
    else run.report?.add('maxContains', `expected at most ${items(max)} of the kind it contains, found ${count}`)
    return false
  }
}

function wanted(min: number): string {
  return min === 1 ? 'an item of the kind' : `${min} items of the kind`
}

function uniqueCheck(site: Site): Check | undefined {
  if (site.value('uniqueItems') !== true) return undefined
  return (value, run) => {
    if (!Array.isArray(value) || value.length < 2) return true
    const again = firstRepeated(value, run)
    if (again === undefined) return true
    run.report?.add('uniqueItems', `expected no item twice, found ${found(value[again])} again at ${again}`)
    return false
  }
}

/** In one pass: numbers, strings and the like as themselves, objects and arrays by a text that is the same for equals. */
function firstRepeated(value: readonly unknown[], run: Run): number | undefined {
  const plain = new Set<unknown>()
  const compound = new Set<string>()
  for (const [at, item] of value.entries()) {
    spend(run, REMEMBERED_STEPS)
    const isCompound = typeof item === 'object' && item !== null
    const size = plain.size + compound.size
    if (isCompound) compound.add(toCanonicalText(item, run))
    else plain.add(item)
    if (plain.size + compound.size === size) return at
  }
  return undefined
}

/** What remembering one item costs. */
const REMEMBERED_STEPS = 15

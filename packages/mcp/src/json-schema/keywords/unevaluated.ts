import type { JsonObject } from '../../jsonrpc/frame.ts'
import { type Check, checkBelow, quoted, type SchemaNode, spend } from '../run.ts'
import type { Keywords } from '../site.ts'

/** `unevaluatedProperties` and `unevaluatedItems`: for what no other keyword of the schema has looked at. They come last. */
export const unevaluatedKeywords: Keywords = {
  names: 'unevaluatedProperties unevaluatedItems',
  toChecks(site) {
    const checks: Check[] = []
    const names = site.value('unevaluatedProperties')
    if (names !== undefined) checks.push(unevaluatedNames(site.below('unevaluatedProperties'), names === false))
    const items = site.value('unevaluatedItems')
    if (items !== undefined) checks.push(unevaluatedItems(site.below('unevaluatedItems'), items === false))
    return checks
  },
}

function unevaluatedNames(node: SchemaNode, isForbidden: boolean): Check {
  return (value, run, seen) => {
    if (typeof value !== 'object' || value === null || Array.isArray(value)) return true
    const members = value as JsonObject // it is an object, and no array
    let conforms = true
    for (const name of Object.keys(members)) {
      spend(run, 4)
      if (members[name] === undefined || seen?.hasName(name) === true) continue
      if (isForbidden) run.report?.add('unevaluatedProperties', `unknown member ${quoted(name)}`)
      else if (checkBelow(node, members[name], name, run)) continue
      conforms = false
      if (run.report === undefined) return false
    }
    seen?.addAllNames()
    return conforms
  }
}

function unevaluatedItems(node: SchemaNode, isForbidden: boolean): Check {
  return (value, run, seen) => {
    if (!Array.isArray(value)) return true
    let conforms = true
    for (let at = 0; at < value.length; at++) {
      spend(run, 4)
      if (seen?.hasItem(at) === true) continue
      if (isForbidden) run.report?.add('unevaluatedItems', `expected no item at ${at}`)
      else if (checkBelow(node, value[at], at, run)) continue
      conforms = false
      if (run.report === undefined) return false
    }
    seen?.addAllItems()
    return conforms
  }
}

import { shown } from '../../jsonrpc/shown.ts'
import type { Evaluated } from '../evaluated.ts'
import {
  briefJson,
  type Check,
  type Fault,
  found,
  keepMarks,
  probe,
  type Report,
  type Run,
  type SchemaNode,
  spend,
} from '../run.ts'
import type { Keywords, Site } from '../site.ts'

/** Keywords that apply other schemas to the same value, references among them. */
export const combinedKeywords: Keywords = {
  names: '$ref $dynamicRef allOf anyOf oneOf not if then else',
  toChecks(site) {
    return [...references(site), ...allOf(site), anyOf(site), oneOf(site), not(site), conditional(site)].filter(
      (check) => check !== undefined,
    )
  },
}

function references(site: Site): readonly Check[] {
  const checks: Check[] = []
  if (site.value('$ref') !== undefined) checks.push(refers(site.reference('$ref')))
  if (site.value('$dynamicRef') !== undefined) {
    const { node, name } = site.dynamicReference()
    checks.push(name === undefined ? refers(node) : refersDynamically(node, name))
  }
  return checks
}

function refers(node: SchemaNode): Check {
  return (value, run, seen) => node.check(value, run, seen)
}

/** The outermost resource that was entered and has an anchor of the name decides (2020-12 core §8.2.3.2). */
function refersDynamically(initial: SchemaNode, name: string): Check {
  return (value, run, seen) => {
    spend(run, 4 + run.scopes.length)
    for (const scope of run.scopes) {
      const node = scope.dynamicNodes.get(name)
      if (node !== undefined) return node.check(value, run, seen)
    }
    return initial.check(value, run, seen)
  }
}

function allOf(site: Site): readonly Check[] {
  return branches(site, 'allOf').map(refers)
}

function branches(site: Site, keyword: string): readonly SchemaNode[] {
  return (site.list(keyword) ?? []).map((_, at) => site.inPlace(keyword, at))
}

function anyOf(site: Site): Check | undefined {
  const ways = branches(site, 'anyOf')
  if (ways.length === 0) return undefined
  return (value, run, seen) => {
    if (run.report !== undefined) return someWay(ways, value, run, seen)
    let conforms = false
    for (const way of ways) {
      if (!probe(way, value, run, seen)) continue
      conforms = true
      // Every way that conforms marks what it looked at.
      if (seen === undefined) return true
    }
    return conforms
  }
}

function oneOf(site: Site): Check | undefined {
  const ways = branches(site, 'oneOf')
  if (ways.length === 0) return undefined
  return (value, run, seen) => {
    let first: number | undefined
    for (let at = 0; at < ways.length; at++) {
      const way = ways[at]
      if (way === undefined || !probe(way, value, run, seen)) continue
      if (first !== undefined) {
        run.report?.add(
          'oneOf',
          `expected exactly one of ${ways.length} forms to fit, found that ${first + 1} and ${at + 1} do`,
        )
        return false
      }
      first = at
    }
    return first !== undefined || (run.report !== undefined && someWay(ways, value, run, seen))
  }
}

/** Like anyOf, and when no way conforms the faults of the one that was meant most likely are told. */
function someWay(ways: readonly SchemaNode[], value: unknown, run: Run, seen: Evaluated | undefined): boolean {
  const outer = run.report
  let best: readonly Fault[] | undefined
  let conforms = false
  for (const way of ways) {
    const report = outer?.branch()
    run.report = report
    const own = seen?.fresh()
    if (way.check(value, run, own)) {
      conforms = true
      if (own !== undefined) keepMarks(run, seen, own)
      if (seen === undefined) break
    } else if (report !== undefined && (best === undefined || distance(report) < distanceOf(best, outer))) {
      best = report.faults
    }
  }
  run.report = outer
  if (conforms) return true
  for (const { path, keyword, message } of best ?? []) outer?.addAt(path, keyword, message)
  return false
}

function distance(report: Report): number {
  return distanceOf(report.faults, report)
}

/** A value of another type or kind is further away than one with something missing. */
function distanceOf(faults: readonly Fault[], report: Report | undefined): number {
  const here = report?.pointer
  let sum = 0
  for (const { path, keyword } of faults) {
    if (keyword === 'const' || keyword === 'enum') sum += 10
    else sum += keyword === 'type' && path === here ? 100 : 1
  }
  return sum
}

function not(site: Site): Check | undefined {
  if (site.value('not') === undefined) return undefined
  const node = site.inPlace('not')
  return (value, run) => {
    if (!probe(node, value, run, undefined)) return true
    if (run.report !== undefined) {
      const forbidden = briefJson(site.schema.not, MAX_WRITTEN) ?? 'what the schema under "not" says'
      run.report.add('not', `expected something that is not ${shown(forbidden)}, found ${found(value)}`)
    }
    return false
  }
}

function conditional(site: Site): Check | undefined {
  if (site.value('if') === undefined) return undefined
  const condition = site.inPlace('if')
  const otherwise = site.value('else') === undefined ? undefined : site.inPlace('else')
  const then = site.value('then') === undefined ? undefined : site.inPlace('then')
  return (value, run, seen) => {
    const next = probe(condition, value, run, seen) ? then : otherwise
    return next === undefined || next.check(value, run, seen)
  }
}

const MAX_WRITTEN = 80

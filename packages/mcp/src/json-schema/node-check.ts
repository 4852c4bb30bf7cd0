import { Evaluated } from './evaluated.ts'
import { type Check, found, keepMarks, type Scope, spend, TOO_DEEP } from './run.ts'

export const alwaysConforms: Check = (_value, run) => {
  spend(run, 1)
  return true
}

export const neverConforms: Check = (value, run) => {
  run.report?.add('false', `expected nothing here, found ${found(value)}`)
  return false
}

/** What was made of one schema object. */
export interface NodeParts {
  readonly checks: readonly Check[]
  /** Keywords that ask what the others have looked at. */
  readonly last: readonly Check[]
  /** Steps. */
  readonly cost: number
  /** It applies no other schema. */
  readonly isLeaf: boolean
}

/**
 * All keywords of one schema object as one check.
 * @param scope where dynamic references look; undefined where there are none in any of the schemas
 */
export function toNodeCheck({ checks, last, cost, isLeaf }: NodeParts, scope: Scope | undefined): Check {
  const [only] = checks
  if (only === undefined && last.length === 0) return alwaysConforms
  if (isLeaf) return checks.length === 1 && only !== undefined ? paid(only, cost) : paid(inTurn(checks), cost)
  const counted = nested(last.length === 0 ? inTurn(checks) : withLast(inTurn(checks), inTurn(last)), cost)
  return scope === undefined ? counted : inScope(counted, scope)
}

function paid(check: Check, cost: number): Check {
  return (value, run, seen) => {
    spend(run, cost)
    return check(value, run, seen)
  }
}

/** The first fault ends it, unless all are wanted. */
function inTurn(checks: readonly Check[]): Check {
  const [only] = checks
  if (checks.length === 1 && only !== undefined) return only
  return (value, run, seen) => {
    let conforms = true
    for (const check of checks) {
      if (check(value, run, seen)) continue
      if (run.report === undefined) return false
      conforms = false
    }
    return conforms
  }
}

function nested(check: Check, cost: number): Check {
  return (value, run, seen) => {
    spend(run, cost)
    if (++run.depth > run.maxDepth) throw TOO_DEEP
    const conforms = check(value, run, seen)
    run.depth--
    return conforms
  }
}

function withLast(checks: Check, last: Check): Check {
  return (value, run, seen) => {
    const own = new Evaluated()
    if (!checks(value, run, own) || !last(value, run, own)) return false
    keepMarks(run, seen, own)
    return true
  }
}

function inScope(check: Check, scope: Scope): Check {
  return (value, run, seen) => {
    const { scopes } = run
    if (scopes.at(-1) === scope) return check(value, run, seen)
    scopes.push(scope)
    const conforms = check(value, run, seen)
    scopes.pop()
    return conforms
  }
}

import { METHODS } from '../protocol/methods.ts'
import type { Canonical, Delta, ErrorStep, MethodCodec, Revision, Step, Steps, Traits } from './revision.ts'
import { same } from './steps.ts'

/** Every revision there is. */
export interface RevisionTable {
  /** Newest first. */
  readonly revisions: readonly Revision[]
  /** The revision of that name or alias, or undefined for one we do not speak. */
  readonly findRevision: (name: string) => Revision | undefined
}

/**
 * Joins deltas into revisions, once, when the module loads: per method one function up and one down, whatever
 * the distance to the newest revision.
 * @param canonical what is spoken inside
 * @param deltas the newest, which differs in nothing, and its older neighbours, newest first
 */
export function composeRevisions(canonical: Canonical, deltas: readonly Delta[]): RevisionTable {
  checkNewest(deltas[0])
  const revisions: Revision[] = []
  const byName = new Map<string, Revision>()
  const path: Delta[] = [] // the deltas between the newest and the one at hand, newest first
  let { traits } = canonical
  let names: ReadonlySet<string> = new Set(canonical.adds)
  for (const delta of deltas) {
    path.push(delta)
    traits = { ...traits, ...delta.traits }
    names = withMembership(names, delta)
    const revision = toRevision(delta.name, traits, names, path, canonical)
    revisions.push(revision)
    for (const name of [delta.name, ...(delta.aliases ?? [])]) byName.set(name, revision)
  }
  return { revisions, findRevision: (name) => byName.get(name) }
}

/** Calls in the newest revision are not converted: what it would differ in belongs to what is spoken inside. */
function checkNewest(newest: Delta | undefined): void {
  const differs = newest?.down ?? newest?.up ?? newest?.adds ?? newest?.removes
  if (newest !== undefined && differs === undefined && Object.keys(newest.traits).length === 0) return
  throw new Error(
    `Cannot compose revision "${newest?.name}": the newest one differs in nothing from what is spoken inside`,
  )
}

function withMembership(names: ReadonlySet<string>, { name, adds = [], removes = [] }: Delta): ReadonlySet<string> {
  const result = new Set(names)
  for (const method of adds) {
    if (result.has(method))
      throw new Error(`Cannot compose revision "${name}": its newer neighbour has "${method}" too`)
    result.add(method)
  }
  for (const method of removes) {
    if (!result.delete(method)) throw new Error(`Cannot compose revision "${name}": no "${method}" to take out`)
  }
  return result
}

function toRevision(
  name: string,
  traits: Traits,
  names: ReadonlySet<string>,
  path: readonly Delta[],
  { readError, writeError }: Canonical,
): Revision {
  const downward = path.map((delta) => delta.down ?? {})
  const upward = path.map((delta) => delta.up ?? {}).reverse()
  const methods = new Map<string, MethodCodec>()
  for (const method of names) {
    const descriptor = METHODS.get(method)
    if (descriptor === undefined)
      throw new Error(`Cannot compose revision "${name}": "${method}" is not in the method table`)
    const said = path.findLast(({ needs = {} }) => Object.hasOwn(needs, method))
    methods.set(method, {
      descriptor,
      needs: said === undefined ? (descriptor.capability ?? descriptor.extension) : said.needs?.[method],
      downParams: chain(downward.map((steps) => steps.params?.[method])),
      upParams: chain(upward.map((steps) => steps.params?.[method])),
      downResult: chain(downward.flatMap((steps) => resultSteps(steps, method))),
      upResult: chain(upward.flatMap((steps) => resultSteps(steps, method))),
    })
  }
  return Object.freeze({
    name,
    traits: Object.freeze(traits),
    methods,
    downError: chainErrors([
      traits.errorCodes === 'modern' ? writeError : undefined,
      ...downward.map((steps) => steps.error),
    ]),
    upError: chainErrors([...upward.map((steps) => steps.error), readError]),
  })
}

function resultSteps(steps: Steps, method: string): readonly (Step | undefined)[] {
  return [steps.results?.[method], steps.every]
}

function chain(steps: readonly (Step | undefined)[]): Step {
  return steps.filter((step) => step !== undefined).reduce<Step>(join, same)
}

/** One function of two; a function that does nothing is not called at all. */
function join(first: Step, second: Step): Step {
  return first === same ? second : (value) => second(first(value))
}

function chainErrors(steps: readonly (ErrorStep | undefined)[]): ErrorStep {
  const present = steps.filter((step) => step !== undefined)
  return (error, method) => present.reduce((at, step) => step(at, method), error)
}

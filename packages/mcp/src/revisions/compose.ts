import { METHODS } from '../protocol/methods.ts'
import type { Delta, ErrorStep, MethodCodec, Newest, Revision, Step, Steps, Traits } from './revision.ts'

/**
 * Joins deltas into revisions, once, when the module loads: per method one function up and one down, whatever
 * the distance to the newest revision.
 * @param newest the revision the canonical model is written in
 * @param older its older neighbours, newest first
 */
export function composeRevisions(newest: Newest, older: readonly Delta[]): readonly Revision[] {
  const revisions: Revision[] = []
  const path: Delta[] = [] // the deltas between the newest and the one at hand, newest first
  let traits: Traits = newest.traits
  let names = new Set(newest.adds)
  revisions.push(toRevision(newest.name, traits, names, path))
  for (const delta of older) {
    path.push(delta)
    traits = { ...traits, ...delta.traits }
    names = new Set([...names, ...(delta.adds ?? [])])
    for (const name of delta.removes ?? []) names.delete(name)
    revisions.push(toRevision(delta.name, traits, names, [...path]))
  }
  return revisions
}

function toRevision(name: string, traits: Traits, names: ReadonlySet<string>, path: readonly Delta[]): Revision {
  const downward = path.map((delta) => delta.down ?? {})
  const upward = path.map((delta) => delta.up ?? {}).reverse()
  const methods = new Map<string, MethodCodec>()
  for (const method of names) {
    const descriptor = METHODS.get(method)
    if (descriptor === undefined)
      throw new Error(`Cannot compose revision "${name}": "${method}" is not in the method table`)
    methods.set(method, {
      descriptor,
      downParams: chain(downward.map((steps) => steps.params?.[method])),
      upParams: chain(upward.map((steps) => steps.params?.[method])),
      downResult: chain(downward.flatMap((steps) => resultSteps(steps, method))),
      upResult: chain(upward.flatMap((steps) => resultSteps(steps, method))),
    })
  }
  return {
    name,
    traits: Object.freeze(traits),
    methods,
    downError: chainErrors(downward.map((steps) => steps.error)),
    upError: chainErrors(upward.map((steps) => steps.error)),
  }
}

function resultSteps(steps: Steps, method: string): readonly (Step | undefined)[] {
  return [steps.results?.[method], steps.every]
}

function chain(steps: readonly (Step | undefined)[]): Step {
  const present = steps.filter((step) => step !== undefined)
  const [first, second] = present
  if (first === undefined) return same
  if (second === undefined) return first
  return (value) => present.reduce((at, step) => step(at), value)
}

function chainErrors(steps: readonly (ErrorStep | undefined)[]): ErrorStep {
  const present = steps.filter((step) => step !== undefined)
  if (present.length === 0) return same
  return (error, method) => present.reduce((at, step) => step(at, method), error)
}

function same<T>(value: T): T {
  return value
}

import { createRequire } from 'node:module'

type Cel = typeof import('@marcbachmann/cel-js')

let loaded: Cel | undefined

/** The language of conditions, loaded when the first one is read: it takes longer than all else of a configuration. */
export function loadCel(): Cel {
  loaded ??= createRequire(import.meta.url)('@marcbachmann/cel-js') as Cel // the types are those of this very package
  return loaded
}

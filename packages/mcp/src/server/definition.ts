import { checkIcons } from '../protocol/icons.ts'
import { checkOptions, type OptionNames } from '../protocol/option-names.ts'
import { isStandardSchema } from './standard-schema.ts'

/**
 * Whether something is registered as its function takes it: plain JavaScript and callers used to another library get a
 * sentence where they register, rather than a failure at the first call.
 * @param what such as `the tool "forecast"`
 * @param usage how it is written
 * @param names what it may say of itself
 */
export function checkDefinition<Definition extends object>(
  what: string,
  definition: Definition,
  handler: unknown,
  usage: string,
  names: OptionNames<Definition>,
): void {
  if (typeof definition !== 'object' || definition === null || isStandardSchema(definition)) {
    throw new TypeError(`Cannot register ${what}: its second argument is what it is; write ${usage}`)
  }
  if (typeof handler !== 'function') {
    throw new TypeError(`Cannot register ${what}: its third argument is the function that answers; write ${usage}`)
  }
  checkOptions(`register ${what}`, definition, names)
  checkIcons(`register ${what}`, 'icons' in definition ? definition.icons : undefined)
}

/** What the protocol lists by a name: without one, clients refuse the whole list. */
export function checkListedName(what: string, { name }: { readonly name?: unknown }): void {
  if (typeof name === 'string' && name !== '') return
  throw new TypeError(`Cannot register ${what} without a name; give it one, as in { name: 'Stations' }`)
}

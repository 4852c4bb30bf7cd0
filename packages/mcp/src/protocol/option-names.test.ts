import { expect, it } from 'vitest'
import { checkOptions, type OptionNames } from './option-names.ts'

interface Options {
  readonly port?: number | undefined
  readonly announce?: boolean
  readonly requestTimeoutMs?: number
  readonly connectTimeoutMs?: number
}

const NAMES: OptionNames<Options> = { port: true, announce: true, requestTimeoutMs: true, connectTimeoutMs: true }
const check = (given: object) => checkOptions('serve', given as Options, NAMES)

it('lets known options pass, and unknown ones without a value', () => {
  check({ port: 1, announce: false, requestTimeoutMs: 1 })
  check({ port: undefined, prot: undefined })
  check(Object.create({ inherited: 1 }))
})

it.each([
  ['prot', 'there is none; did you mean "port"?'],
  ['announced', 'there is none; did you mean "announce"?'],
  ['timeout', 'there is none; did you mean "requestTimeoutMs" or "connectTimeoutMs" (in milliseconds)?'],
  ['requestTimeout', 'there is none; did you mean "requestTimeoutMs" (in milliseconds)?'],
  ['announceLoudly', 'there is none; did you mean "announce"?'],
  ['zzz', 'there is none'],
  ['a', 'there is none'],
  ['constructor', 'there is none'],
])('refuses "%s" and says what may be meant', (name, rest) => {
  expect(() => check({ [name]: 1 })).toThrow(new TypeError(`Cannot serve with the option "${name}": ${rest}`))
})

it('refuses "__proto__" where it is a member like any other, and cuts what is long', () => {
  expect(() => check(JSON.parse('{"__proto__": 1}'))).toThrow('option "__proto__"')
  expect(() => check({ ['x'.repeat(1_000)]: 1 })).toThrow(`option "${'x'.repeat(80)}…": there is none`)
})

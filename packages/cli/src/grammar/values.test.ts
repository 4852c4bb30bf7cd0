import { expect, it } from 'vitest'
import { toEnvironment, toHeaders, toPort, toTimeoutMs } from './values.ts'

it('reads ports from 0 to 65535 and nothing else', () => {
  expect([toPort('0'), toPort('8360'), toPort('65535')]).toEqual([0, 8360, 65535])
  for (const word of ['65536', '-1', '8e3', '0x10', '', 'http']) expect(() => toPort(word)).toThrow('is not a port')
})

it('reads seconds into milliseconds', () => {
  expect([toTimeoutMs('60'), toTimeoutMs('0.5')]).toEqual([60_000, 500])
  for (const word of ['0', '-1', '1e9', 'soon', '3000000']) expect(() => toTimeoutMs(word)).toThrow('number of seconds')
})

it('reads headers, and repeats no value in an error', () => {
  expect(toHeaders(['Authorization: Bearer a:b', 'X-Empty:'])).toEqual({ Authorization: 'Bearer a:b', 'X-Empty': '' })
  for (const word of ['Bearer secret', ': x', 'A B: secret', 'X: a\r\nY: secret']) {
    expect(() => toHeaders([word])).toThrow(/^Cannot read a header$/)
  }
})

it('reads variables, and repeats no value in an error', () => {
  expect(toEnvironment(['A=b=c', 'E='])).toEqual({ A: 'b=c', E: '' })
  expect(() => toEnvironment(['=secret'])).toThrow(/^Cannot read a variable$/)
})

import { expect, it } from 'vitest'
import { toDurationMs, toEnvironment, toHeaders, toPort, toTimeoutMs } from './values.ts'

it('reads ports from 0 to 65535 and nothing else', () => {
  expect([toPort('0'), toPort('8360'), toPort('65535')]).toEqual([0, 8360, 65535])
  for (const word of ['65536', '-1', '8e3', '0x10', '', 'http']) expect(() => toPort(word)).toThrow('is not a port')
})

it('reads seconds into milliseconds', () => {
  expect([toTimeoutMs('60'), toTimeoutMs('0.5')]).toEqual([60_000, 500])
  for (const word of ['0', '-1', '1e9', 'soon', '3000000']) expect(() => toTimeoutMs(word)).toThrow('number of seconds')
})

it('reads lengths of time, which have a unit', () => {
  expect(['0s', '45s', '30m', '24h', '90d'].map(toDurationMs)).toEqual([
    0, 45_000, 1_800_000, 86_400_000, 7_776_000_000,
  ])
  for (const word of ['90', 'd', '-1d', '1.5h', '1w', '99999999d', '1 d', '']) {
    expect(() => toDurationMs(word)).toThrow('is not a length of time')
  }
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

import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { findShared } from './shared.ts'

beforeEach(() => void vi.stubEnv('CROSSPOINT_SHARED', import.meta.dirname))
afterEach(() => void vi.unstubAllEnvs())

test('what is there is found in the folder the environment names', () => {
  expect(findShared('shared.ts')).toBe(`${import.meta.dirname}/shared.ts`)
})

test('what is missing is undefined on a desk and an error in CI', () => {
  vi.stubEnv('CI', '')
  expect(findShared('no', 'such')).toBeUndefined()
  vi.stubEnv('CI', 'true')
  expect(() => findShared('no', 'such')).toThrow('Cannot find "no/such"')
})

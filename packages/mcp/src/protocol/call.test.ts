import { recordCall } from '@crosspoint/testkit'
import { expect, test } from 'vitest'
import { compose, type Interceptor, NO_INTERIM } from './call.ts'
import { hasCapability } from './capabilities.ts'
import { isLogged, isLogLevel, LOG_LEVELS } from './features/logging.ts'
import { METHODS } from './methods.ts'

test('interceptors go around the handle, the first outermost, and are composed once', async () => {
  const seen: string[] = []
  let composed = 0
  const named = (name: string): Interceptor => {
    return (next) => {
      composed++
      return async (call) => {
        seen.push(`${name} in`)
        const result = await next(call)
        seen.push(`${name} out`)
        return result
      }
    }
  }
  const handle = compose([named('a'), named('b')], async () => ({ n: 1 }))
  const { call } = recordCall('tools/call', {})
  expect(await handle(call)).toEqual({ n: 1 })
  expect(await handle(call)).toEqual({ n: 1 })
  expect(composed).toBe(2)
  expect(seen.slice(0, 4)).toEqual(['a in', 'b in', 'b out', 'a out'])
})

test('no interceptors is the handle itself', () => {
  const handle = async () => ({})
  expect(compose([], handle)).toBe(handle)
})

test('a call nobody waits for in person drops notifications and cannot be asked', async () => {
  expect(NO_INTERIM.notify({ method: 'notifications/progress', params: {} })).toBeUndefined()
  const asked = NO_INTERIM.ask({ method: 'roots/list', params: {} })
  await expect(asked).rejects.toMatchObject({ name: 'McpError', code: 'caller.missing_capability' })
})

test.each<[string, boolean]>([
  ['tools', true],
  ['tools.listChanged', false],
  ['resources.subscribe', true],
  ['prompts', false],
  ['logging', true],
  ['resources.subscribe.more', false],
  ['constructor', false],
  ['__proto__', false],
  ['tools.toString', false],
])('the capability "%s" is there: %s', (path, is) => {
  const capabilities = { tools: { listChanged: false }, resources: { subscribe: true }, prompts: null, logging: {} }
  expect(hasCapability(capabilities, path)).toBe(is)
})

test('log levels are the eight of syslog, in order of severity', () => {
  expect(LOG_LEVELS).toHaveLength(8)
  expect(isLogged('error', 'warning')).toBe(true)
  expect(isLogged('warning', 'warning')).toBe(true)
  expect(isLogged('info', 'warning')).toBe(false)
  expect(isLogLevel('emergency')).toBe(true)
  for (const value of ['Emergency', '', null, 3, ['debug']]) expect(isLogLevel(value)).toBe(false)
})

test('every method is in the table under its own name and cannot be changed', () => {
  for (const [name, descriptor] of METHODS) {
    expect(descriptor.name).toBe(name)
    expect(Object.isFrozen(descriptor)).toBe(true)
    expect(descriptor.kind === 'notification').toBe(name.startsWith('notifications/'))
  }
})

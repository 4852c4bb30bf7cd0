import { describe, expect, test } from 'vitest'
import { McpError } from '../errors.ts'
import {
  CLIENT_CAPABILITIES,
  CLIENT_INFO,
  checkEnvelope,
  hasEnvelope,
  LOG_LEVEL,
  PROGRESS_TOKEN,
  PROTOCOL_VERSION,
  parseEnvelope,
  SUBSCRIPTION_ID,
} from './envelope.ts'

const full = {
  [PROTOCOL_VERSION]: '2026-07-28',
  [CLIENT_INFO]: { name: 'c', version: '1', title: 'C' },
  [CLIENT_CAPABILITIES]: { roots: {} },
  [LOG_LEVEL]: 'warning',
  [PROGRESS_TOKEN]: 7,
}

test('reads what belongs to the hop and leaves the rest to travel on', () => {
  const travelling = { traceparent: '00-a-b-01', 'com.example/x': [1] }
  expect(parseEnvelope({ name: 'tool', _meta: { ...full, ...travelling, [SUBSCRIPTION_ID]: 3 } })).toEqual({
    revision: '2026-07-28',
    client: { name: 'c', version: '1', title: 'C' },
    capabilities: { roots: {} },
    logLevel: 'warning',
    progressToken: 7,
    meta: travelling,
  })
})

test('a request without "_meta", or with an empty one, says nothing', () => {
  const nothing = parseEnvelope({})
  expect(nothing).toEqual({ meta: {} })
  expect(parseEnvelope({ _meta: {} })).toEqual(nothing)
})

test.each<[string, unknown]>([
  ['"_meta" that is null', null],
  ['"_meta" that is a list', []],
  ['a revision that is a number', { [PROTOCOL_VERSION]: 20260728 }],
  ['a revision that is null', { [PROTOCOL_VERSION]: null }],
  ['capabilities that are a list', { [CLIENT_CAPABILITIES]: [] }],
  ['a client without a version', { [CLIENT_INFO]: { name: 'c' } }],
  ['a level nobody knows', { [LOG_LEVEL]: 'loud' }],
  ['a token that is a fraction', { [PROGRESS_TOKEN]: 1.5 }],
  ['a token that is an object', { [PROGRESS_TOKEN]: {} }],
  ['a token of more than 1,024 characters', { [PROGRESS_TOKEN]: 'x'.repeat(1025) }],
])('abuse-19: %s is refused', (_, meta) => {
  expect(() => parseEnvelope({ _meta: meta })).toThrow(expect.objectContaining({ code: 'caller.invalid_envelope' }))
})

describe('abuse-19: what an envelope revision requires', () => {
  test('abuse-19: each missing key is named', () => {
    const missing = (meta: object) => {
      try {
        checkEnvelope(parseEnvelope({ _meta: meta }))
        return []
      } catch (error) {
        expect(error).toMatchObject({ code: 'caller.invalid_envelope' })
        return (error as McpError).data // the line above says so
      }
    }
    expect(missing({})).toEqual({ missing: [PROTOCOL_VERSION, CLIENT_CAPABILITIES] })
    expect(missing({ [PROTOCOL_VERSION]: '2026-07-28' })).toEqual({ missing: [CLIENT_CAPABILITIES] })
    expect(missing({ [CLIENT_CAPABILITIES]: {} })).toEqual({ missing: [PROTOCOL_VERSION] })
    expect(missing({ [PROTOCOL_VERSION]: '2026-07-28', [CLIENT_CAPABILITIES]: {} })).toEqual([])
  })

  test('a request belongs to the envelope era when it names a version in "_meta", of whatever shape', () => {
    expect(hasEnvelope({ _meta: { [PROTOCOL_VERSION]: 1 } })).toBe(true)
    expect(hasEnvelope({ _meta: { progressToken: 1 } })).toBe(false)
    expect(hasEnvelope({ [PROTOCOL_VERSION]: '2026-07-28' })).toBe(false)
    expect(hasEnvelope(JSON.parse(`{"_meta":{"__proto__":{"${PROTOCOL_VERSION}":"x"}}}`))).toBe(false)
  })
})

test('abuse-11: a "__proto__" in "_meta" travels on as a member and pollutes nothing', () => {
  const { meta, progressToken } = parseEnvelope(JSON.parse('{"_meta":{"__proto__":{"progressToken":1,"x":2},"a":1}}'))
  expect(Object.keys(meta).sort()).toEqual(['__proto__', 'a'])
  expect(Object.getPrototypeOf(meta)).toBe(Object.prototype)
  expect(progressToken).toBeUndefined()
  expect(JSON.stringify(meta)).toBe('{"__proto__":{"progressToken":1,"x":2},"a":1}')
})

test('the text of a refused envelope names the key and not the value', () => {
  expect(() => parseEnvelope({ _meta: { [LOG_LEVEL]: 'secret' } })).toThrow(McpError)
  expect(() => parseEnvelope({ _meta: { [LOG_LEVEL]: 'secret' } })).not.toThrow(/secret/)
})

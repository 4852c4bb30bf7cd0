import { expect, test } from 'vitest'
import { ConfigError } from './config-error.ts'
import { diffConfig } from './diff.ts'
import { explainConfig } from './explain.ts'
import { parseConfig } from './parse.ts'

const URL = 'rediss://me:hunter2@redis.example.com:6379/1'
const parse = (text: string, env: Record<string, string> = {}) => parseConfig(text, { env })

test('nothing is shared unless it is said where', () => {
  expect(parse('').config.cluster).toEqual({ listen: { host: '127.0.0.1', port: 8_362 }, leaseMs: 3_000 })
})

test('the URL of Redis is a secret wherever it comes from', () => {
  const written = [
    parse(`cluster: { redis: '${URL}' }`),
    parse('cluster: { redis: "${REDIS}" }', { REDIS: URL }),
    parse('', { CROSSPOINT_CLUSTER_REDIS: URL }),
  ]
  for (const loaded of written) {
    expect(loaded.config.cluster.redis).toBe(URL)
    const shown = JSON.stringify(explainConfig(loaded))
    expect(shown).toContain('cluster.redis')
    expect(shown).not.toMatch(/hunter2|redis\.example/)
  }
})

test.each([
  ['cluster: { redis: "http://me:hunter2@redis" }', 'Must be a redis:// or rediss:// URL'],
  ['cluster: { redis: "redis://me:hunter2@redis:port" }', 'This is not a valid URL'],
])('says what is wrong with %s', (text, message) => {
  expect(() => parse(text)).toThrow(ConfigError)
  expect(() => parse(text)).toThrow(message)
  expect(() => parse(text)).not.toThrow(/hunter2/)
})

test('a difference names the setting', () => {
  expect(diffConfig(parse('').config, parse(`cluster: { redis: '${URL}' }`).config).settings).toEqual(['cluster.redis'])
})

test('abuse-50: what gateways trust each other by is shown nowhere, and is no short text', () => {
  const secret = 'correct horse battery staple, and then some more of it'
  const loaded = parse(`cluster: { secret: '${secret}', previousSecret: '${secret}' }`)
  expect(loaded.config.cluster).toMatchObject({ secret, previousSecret: secret })
  expect(JSON.stringify(explainConfig(loaded))).not.toContain('battery')
  expect(() => parse('cluster: { secret: hunter2 }')).toThrow('Must have 32 letters at least')
  expect(() => parse('cluster: { secret: hunter2 }')).not.toThrow(/hunter2/)
  expect(() => parse(`cluster: { previousSecret: '${secret}' }`)).toThrow('Only a cluster with "secret" has this')
})

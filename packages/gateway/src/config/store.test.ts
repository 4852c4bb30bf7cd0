import { expect, test } from 'vitest'
import { ConfigError } from './config-error.ts'
import { diffConfig } from './diff.ts'
import { explainConfig } from './explain.ts'
import { parseConfig } from './parse.ts'

const URL = 'postgres://me:hunter2@db.example.com/crosspoint?sslmode=verify-full'
const parse = (text: string, env: Record<string, string> = {}) => parseConfig(text, { baseDir: '/etc/crosspoint', env })

test('a store is a file unless something else is said', () => {
  expect(parse('').config.store).toEqual({ kind: 'embedded', maxConnections: 10, timeoutMs: 5_000 })
  expect(parse('store: { path: data/store.db }').config.store).toMatchObject({ path: '/etc/crosspoint/data/store.db' })
  const postgres = `store: { kind: postgres, url: '${URL}', maxConnections: 3 }`
  expect(parse(postgres).config.store).toEqual({ kind: 'postgres', url: URL, maxConnections: 3, timeoutMs: 5_000 })
})

test('the URL of a store is a secret wherever it comes from', () => {
  const written = [
    parse(`store: { kind: postgres, url: '${URL}' }`),
    parse('store: { kind: postgres, url: "${DB}" }', { DB: URL }),
    parse('store: { kind: postgres }', { CROSSPOINT_STORE_URL: URL }),
  ]
  for (const loaded of written) {
    expect(loaded.config.store.url).toBe(URL)
    const shown = JSON.stringify(explainConfig(loaded))
    expect(shown).toContain('store.url')
    expect(shown).not.toMatch(/hunter2|db\.example/)
  }
})

test.each([
  ['store: { kind: redis }', 'Must be embedded or postgres'],
  ['store: { kind: postgres }', 'A PostgreSQL store needs "url"'],
  ['store: { kind: postgres, url: "mysql://me:hunter2@db" }', 'Must be a postgres:// URL'],
  ['store: { kind: postgres, url: "postgres://me:hunter2@db:port/x" }', 'This is not a valid URL'],
  [`store: { url: '${URL}' }`, 'Only a store with "kind: postgres" has this'],
  [`store: { kind: postgres, url: '${URL}', path: x }`, 'Only an embedded store has this'],
  ['store: { path: ~/store.db }', 'No shell is there to replace "~"'],
  ['store: { maxConnections: 1 }', 'Must be a whole number from 2 to 1000'],
])('says what is wrong with %s', (text, message) => {
  expect(() => parse(text)).toThrow(ConfigError)
  expect(() => parse(text)).toThrow(message)
  expect(() => parse(text)).not.toThrow(/hunter2/)
})

test('a difference names settings, also of those that are gone, and no values', () => {
  const before = parse('store: { path: x }').config
  const after = parse(`store: { kind: postgres, url: '${URL}' }`).config
  expect([...diffConfig(before, after).settings].sort()).toEqual(['store.kind', 'store.path', 'store.url'])
})

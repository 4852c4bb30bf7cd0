import { createFakeClock } from '@crosspoint/testkit'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { createMemoryKeys } from '../../fixtures/memory-keys.ts'
import { type LogDetails, SILENT } from '../log.ts'
import { sha256 } from '../node/sha256.ts'
import { formatApiKey, isSameDigest, parseApiKey, randomApiKey } from './api-key.ts'
import { createKey, type NewKey, revokeKey, rotateKey } from './key-records.ts'
import { KeyRing } from './key-ring.ts'

const START = 1_800_000_000_000
const DAY = 86_400_000
const ALICE: NewKey = { principal: 'alice', tenant: 'acme', roles: ['dev'] }

async function open(
  about: Partial<NewKey> = {},
  config: { readonly cacheMs?: number; readonly maxCached?: number } = {},
) {
  const keys = createMemoryKeys()
  const clock = createFakeClock()
  const log: unknown[] = []
  const write = (details: LogDetails, message: string) => void log.push([message, details])
  const now = () => START + clock.now()
  const needs = { keys, clock, wallClock: now, sha256, log: { ...SILENT, info: write, debug: write, error: write } }
  const ring = new KeyRing(needs, { enabled: true, cacheMs: 10_000, maxCached: 100, ...config })
  const made = await createKey(keys, { ...ALICE, ...about }, now())
  keys.asked.length = 0
  const ask = async (text = made.text) => ring.principalOf(text)
  return { keys, clock, log, now, ring, made, ask }
}

const failureOf = (promise: Promise<unknown>) =>
  promise.then(
    () => expect.fail('no error'),
    ({ code, message, challenge }) => ({ code, message, challenge }),
  )

const REFUSED = {
  code: 'caller.unauthenticated',
  message: 'Cannot take this key: it is not valid here, or no longer',
  challenge: { error: 'invalid_token' },
}

test('a key says who calls: principal, tenant, roles, scopes', async () => {
  const { ask, made } = await open({ scopes: ['read:file'] })
  expect(made.text).toMatch(/^cpk_[\w-]{12}_[\w-]{43}$/)
  expect(await ask()).toEqual({
    id: 'alice',
    tenant: 'acme',
    scopes: ['read:file'],
    attributes: { roles: ['dev'], key: made.record.id },
  })
  expect((await (await open()).ask()).scopes).toBeUndefined()
})

test('no key makes its holder one of those whom nobody asks', async () => {
  const { ask } = await open({ principal: 'anonymous', tenant: 'default' })
  expect(await failureOf(ask())).toEqual(REFUSED)
  expect(await (await open({ principal: 'anonymous' })).ask()).toMatchObject({ id: 'anonymous', tenant: 'acme' })
})

test('of a secret only a digest is kept', async () => {
  const { made, keys } = await open()
  const kept = JSON.stringify(await keys.list({ limit: 10 }))
  const { secret = '' } = parseApiKey(made.text) ?? {}
  expect(secret).toHaveLength(43)
  expect(kept).not.toContain(secret)
  expect(kept).toContain(sha256(secret))
})

test('abuse-25, abuse-50: unknown, foreign, expired and revoked keys are the same to whoever sends them', async () => {
  const { keys, made, ask, now, log } = await open()
  const { id = '' } = parseApiKey(made.text) ?? {}
  const expired = await createKey(keys, { ...ALICE, expiresAt: now() }, now())
  const revoked = await createKey(keys, ALICE, now())
  await revokeKey(keys, revoked.record.id, now())
  const bad = [
    formatApiKey(randomApiKey()),
    formatApiKey({ ...randomApiKey(), id }),
    expired.text,
    revoked.text,
    `${made.text}x`,
    made.text.slice(0, -1),
    'cpk_',
    'cpk___proto____',
    `cpk_${'a'.repeat(15_000)}`,
    '',
  ]
  for (const text of bad) {
    keys.asked.length = 0
    expect(await failureOf(ask(text)), text.slice(0, 80)).toEqual(REFUSED)
    // As much is done for each: one look, whatever it finds.
    expect(keys.asked.filter((name) => name === 'find')).toEqual(['find'])
  }
  // Why it was is for the log, by the part of a key that is no secret.
  expect(
    log.map((line) => JSON.stringify(line)).filter((line) => /expired|revoked|another secret/.test(line)),
  ).toHaveLength(3)
  for (const text of bad.filter((one) => one.length > 50)) expect(JSON.stringify(log)).not.toContain(text.slice(-43))
})

describe('a key that was found good', () => {
  test('is not looked up again for ten seconds', async () => {
    const { ask, keys, clock } = await open()
    for (let i = 0; i < 5; i++) await ask()
    expect(keys.asked.filter((name) => name === 'find')).toHaveLength(1)
    clock.advance(10_000)
    await ask()
    expect(keys.asked.filter((name) => name === 'find')).toHaveLength(2)
  })

  test('ends when it expires, remembered or not', async () => {
    const { ask, clock } = await open({ expiresAt: START + 5_000 })
    await ask()
    clock.advance(4_999)
    await ask()
    clock.advance(1)
    expect(await failureOf(ask())).toEqual(REFUSED)
  })

  test('ends within a second or so of being taken back, here or at another replica', async () => {
    const { ask, keys, clock, made, now } = await open()
    await ask()
    await revokeKey(keys, made.record.id, now())
    clock.advance(1_000)
    await ask() // is what asks whether anything changed
    expect(await failureOf(ask())).toEqual(REFUSED)
  })

  test('ends within its bound where the store cannot be asked', async () => {
    const { ask, keys, clock } = await open()
    await ask()
    keys.broken = true
    clock.advance(9_999)
    await ask()
    clock.advance(1)
    const failure = await failureOf(ask())
    expect(failure).toMatchObject({ code: 'policy.busy', challenge: undefined })
    expect(JSON.stringify(failure)).not.toMatch(/postgres|internal/)
  })

  test('is remembered within a bound', async () => {
    const { keys, now, ask } = await open({}, { maxCached: 2 })
    const texts = await Promise.all([1, 2, 3].map(async () => (await createKey(keys, ALICE, now())).text))
    for (const text of [...texts, ...texts]) await ask(text)
    expect(keys.asked.filter((name) => name === 'find')).toHaveLength(6)
  })
})

test('that it was used is noted once a minute, and no call waits for it', async () => {
  const { ask, keys, clock, made, now } = await open()
  const noted = () => keys.asked.filter((name) => name === 'change').length
  for (let i = 0; i < 10; i++) await ask()
  expect(noted()).toBe(1)
  for (let i = 0; i < 11; i++) {
    clock.advance(5_000)
    await ask()
  }
  expect(noted()).toBe(1)
  clock.advance(5_000)
  await ask()
  expect(noted()).toBe(2)
  expect((await keys.find(made.record.id))?.usedAt).toBe(now())
})

test('a rotated key goes on for its grace, and its successor is the same caller', async () => {
  const { ask, keys, clock, made, now } = await open({ scopes: ['a'], label: 'ci', expiresAt: START + 90 * DAY })
  clock.advance(DAY)
  const next = await rotateKey(keys, made.record.id, { graceMs: DAY, now: now() })
  if (next === undefined) expect.fail('not rotated')
  expect(next.text).not.toBe(made.text)
  expect(next.record).toMatchObject({ principal: 'alice', tenant: 'acme', roles: ['dev'], scopes: ['a'], label: 'ci' })
  expect(next.record.expiresAt).toBe(now() + 90 * DAY)
  expect((await keys.find(made.record.id))?.replacedBy).toBe(next.record.id)
  expect((await ask()).id).toBe('alice')
  expect((await ask(next.text)).id).toBe('alice')
  clock.advance(DAY)
  expect(await failureOf(ask())).toEqual(REFUSED)
  expect((await ask(next.text)).id).toBe('alice')
  // Only what is good can be replaced.
  expect(await rotateKey(keys, made.record.id, { graceMs: DAY, now: now() })).toBeUndefined()
  expect(await rotateKey(keys, 'nobody', { graceMs: DAY, now: now() })).toBeUndefined()
})

test('grace never makes a key live longer than it would', async () => {
  const { keys, made, now } = await open({ expiresAt: START + 1_000 })
  await rotateKey(keys, made.record.id, { graceMs: DAY, now: now() })
  expect((await keys.find(made.record.id))?.expiresAt).toBe(START + 1_000)
})

test('what is written is what is read, and nothing else is a key', () => {
  for (let i = 0; i < 100; i++) {
    const key = randomApiKey()
    expect(parseApiKey(formatApiKey(key))).toEqual(key)
  }
  fc.assert(fc.property(fc.string(), (text) => parseApiKey(text) === undefined))
  fc.assert(
    fc.property(fc.stringMatching(/^cpk_[\w-]{12,20}_[\w-]{43}$/), (text) => {
      const key = parseApiKey(text)
      return key !== undefined && formatApiKey(key) === text
    }),
  )
})

test('digests are compared whole', () => {
  const digest = sha256('x')
  expect(isSameDigest(digest, digest)).toBe(true)
  for (let i = 0; i < digest.length; i++) {
    const other = `${digest.slice(0, i)}${digest[i] === 'A' ? 'B' : 'A'}${digest.slice(i + 1)}`
    expect(isSameDigest(digest, other)).toBe(false)
  }
  expect(isSameDigest(digest, digest.slice(1))).toBe(false)
  expect(isSameDigest('', digest)).toBe(false)
})

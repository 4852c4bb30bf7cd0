import { createPublicKey, generateKeyPairSync, randomUUID } from 'node:crypto'
import type { JsonObject } from '@crosspoint/mcp'
import type { GrantRow, GrantStore } from '../stores/contract/grant-store.ts'
import { StoreError } from '../stores/contract/store-error.ts'
import type { Seal } from './seal.ts'

/** The keys that tokens are signed with, of all gateways that share a store. */
export interface SigningKeys {
  /** Private ones (JWK), the one to sign with first. */
  readonly all: readonly [JsonObject, ...JsonObject[]]
  /** What anybody may see (JWKS). */
  readonly published: JsonObject
}

export interface SigningKeysNeeds {
  readonly grants: GrantStore
  readonly seal: Seal
  readonly now: () => number
}

/** Where there is none one is made; of many who make one at once the first wins. */
export async function readSigningKeys(needs: SigningKeysNeeds): Promise<SigningKeys> {
  let rows = await listRows(needs)
  if (rows.length === 0) {
    await addKey(needs, 1)
    rows = await listRows(needs)
  }
  const settled = needs.now() - SETTLE_MS
  // A new one is known to all gateways before it is used, unless there is no other.
  const signing = rows.findLast(({ createdAt }) => createdAt <= settled) ?? rows[0]
  const ordered = [signing, ...rows.filter((row) => row !== signing)].flatMap((row) => (row === undefined ? [] : [row]))
  const [first, ...others] = ordered.map((row) => toKey(needs.seal, row))
  if (first === undefined) throw new StoreError('unavailable', 'Cannot read the keys that tokens are signed with')
  return { all: [first, ...others], published: { keys: [first, ...others].map(toPublic) } }
}

/** Another key, with which tokens are signed in two minutes. What the old ones signed is good until it ends. */
export async function rotateSigningKeys(needs: SigningKeysNeeds): Promise<void> {
  const rows = await listRows(needs)
  const last = Math.max(0, ...rows.map(({ id }) => Number(id)))
  await addKey(needs, last + 1)
  for (const row of rows) {
    if (row.expiresAt === undefined) await needs.grants.put({ ...row, expiresAt: needs.now() + KEPT_MS })
  }
}

async function listRows({ grants, now }: SigningKeysNeeds): Promise<GrantRow[]> {
  const rows = await grants.list({ kind: KIND, limit: MAX_KEYS })
  return rows
    .filter(({ expiresAt }) => expiresAt === undefined || expiresAt > now())
    .sort((a, b) => Number(a.id) - Number(b.id))
}

async function addKey({ grants, seal, now }: SigningKeysNeeds, number: number): Promise<void> {
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const jwk = { ...privateKey.export({ format: 'jwk' }), kid: randomUUID(), alg: 'ES256', use: 'sig' }
  const id = String(number)
  await grants.add({ kind: KIND, id, payload: seal.seal(`${KIND}\0${id}`, jwk), createdAt: now() })
}

function toKey(seal: Seal, { id, payload }: GrantRow): JsonObject {
  const key = seal.open(`${KIND}\0${id}`, payload)
  if (typeof key === 'object' && key !== null) return key as JsonObject // as `addKey` made it
  throw new StoreError('damaged', 'Cannot read the keys of the authorization server: they were sealed with another key')
}

function toPublic({ kid, alg, use, ...key }: JsonObject): JsonObject {
  // As `addKey` made it.
  const open = createPublicKey({ key: key as Record<string, string>, format: 'jwk' }).export({ format: 'jwk' })
  return { ...open, kid, alg, use }
}

const KIND = 'SigningKey'
/** Until every gateway has read the keys again. */
const SETTLE_MS = 120_000
/** Longer than any token lasts. */
const KEPT_MS = 2 * 3_600_000
const MAX_KEYS = 100

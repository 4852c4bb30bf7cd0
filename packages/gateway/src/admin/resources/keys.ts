import { createKey, revokeKey, rotateKey } from '../../identity/key-records.ts'
import { isNobody } from '../../identity/nobody.ts'
import type { KeyRecord, KeyStore } from '../../stores/contract/key-store.ts'
import type { Key } from '../contract/keys.ts'
import type { AdminNeeds, Handlers } from '../needs.ts'
import { Problem } from '../problem.ts'

export function createKeyHandlers({
  store,
  wallClock,
}: AdminNeeds): Pick<Handlers, 'listKeys' | 'createKey' | 'revokeKey' | 'rotateKey'> {
  const stored = (): KeyStore => {
    if (store.keys !== undefined) return store.keys
    throw new Problem('conflict', 'This gateway has no store for keys')
  }
  return {
    listKeys: async ({ query: { tenant, limit, cursor } }) => {
      const found = await stored().list({
        limit: limit + 1,
        ...(tenant === undefined ? {} : { tenant }),
        ...(cursor === undefined ? {} : { after: cursor }),
      })
      const shown = found.slice(0, limit)
      const last = shown.at(-1)
      return { keys: shown.map(toKey), ...(found.length > limit && last !== undefined ? { next: last.id } : {}) }
    },
    createKey: async ({ body }, { record }) => {
      const { principal, tenant, roles, scopes, label, expiresInMs } = body
      if (isNobody(principal, tenant)) {
        throw new Problem('invalid_request', 'So callers are called whom nobody asks who they are', {
          hint: 'Give another name, or another tenant',
        })
      }
      const now = wallClock()
      const about = {
        principal,
        tenant,
        roles,
        ...(scopes === undefined ? {} : { scopes }),
        ...(label === undefined ? {} : { label }),
        ...(expiresInMs === undefined ? {} : { expiresAt: now + expiresInMs }),
      }
      const made = await createKey(stored(), about, now)
      record('key.created', made.record.id, toAbout(made.record))
      return { ...toKey(made.record), key: made.text }
    },
    revokeKey: async ({ params: { id } }, { record }) => {
      const before = await find(stored(), id)
      const revoked = await revokeKey(stored(), id, wallClock())
      if (revoked === undefined) throw unknownKey()
      if (before.revokedAt === undefined) record('key.revoked', id, toAbout(revoked))
      return toKey(revoked)
    },
    rotateKey: async ({ params: { id }, body: { graceMs } }, { record }) => {
      await find(stored(), id)
      const made = await rotateKey(stored(), id, { graceMs, now: wallClock() })
      if (made === undefined) {
        throw new Problem('conflict', 'This key is not good any more', { hint: 'Make another one: POST /api/v1/keys' })
      }
      record('key.rotated', id, { ...toAbout(made.record), replacedBy: made.record.id })
      return { ...toKey(made.record), key: made.text, replaced: toKey(await find(stored(), id)) }
    },
  }
}

async function find(keys: KeyStore, id: string): Promise<KeyRecord> {
  const found = await keys.find(id)
  if (found === undefined) throw unknownKey()
  return found
}

function unknownKey(): Problem {
  return new Problem('not_found', 'No key has this id', { hint: 'GET /api/v1/keys lists them' })
}

/** Whose key it is, for the evidence. */
function toAbout({ tenant, principal }: KeyRecord) {
  return { forTenant: tenant, forPrincipal: principal }
}

/** Of what could check a key nothing is shown, were it of no use. */
function toKey({ digest: _, createdAt, expiresAt, revokedAt, usedAt, ...rest }: KeyRecord): Key {
  return {
    ...rest,
    createdAt: toMoment(createdAt),
    ...(expiresAt === undefined ? {} : { expiresAt: toMoment(expiresAt) }),
    ...(revokedAt === undefined ? {} : { revokedAt: toMoment(revokedAt) }),
    ...(usedAt === undefined ? {} : { usedAt: toMoment(usedAt) }),
  }
}

function toMoment(at: number): string {
  return new Date(at).toISOString()
}

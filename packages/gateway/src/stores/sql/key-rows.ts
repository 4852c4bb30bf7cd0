import type { KeyRecord } from '../contract/key-store.ts'
import type { KeyRow } from './tables.ts'
import { checkKeepable, parseTexts } from './texts.ts'

/** @throws {StoreError} `invalid` */
export function toKeyRow(key: KeyRecord): KeyRow {
  checkKeepable('a key', [key.id, key.digest, key.principal, key.tenant, key.label, key.replacedBy])
  return {
    id: key.id,
    digest: key.digest,
    principal: key.principal,
    tenant: key.tenant,
    scopes: key.scopes === undefined ? null : JSON.stringify(key.scopes),
    roles: JSON.stringify(key.roles),
    label: key.label ?? null,
    created_at: key.createdAt,
    expires_at: key.expiresAt ?? null,
    revoked_at: key.revokedAt ?? null,
    replaced_by: key.replacedBy ?? null,
    used_at: key.usedAt ?? null,
  }
}

export function fromKeyRow(row: KeyRow): KeyRecord {
  return {
    id: row.id,
    digest: row.digest,
    principal: row.principal,
    tenant: row.tenant,
    ...(row.scopes !== null && { scopes: parseTexts(row.scopes, UNREADABLE) }),
    roles: parseTexts(row.roles, UNREADABLE),
    ...(row.label !== null && { label: row.label }),
    createdAt: row.created_at,
    ...(row.expires_at !== null && { expiresAt: row.expires_at }),
    ...(row.revoked_at !== null && { revokedAt: row.revoked_at }),
    ...(row.replaced_by !== null && { replacedBy: row.replaced_by }),
    ...(row.used_at !== null && { usedAt: row.used_at }),
  }
}

const UNREADABLE = 'Cannot read a key: its scopes or roles are not a list of texts'

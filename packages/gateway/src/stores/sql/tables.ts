import type { Kysely } from 'kysely'
import type { CredentialKind } from '../contract/credential-store.ts'

/** Tables of both databases, as rows come out of them: no column is missing, absent is null. */
export interface Tables {
  /** One row, once something is kept. */
  store_version: { version: number }
  api_keys: KeyRow
  /** One row. */
  api_keys_version: { version: number }
  audit_rows: AuditTableRow
  audit_chains: ChainRow
  audit_checkpoints: CheckpointRow
  credentials: CredentialRow
  credential_claims: ClaimRow
  accounts: AccountRow
  grants: GrantTableRow
  counts: CountRow
}

export type Db = Kysely<Tables>

export interface KeyRow {
  id: string
  digest: string
  principal: string
  tenant: string
  /** JSON lists of texts. */
  scopes: string | null
  roles: string
  label: string | null
  created_at: number
  expires_at: number | null
  revoked_at: number | null
  replaced_by: string | null
  used_at: number | null
}

export interface AuditTableRow {
  chain: string
  seq: number
  at: number
  previous: string
  hash: string
  record: string
  tenant: string
  principal: string
  method: string
  target: string | null
  upstream: string | null
  outcome: string
  trace: string | null
}

/** How far a chain goes, which its rows do not say once they are forgotten. */
export interface ChainRow {
  chain: string
  /** The first that is kept; behind `last` where none is. */
  first: number
  last: number
  /** Of the row `last`. */
  hash: string
}

export interface CheckpointRow {
  chain: string
  seq: number
  hash: string
  at: number
  signing_key: string
  signature: string
}

export interface CredentialRow {
  kind: CredentialKind
  tenant: string
  principal: string
  name: string
  key_id: string
  sealed: string
  version: number
  updated_at: number
}

/** A name that somebody has for a while. */
export interface ClaimRow {
  name: string
  holder: string
  ends_at: number
}

export interface AccountRow {
  name: string
  tenant: string
  /** A JSON list of texts. */
  roles: string
  digest: string
  created_at: number
  changed_at: number
}

export interface GrantTableRow {
  kind: string
  id: string
  grant_id: string | null
  account: string | null
  client: string | null
  uid: string | null
  payload: string
  created_at: number
  expires_at: number | null
  consumed_at: number | null
}

/** What one process counted in one part of a window. */
export interface CountRow {
  name: string
  owner: string
  part: number
  amount: number
  window_ms: number
  expires_at: number
}

import type { CredentialId, CredentialRecord, CredentialStore } from '../../stores/contract/credential-store.ts'
import type { AdminNeeds, Handlers } from '../needs.ts'
import { Problem } from '../problem.ts'

export function createCredentialHandlers({
  store,
}: AdminNeeds): Pick<Handlers, 'listCredentials' | 'removeCredential'> {
  const stored = (): CredentialStore => {
    if (store.credentials !== undefined) return store.credentials
    throw new Problem('conflict', 'This gateway has no store for credentials')
  }
  return {
    listCredentials: async ({ query: { kind, limit, cursor } }) => {
      const after = cursor === undefined ? undefined : fromCursor(cursor)
      const found = await stored().list({
        kind,
        limit: limit + 1,
        ...(after === undefined ? {} : { after: { ...after, kind } }),
      })
      const shown = found.slice(0, limit)
      const last = shown.at(-1)
      return {
        credentials: shown.map(toShown),
        ...(found.length > limit && last !== undefined ? { next: toCursor(last) } : {}),
      }
    },
    removeCredential: async ({ body }, { record }) => {
      if (!(await stored().remove(body))) throw new Problem('not_found', 'No such credential is kept')
      const { kind, tenant, principal, name } = body
      record('credential.removed', name, { kind, forTenant: tenant, forPrincipal: principal })
      return { removed: true }
    },
  }
}

/** Not even what is closed is shown. */
function toShown({ kind, tenant, principal, name, keyId, updatedAt }: CredentialRecord) {
  return { kind, tenant, principal, name, keyId, updatedAt: new Date(updatedAt).toISOString() }
}

function toCursor({ tenant, principal, name }: CredentialId): string {
  return JSON.stringify([tenant, principal, name])
}

function fromCursor(cursor: string): Omit<CredentialId, 'kind'> {
  const parts = parse(cursor)
  if (Array.isArray(parts) && parts.length === 3 && parts.every((part) => typeof part === 'string')) {
    const [tenant = '', principal = '', name = ''] = parts
    return { tenant, principal, name }
  }
  throw new Problem('invalid_request', 'The cursor is not one of ours', { hint: 'Send `next` of the page before' })
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    // None of ours: said by whoever asked.
    return undefined
  }
}

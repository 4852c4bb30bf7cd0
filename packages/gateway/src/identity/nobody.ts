import { ANONYMOUS } from '@crosspoint/mcp'

/**
 * Whether this is the name of those whom nobody asks who they are. They share what a server keeps, and nobody who has a key or
 * a token is one of them.
 */
export function isNobody(id: string, tenant: string): boolean {
  return id === ANONYMOUS.id && tenant === ANONYMOUS.tenant
}

import type { AdminRoles } from '../config/model-admin.ts'

/** What somebody may: each may what those before it may. */
export const ROLES = ['viewer', 'auditor', 'admin'] as const

export type Role = (typeof ROLES)[number]

export function mayDo(has: Role, needs: Role): boolean {
  return ROLES.indexOf(has) >= ROLES.indexOf(needs)
}

/** The most that roles of a token are good for; undefined: nothing. */
export function toRole(roles: readonly string[], configured: AdminRoles): Role | undefined {
  return ROLES.findLast((role) => configured[role].some((name) => roles.includes(name)))
}

import { type Part, parseCondition } from '../conditions/condition.ts'
import type { RoleAssignment } from '../config/model-policy.ts'

/** A role, and who has it besides those who bring it. */
export interface Role {
  readonly role: string
  readonly parts: readonly Part[]
}

export function toRole({ role, when }: RoleAssignment): Role {
  return { role, parts: parseCondition(when, ['principal']).parts }
}

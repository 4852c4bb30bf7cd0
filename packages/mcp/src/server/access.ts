import type { Principal } from '../protocol/call.ts'
import type { EndpointEvent } from '../transports/endpoint.ts'

/** What an access rule is asked about. */
export interface Subject {
  readonly kind: 'tool' | 'prompt' | 'resource' | 'resource template' | 'skill' | 'method'
  /** Its name (of a tool, prompt or method), URI, URI template or, of a skill, its path, as callers see it. */
  readonly key: string
}

/**
 * Whether a caller may see and use something. Asked for each call and each entry of a list, so it answers from what is
 * at hand. For one principal the answer changes only when what it may do changes: lists must not vary by connection or
 * by earlier requests. A rule that throws says no, and the error is logged.
 */
export type AccessRule = (principal: Principal, subject: Subject) => boolean

/** What a thing's own definition says, beside what it is. */
export interface Guarded {
  /** Who may see and use it; to everybody else it does not exist. Default: every caller. */
  readonly access?: AccessRule
}

/** The rules for everything a server has: all of them must agree. */
export class Access {
  readonly #log: (event: EndpointEvent) => void
  readonly #rules: AccessRule[] = []
  /** A field, since it is looked at for every call. */
  hasRules = false

  constructor(log: (event: EndpointEvent) => void) {
    this.#log = log
  }

  add(rule: AccessRule): void {
    this.#rules.push(rule)
    this.hasRules = true
  }

  /** @param own the rule of the thing itself */
  allows(principal: Principal, subject: Subject, own?: AccessRule): boolean {
    try {
      if (own !== undefined && own(principal, subject) !== true) return false
      return this.#rules.every((rule) => rule(principal, subject) === true)
    } catch (error) {
      this.#log({ level: 'error', event: 'access_rule_failed', kind: subject.kind, key: subject.key, error })
      return false
    }
  }
}

import type { z } from 'zod'
import type { Role } from '../roles.ts'

/** What one operation takes and gives, for whoever checks it, describes it or calls it. */
export interface Operation {
  /** One line. */
  readonly summary: string
  /** What surprises. */
  readonly about?: string
  /** Of which resource. */
  readonly tag: string
  /** Who may at the least; `anyone` is asked nothing. */
  readonly role: Role | 'anyone'
  readonly params?: z.ZodObject
  readonly query?: z.ZodObject
  readonly body?: z.ZodObject
  /** Most bytes of the body. Default 64 KiB. */
  readonly maxBytes?: number
  readonly answer: z.ZodType
  /** `jsonl`: one answer a line, `events`: one answer an event. Default: one answer. */
  readonly form?: 'jsonl' | 'events'
  /** Default 200. */
  readonly status?: 200 | 201
  /** The same answer may come with this status, which says how it is. */
  readonly otherStatus?: 503
}

/** Declares an operation, and keeps the types of its parts. */
export function defineOperation<const Declared extends Operation>(declared: Declared): Declared {
  return declared
}

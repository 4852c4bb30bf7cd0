import type { Attributes } from './names.ts'
import type { Remote } from './propagation.ts'

/** A span that is over, as a collector is told of it. */
export interface Span {
  readonly name: string
  readonly kind: 'server' | 'client'
  readonly traceId: string
  readonly spanId: string
  readonly parentSpanId: string | undefined
  /** The parent is in another process. */
  readonly isParentRemote: boolean
  readonly tracestate: string | undefined
  /** What the HTTP request said of a trace, where that is not the parent. */
  readonly link: Remote | undefined
  /** Milliseconds since 1970. */
  readonly startedAt: number
  readonly ms: number
  readonly attributes: Attributes
}

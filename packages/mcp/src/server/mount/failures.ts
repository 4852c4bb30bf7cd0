import { McpError } from '../../errors.ts'
import type { EndpointEvent } from '../../transports/endpoint.ts'
import { isLacking } from './list-all.ts'

/** Of which kinds a mounted server offers nothing now, and why. Each is said once, and not for every list asked for. */
export class Failures {
  readonly #mount: string
  readonly #log: (event: EndpointEvent) => void
  readonly #failing = new Map<string, string>()
  /** Kinds of which it was said that callers with trails went without them. */
  readonly #cutSaid = new Set<string>()

  constructor(mount: string, log: (event: EndpointEvent) => void) {
    this.#mount = mount
    this.#log = log
  }

  /** Undefined where it does not fail. */
  reasonOf(kind: string): string | undefined {
    return this.#failing.get(kind)
  }

  failed(kind: string, error: unknown): void {
    if (isLacking(error)) return
    const reason = toReason(error)
    if (this.#failing.get(kind) === reason) return
    this.#failing.set(kind, reason)
    this.#tell(kind, reason, error)
  }

  /**
   * A caller with a trail went without it, most often because it leads back there. The trail may be made up, and so
   * nobody else is told that something fails.
   */
  cut(kind: string, error: unknown): void {
    if (isLacking(error) || this.#cutSaid.has(kind)) return
    this.#cutSaid.add(kind)
    this.#tell(kind, toReason(error), error)
  }

  recovered(kind: string): void {
    if (this.#failing.delete(kind)) this.#log({ level: 'info', event: 'mount_back', mount: this.#mount, of: kind })
  }

  #tell(kind: string, reason: string, error: unknown): void {
    this.#log({ level: 'warn', event: 'mount_left_out', mount: this.#mount, of: kind, reason, error })
  }
}

function toReason(error: unknown): string {
  return error instanceof McpError ? error.message : 'it failed'
}

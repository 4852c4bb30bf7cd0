import type { Clock } from '@crosspoint/mcp'
import type { AuditEvent } from '../audit/record.ts'
import type { GatewayConfig } from '../config/model.ts'
import type { Log } from '../log.ts'
import type { Store } from '../stores/contract/store.ts'
import { type Counters, MemoryCounters } from '../traffic/counters.ts'
import { AuthServer } from './auth-server.ts'

/** What of a gateway's options its authorization server needs. */
interface Given {
  readonly store?: Partial<Pick<Store, 'accounts' | 'grants'>>
  readonly env?: Readonly<Record<string, string | undefined>>
  readonly wallClock?: () => number
  readonly counters?: Counters
  readonly fetch?: typeof fetch
}

interface Around {
  readonly config: GatewayConfig
  readonly clock: Clock
  readonly log: Log
  readonly resources: () => readonly string[]
  readonly record: (event: AuditEvent) => void
}

/** The authorization server of a gateway, while its configuration has one. */
export class AuthServerSlot {
  readonly #given: Given
  readonly #around: Around
  readonly #counters: Counters
  #config: GatewayConfig
  #written = ''
  #current: AuthServer | undefined

  constructor(given: Given, around: Around) {
    this.#given = given
    this.#around = around
    this.#config = around.config
    this.#counters = given.counters ?? new MemoryCounters({ clock: around.clock })
    this.apply(around.config)
  }

  get current(): AuthServer | undefined {
    return this.#current
  }

  apply(config: GatewayConfig): void {
    this.#config = config
    const server = config.auth?.server
    // What it was told of is asked for when it is needed: only its own settings are there to be compared.
    const written = JSON.stringify([config.auth?.resource, { ...server, clients: [...(server?.clients ?? [])] }])
    if (server === undefined) this.close()
    else if (this.#current === undefined) this.#current = this.#open()
    else if (written !== this.#written) this.#current.apply(server)
    this.#written = written
  }

  close(): void {
    this.#current?.close()
    this.#current = undefined
  }

  #open(): AuthServer | undefined {
    const { store, env = process.env, wallClock = Date.now, fetch } = this.#given
    const { clock, log, resources, record } = this.#around
    const server = this.#config.auth?.server
    const { accounts, grants } = store ?? {}
    if (server === undefined || accounts === undefined || grants === undefined) return undefined
    return new AuthServer(server, {
      store: { accounts, grants },
      clock,
      log,
      env,
      wallClock,
      counters: this.#counters,
      fetch,
      scopes: () => [...this.#config.policy.scopes.keys()],
      resources: () => new Set(resources()),
      happened: (event, about) => record(toEvent(event, about)),
    })
  }
}

/** Who it was stands in a record by itself. */
function toEvent(event: string, about: Readonly<Record<string, unknown>>): AuditEvent {
  const { principal, tenant, ...rest } = about
  return {
    event,
    ...(typeof principal === 'string' ? { principal } : {}),
    ...(typeof tenant === 'string' ? { tenant } : {}),
    about: rest,
  }
}

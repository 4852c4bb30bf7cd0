import { McpError } from '../errors.ts'
import type { Principal, Result } from '../protocol/call.ts'
import { keep } from '../protocol/kept.ts'
import type { Access, AccessRule, Guarded, Subject } from './access.ts'
import { fromPlaceCursor, toPlaceCursor } from './place-cursor.ts'

/** A thing a server offers, and what may be done with it later. Every change is told to whoever listens. */
export interface Registration<Definition, Handler> {
  /** The name of a tool or prompt, the URI of a resource, the template of a template. */
  readonly key: string
  /** A disabled thing is not listed and cannot be used. */
  readonly enabled: boolean
  /** Replaces the members given; they and a new handler count from the next call on. */
  update(changes: Partial<Definition>, handler?: Handler): void
  enable(): void
  disable(): void
  /** For good: the key is free again. */
  remove(): void
}

/** What a caller sees of a registered thing, and what answers for it. */
export interface Entry<Listed, Live> {
  readonly listed: Listed
  readonly live: Live
}

/** Things to look up and to list: all that a server has, or what one caller may see of it. */
export interface Shelf<Listed, Live> {
  /** What answers for `key`; undefined where nothing does. */
  find(key: string): Live | undefined
  keys(): readonly string[]
  all(): readonly Live[]
  /**
   * @param cursor as the caller sent it; undefined for the first page
   * @throws {McpError} `caller.invalid_params` for a cursor that is not one of this list
   */
  page(cursor: unknown): Page<Listed>
}

export interface Page<Listed> {
  readonly items: readonly Listed[]
  readonly nextCursor: string | undefined
  /** Where everybody gets this same page until something changes: the result that was made of it. */
  readonly shared?: { result: Result | undefined }
}

export interface RegistryOptions<Definition, Handler, Listed, Live> {
  /** One word for messages and cursors, such as `tool`. */
  readonly what: Subject['kind']
  readonly pageSize: number
  /** Checks a definition and makes what is listed and called of it; throws for a bad one. */
  readonly build: (key: string, definition: Definition, handler: Handler) => Entry<Listed, Live>
  /** What access rules are told about a thing, where it is not its kind and its key. */
  readonly toSubject?: ((key: string) => Subject | undefined) | undefined
  /** Told after every change that a caller can see. */
  readonly changed: (what: ChangedThing) => void
}

/** What changed, and who could see it before or can see it now. */
export interface ChangedThing {
  readonly subject: Subject
  /** Its own rule before and now; undefined where it has none. */
  readonly rules: readonly (AccessRule | undefined)[]
}

/** A page as a result. What everybody gets first is made once, and so is its text. */
export function toListResult<Listed>({ items, nextCursor, shared }: Page<Listed>, member: string): Result {
  if (shared?.result !== undefined) return shared.result
  const result: Result = nextCursor === undefined ? { [member]: items } : { [member]: items, nextCursor }
  if (shared === undefined) return result
  shared.result = keep(result)
  return result
}

interface Slot<Listed, Live> {
  /** Place in the order of registration. Never given twice, so a cursor survives changes of the list. */
  readonly serial: number
  entry: Entry<Listed, Live>
  access: AccessRule | undefined
  enabled: boolean
}

/** Named things in order of registration. The order and the first page are made when the list changes. */
export class Registry<Definition extends Guarded, Handler, Listed, Live> implements Shelf<Listed, Live> {
  /** Whether anything in it is not for everybody. A field, since it is looked at for every call. */
  hasRules = false
  readonly #options: RegistryOptions<Definition, Handler, Listed, Live>
  readonly #slots = new Map<string, Slot<Listed, Live>>()
  #serials = 0
  #enabled: readonly Slot<Listed, Live>[] = []
  #firstPage: Page<Listed> = { items: [], nextCursor: undefined }

  constructor(options: RegistryOptions<Definition, Handler, Listed, Live>) {
    this.#options = options
  }

  /** Whether anything was ever registered: what was announced once stays announced. */
  get used(): boolean {
    return this.#serials > 0
  }

  /** What of it this caller may see. */
  seenBy(principal: Principal, access: Access): Shelf<Listed, Live> {
    const isVisible = (key: string, slot: Slot<Listed, Live>) =>
      slot.enabled && access.allows(principal, this.#subjectOf(key), slot.access)
    const visible = () => [...this.#slots].filter(([key, slot]) => isVisible(key, slot))
    return {
      find: (key) => {
        const slot = this.#slots.get(key)
        return slot !== undefined && isVisible(key, slot) ? slot.entry.live : undefined
      },
      keys: () => visible().map(([key]) => key),
      all: () => visible().map(([, slot]) => slot.entry.live),
      page: (cursor) => this.#pageSeen(visible(), cursor),
    }
  }

  /** Serials would count what is hidden: here a cursor names the last thing that was seen, and its place. */
  #pageSeen(seen: readonly (readonly [key: string, slot: Slot<Listed, Live>])[], cursor: unknown): Page<Listed> {
    const { what, pageSize } = this.#options
    const keys = seen.map(([key]) => key)
    const from = cursor === undefined ? 0 : fromPlaceCursor(what, keys, cursor)
    if (from === undefined) throw strangeCursor(what)
    const end = from + pageSize
    return {
      items: seen.slice(from, end).map(([, slot]) => slot.entry.listed),
      nextCursor: end < seen.length ? toPlaceCursor(what, end, keys[end - 1]) : undefined,
    }
  }

  /** What would answer for `key` if it were enabled. */
  peek(key: string): Live | undefined {
    return this.#slots.get(key)?.entry.live
  }

  add(key: string, definition: Definition, handler: Handler): Registration<Definition, Handler> {
    const { what, build } = this.#options
    if (this.#slots.has(key)) {
      const remedy = 'change it by "update" of what the first call returned, or give this one another name'
      throw new Error(`Cannot register the ${what} "${key}" twice: ${remedy}`)
    }
    if (this.#slots.size >= MAX_ENTRIES) {
      throw new Error(`Cannot register the ${what} "${key}": there are ${MAX_ENTRIES} already`)
    }
    const slot: Slot<Listed, Live> = {
      serial: this.#serials + 1,
      entry: build(key, withoutRule(definition), handler),
      access: definition.access,
      enabled: true,
    }
    this.#serials++
    this.#slots.set(key, slot)
    this.#renew(key, slot.access)
    return this.#register(key, slot, definition, handler)
  }

  /** Undefined for what is disabled, too. */
  find(key: string): Live | undefined {
    const slot = this.#slots.get(key)
    return slot?.enabled === true ? slot.entry.live : undefined
  }

  keys(): readonly string[] {
    return [...this.#slots].filter(([, slot]) => slot.enabled).map(([key]) => key)
  }

  all(): readonly Live[] {
    return this.#enabled.map((slot) => slot.entry.live)
  }

  page(cursor: unknown): Page<Listed> {
    return cursor === undefined ? this.#firstPage : this.#pageOf(this.#enabled, this.#serialOf(cursor))
  }

  #serialOf(cursor: unknown): number {
    const serial = typeof cursor === 'string' ? fromCursor(this.#options.what, cursor) : undefined
    if (serial !== undefined && serial <= this.#serials) return serial
    throw strangeCursor(this.#options.what)
  }

  #subjectOf(key: string): Subject {
    const { what, toSubject } = this.#options
    return toSubject?.(key) ?? { kind: what, key }
  }

  /** @param serial where the page before this one ended */
  #pageOf(shown: readonly Slot<Listed, Live>[], serial: number): Page<Listed> {
    const { what, pageSize } = this.#options
    const found = shown.findIndex((slot) => slot.serial > serial)
    const from = found === -1 ? shown.length : found
    const slots = shown.slice(from, from + pageSize)
    const last = slots.at(-1)
    const hasMore = last !== undefined && from + slots.length < shown.length
    return {
      // Everybody's: who is given it must not change it.
      items: Object.freeze(slots.map((slot) => slot.entry.listed)),
      nextCursor: hasMore ? toCursor(what, last.serial) : undefined,
    }
  }

  /** @param rules of the thing that changed, before and now */
  #renew(key: string, ...rules: readonly (AccessRule | undefined)[]): void {
    this.#enabled = [...this.#slots.values()].filter((slot) => slot.enabled)
    this.#firstPage = { ...this.#pageOf(this.#enabled, 0), shared: { result: undefined } }
    this.hasRules = this.#enabled.some((slot) => slot.access !== undefined)
    this.#options.changed({ subject: this.#subjectOf(key), rules })
  }

  #register(
    key: string,
    slot: Slot<Listed, Live>,
    definition: Definition,
    handler: Handler,
  ): Registration<Definition, Handler> {
    const { what, build } = this.#options
    const ifPresent = (verb: string, change: () => void) => {
      if (this.#slots.get(key) !== slot) throw new Error(`Cannot ${verb} the ${what} "${key}": it was removed`)
      change()
    }
    const setEnabled = (verb: string, enabled: boolean) =>
      ifPresent(verb, () => {
        if (slot.enabled === enabled) return
        slot.enabled = enabled
        this.#renew(key, slot.access)
      })
    return {
      key,
      get enabled() {
        return slot.enabled
      },
      update: (changes, newHandler) =>
        ifPresent('update', () => {
          const newDefinition = { ...definition, ...changes }
          slot.entry = build(key, withoutRule(newDefinition), newHandler ?? handler)
          const before = slot.access
          slot.access = newDefinition.access
          definition = newDefinition
          handler = newHandler ?? handler
          if (slot.enabled) this.#renew(key, before, slot.access)
        }),
      enable: () => setEnabled('enable', true),
      disable: () => setEnabled('disable', false),
      remove: () => {
        if (this.#slots.get(key) !== slot) return
        this.#slots.delete(key)
        if (slot.enabled) this.#renew(key, slot.access)
        slot.enabled = false
      },
    }
  }
}

export function strangeCursor(what: string): McpError {
  return new McpError('caller.invalid_params', `Cannot list ${what}s: the cursor is not one of this list`)
}

/** Who may see a thing is no part of what is seen. */
function withoutRule<Definition extends Guarded>(definition: Definition): Definition {
  if (definition.access === undefined) return definition
  const { access: _, ...shown } = definition
  return shown as Definition // the rule is optional
}

function toCursor(what: string, serial: number): string {
  return btoa(`${what}:${serial}`)
}

function fromCursor(what: string, cursor: string): number | undefined {
  if (cursor.length > MAX_CURSOR || !/^[A-Za-z0-9+/]+={0,2}$/.test(cursor) || cursor.length % 4 !== 0) return undefined
  const text = atob(cursor)
  const serial = Number(text.slice(what.length + 1))
  return text === `${what}:${serial}` && Number.isSafeInteger(serial) && serial > 0 ? serial : undefined
}

/** Most things of one kind a server may offer: more is a leak of the author's. */
const MAX_ENTRIES = 10_000
const MAX_CURSOR = 64

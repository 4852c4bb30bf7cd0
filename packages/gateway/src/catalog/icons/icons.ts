import { type Clock, type Icon, toSafeIcons } from '@crosspoint/mcp'
import type { Log } from '../../log.ts'
import { shown } from '../../shown.ts'
import { toReason } from '../../upstreams/explain.ts'
import type { Item, Kind } from '../kinds.ts'
import type { Offer } from '../offer.ts'
import { fetchIcon } from './fetch-icon.ts'

export interface IconBounds {
  /** Pictures fetched of one server in all its life; 0 fetches none and passes addresses on. */
  readonly maxIcons: number
  /** Of one picture. All of one server add no more to its lists than `maxIcons` pictures of this size. */
  readonly maxIconBytes: number
  /** For one picture, in milliseconds. */
  readonly timeoutMs: number
}

export interface IconsOptions {
  readonly upstream: string
  /** Where the server is; pictures of the same origin are fetched. Undefined for one that has no such place. */
  readonly url: string | undefined
  readonly bounds: () => IconBounds
  readonly fetch: typeof fetch
  /** Pictures came in: what is shown is not what it was. */
  readonly changed: () => void
  readonly clock: Clock
  readonly log: Log
}

/**
 * The icons of one server, as callers of ours may show them. Those show pictures of the origin they talk to, which is ours,
 * and `data:` URIs: so a picture that the server has at its own origin is put into the list as `data:`. It is fetched once,
 * beside the lists: they do not wait for it. What is elsewhere passes as the address it is, for the host to decide; what no
 * host may show is left out.
 */
export class Icons {
  readonly #options: IconsOptions
  readonly #origin: string | undefined
  /** By address; undefined for one that is on its way, or that came to nothing. */
  readonly #pictures = new Map<string, { readonly src: string; readonly mimeType: string } | undefined>()
  readonly #queue: string[] = []
  readonly #closing = new AbortController()
  /** What was made of an item, so that what did not change stays the same object. */
  readonly #made = new WeakMap<Item, Item>()
  #workers = 0
  #cameIn = false
  #isFull = false

  constructor(options: IconsOptions) {
    this.#options = options
    this.#origin = options.url === undefined ? undefined : toOrigin(options.url)
  }

  /** What the server offers with the icons that may be shown by now; the same object where those are all it has. */
  show(offer: Offer): Offer {
    const { maxIcons, maxIconBytes } = this.#options.bounds()
    const room: Room = { chars: maxIcons * toBase64Length(maxIconBytes) }
    let made = offer
    for (const kind of WITH_ICONS) {
      const items = this.#showAll(offer[kind], room)
      if (items !== offer[kind]) made = { ...made, [kind]: items }
    }
    return made
  }

  /** Fetches no more. */
  close(): void {
    this.#closing.abort()
    this.#queue.length = 0
  }

  #showAll(items: readonly Item[], room: Room): readonly Item[] {
    const made = items.map((item) => (item.icons === undefined ? item : this.#showItem(item, room)))
    return made.every((item, at) => item === items[at]) ? items : made
  }

  #showItem(item: Item, room: Room): Item {
    const { icons: given, ...plain } = item
    const before = given as readonly Icon[] // of the right shape, or it is not listed
    const icons = before.flatMap((icon) => this.#showIcon(icon, room))
    if (isSame(icons, before)) return item
    const last = this.#made.get(item)
    if (last !== undefined && isSame(icons, (last.icons ?? []) as readonly Icon[])) return last
    const made = icons.length === 0 ? plain : { ...item, icons }
    this.#made.set(item, made)
    return made
  }

  #showIcon(icon: Icon, room: Room): readonly Icon[] {
    if (toSafeIcons([icon]).length === 0) return []
    if (this.#origin === undefined || this.#options.bounds().maxIcons === 0 || /^data:/i.test(icon.src)) return [icon]
    const url = new URL(icon.src)
    if (url.origin !== this.#origin) return [icon]
    url.hash = ''
    const picture = this.#find(url.href)
    if (picture === undefined || picture.src.length > room.chars) return []
    room.chars -= picture.src.length
    return [{ ...icon, ...picture }]
  }

  #find(url: string) {
    if (!this.#pictures.has(url)) this.#ask(url)
    return this.#pictures.get(url)
  }

  #ask(url: string): void {
    const { upstream, bounds, log } = this.#options
    if (this.#closing.signal.aborted) return
    const { maxIcons } = bounds()
    if (this.#pictures.size >= maxIcons) {
      if (!this.#isFull) log.debug({ upstream }, `Left out all icons but ${maxIcons}: "limits.maxIcons"`)
      this.#isFull = true
      return
    }
    this.#pictures.set(url, undefined)
    this.#queue.push(url)
    if (this.#workers >= AT_ONCE) return
    this.#workers++
    void this.#work()
  }

  /** Fetches what waits; the last one to end tells of all that came in. */
  async #work(): Promise<void> {
    for (let url = this.#queue.shift(); url !== undefined; url = this.#queue.shift()) await this.#fetch(url)
    if (--this.#workers > 0 || !this.#cameIn) return
    this.#cameIn = false
    if (!this.#closing.signal.aborted) this.#options.changed()
  }

  async #fetch(url: string): Promise<void> {
    const { upstream, bounds, fetch, clock, log } = this.#options
    const { maxIconBytes: maxBytes, timeoutMs } = bounds()
    const { signal } = this.#closing
    try {
      const { mimeType, bytes } = await fetchIcon(url, { fetch, clock, maxBytes, timeoutMs, signal })
      const src = `data:${mimeType};base64,${Buffer.from(bytes).toString('base64')}`
      this.#pictures.set(url, { src, mimeType })
      this.#cameIn = true
    } catch (error) {
      if (!signal.aborted) log.debug({ upstream, icon: shown(url), reason: toReason(error) }, 'Left out an icon')
    }
  }
}

/** What is left for pictures in the lists of one server. */
interface Room {
  chars: number
}

/** Servers on sockets have no place that others could come from. */
function toOrigin(url: string): string | undefined {
  return /^https:/i.test(url) && URL.canParse(url) ? new URL(url).origin : undefined
}

function isSame(icons: readonly Icon[], others: readonly Icon[]): boolean {
  return icons.length === others.length && icons.every(({ src }, at) => src === others[at]?.src)
}

function toBase64Length(bytes: number): number {
  return Math.ceil(bytes / 3) * 4 + PREFIX
}

/** `data:image/svg+xml;base64,` */
const PREFIX = 32
const AT_ONCE = 4
/** Skills have none: what they call so is their own. */
const WITH_ICONS = ['tools', 'resources', 'templates', 'prompts'] as const satisfies readonly Kind[]

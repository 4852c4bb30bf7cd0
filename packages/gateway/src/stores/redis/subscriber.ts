import type { Redis } from 'ioredis'

interface Listener {
  readonly hear: (message: string) => void
  readonly listening?: (() => void) | undefined
}

/** Whoever listens to channels, on one connection that is opened for the first of them. */
export class Subscriber {
  readonly #connect: () => Redis
  readonly #timeoutMs: number
  readonly #refused: (error: unknown) => void
  readonly #channels = new Map<string, Set<Listener>>()
  #client: Redis | undefined
  #beat: NodeJS.Timeout | undefined
  #isClosed = false

  /** @param refused is told why Redis does not let it listen */
  constructor(connect: () => Redis, timeoutMs: number, refused: (error: unknown) => void) {
    this.#connect = connect
    this.#timeoutMs = timeoutMs
    this.#refused = refused
  }

  async add(channel: string, listener: Listener): Promise<() => void> {
    const client = this.#open()
    const others = this.#channels.get(channel)
    if (others !== undefined) others.add(listener)
    else this.#channels.set(channel, new Set([listener]))
    const remove = () => this.#remove(channel, listener)
    // Where it is not open yet, everything is subscribed to when it is.
    if (client.status === 'ready') await this.#listen(client, [channel], [listener])
    else await this.#untilReady(client)
    return remove
  }

  close(): void {
    this.#isClosed = true
    clearInterval(this.#beat)
    this.#channels.clear()
    this.#client?.disconnect()
  }

  #open(): Redis {
    if (this.#client !== undefined) return this.#client
    const client = this.#connect()
    this.#client = client
    client.on('error', () => {}) // the connection for commands tells of it
    client.on('message', (channel: string, message: string) => {
      for (const { hear } of [...(this.#channels.get(channel) ?? [])]) hear(message)
    })
    client.on('ready', () => {
      const all = [...this.#channels.values()].flatMap((listeners) => [...listeners])
      void this.#listen(client, [...this.#channels.keys()], all).then(() => client.emit(LISTENING))
    })
    // One who only listens would not notice that nobody is there any more.
    // What comes of both is told by the events of the client.
    this.#beat = setInterval(() => void client.ping().catch(() => {}), BEAT_MS)
    this.#beat.unref()
    void client.connect().catch(() => {})
    return client
  }

  async #listen(client: Redis, channels: readonly string[], listeners: readonly Listener[]): Promise<void> {
    if (channels.length === 0) return
    try {
      await client.subscribe(...channels)
    } catch (error) {
      // Where it was lost again everything is subscribed to when it is back.
      if (client.status === 'ready') this.#refused(error)
      return
    }
    if (!this.#isClosed) for (const { listening } of listeners) listening?.()
  }

  async #untilReady(client: Redis): Promise<void> {
    await new Promise<void>((resolve) => {
      const timer = setTimeout(done, this.#timeoutMs)
      function done(): void {
        clearTimeout(timer)
        client.off(LISTENING, done)
        client.off('error', done)
        client.off('end', done)
        resolve()
      }
      client.on(LISTENING, done)
      client.on('error', done)
      client.on('end', done)
    })
  }

  #remove(channel: string, listener: Listener): void {
    const listeners = this.#channels.get(channel)
    if (listeners?.delete(listener) !== true || listeners.size > 0) return
    this.#channels.delete(channel)
    if (this.#client?.status === 'ready') void this.#client.unsubscribe(channel).catch(() => {})
  }
}

/** Not one of the client's own events. */
const LISTENING = 'crosspoint:listening'
const BEAT_MS = 5_000

import type { Connection } from '@crosspoint/mcp/client'

/** Tells a server that its client has other roots, for which it asks anew. Changes while it is being told are told as one. */
export class RootsNews {
  #connection: Connection | undefined
  #isTelling = false
  #isStale = false

  constructor(connection?: Connection) {
    this.#connection = connection
  }

  /** What changed before is told now. */
  connected(connection: Connection): void {
    this.#connection = connection
    if (this.#isStale) this.changed()
  }

  changed(): void {
    const connection = this.#connection
    this.#isStale = connection === undefined || this.#isTelling
    if (connection === undefined || this.#isTelling) return
    this.#isTelling = true
    void connection.tell({ method: 'notifications/roots/list_changed', params: {} }).then(() => {
      this.#isTelling = false
      if (this.#isStale) this.changed()
    })
  }
}

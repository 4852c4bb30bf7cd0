import type { Message } from './http.ts'

/** What one side of a test has heard, and who waits for more of it. */
export class Heard {
  /** Everything that came, in order. */
  readonly got: Message[] = []
  readonly #waiting = new Set<() => void>()

  add(message: Message): void {
    this.got.push(message)
  }

  /** Lets those look who wait: what came together is there together. */
  wake(): void {
    for (const look of [...this.#waiting]) look()
  }

  /** The first message that fits, come or to come. */
  until(fits: (message: Message) => boolean): Promise<Message> {
    return new Promise((resolve) => {
      const look = () => {
        const found = this.got.find(fits)
        if (found === undefined) return
        this.#waiting.delete(look)
        resolve(found)
      }
      this.#waiting.add(look)
      look()
    })
  }
}

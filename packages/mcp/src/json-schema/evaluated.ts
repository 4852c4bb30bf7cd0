/** Which members and items of one value some keyword has looked at: what `unevaluated*` asks (2020-12 core §11). */
export class Evaluated {
  #allNames = false
  #names: Set<string> | undefined
  #allItems = false
  #itemsBefore = 0
  #items: Set<number> | undefined

  addName(name: string): void {
    if (this.#allNames) return
    this.#names ??= new Set()
    this.#names.add(name)
  }

  addAllNames(): void {
    this.#allNames = true
  }

  addItem(index: number): void {
    this.#items ??= new Set()
    this.#items.add(index)
  }

  addItemsBefore(end: number): void {
    if (end > this.#itemsBefore) this.#itemsBefore = end
  }

  addAllItems(): void {
    this.#allItems = true
  }

  hasName(name: string): boolean {
    return this.#allNames || this.#names?.has(name) === true
  }

  hasItem(index: number): boolean {
    return this.#allItems || index < this.#itemsBefore || this.#items?.has(index) === true
  }

  /** Marks kept one by one: what merging them costs. */
  get size(): number {
    return (this.#names?.size ?? 0) + (this.#items?.size ?? 0)
  }

  /** For a branch that may turn out not to conform, whose marks then do not count. */
  fresh(): Evaluated {
    return new Evaluated()
  }

  merge(other: Evaluated): void {
    this.#allNames ||= other.#allNames
    this.#allItems ||= other.#allItems
    this.addItemsBefore(other.#itemsBefore)
    for (const name of other.#names ?? []) this.addName(name)
    for (const index of other.#items ?? []) this.addItem(index)
  }
}

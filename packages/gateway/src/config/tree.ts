import { quoted } from './quoted.ts'

/**
 * A configuration as it was written: values with their places. Whatever the format and the dialect, everything
 * after the readers works on this, so that a complaint can always point at a line.
 */
export type Tree = Scalar | List | Table

export interface Scalar {
  readonly kind: 'scalar'
  readonly value: string | number | boolean | null
  readonly origin: Origin
  /** As written, where that differs: before variables were replaced, or a number's own digits (`1.10`). */
  readonly written?: string
}

export interface List {
  readonly kind: 'list'
  readonly items: readonly Tree[]
  readonly origin: Origin
}

export interface Table {
  readonly kind: 'table'
  readonly entries: ReadonlyMap<string, Entry>
  readonly origin: Origin
}

export interface Entry {
  /** Where the key is. */
  readonly key: Origin
  readonly value: Tree
}

/** Where a value was set. */
export type Origin =
  | {
      readonly source: 'file'
      /** As written in the file, before any translation: `mcpServers.github.env`. */
      readonly path: string
      readonly line: number
      readonly column: number
    }
  | { readonly source: 'env'; readonly path: string; readonly variable: string }
  | { readonly source: 'flag'; readonly path: string; readonly flag: string }

export function scalar(value: Scalar['value'], origin: Origin): Scalar {
  return { kind: 'scalar', value, origin }
}

export function list(items: readonly Tree[], origin: Origin): List {
  return { kind: 'list', items, origin }
}

export function table(entries: Iterable<readonly [string, Entry]>, origin: Origin): Table {
  return { kind: 'table', entries: new Map(entries), origin }
}

/** The value under a key, or undefined. */
export function child(tree: Tree | undefined, key: string): Tree | undefined {
  return tree?.kind === 'table' ? tree.entries.get(key)?.value : undefined
}

/** The text under a key, or undefined where there is none or it is no text. */
export function textOf(tree: Tree | undefined): string | undefined {
  return tree?.kind === 'scalar' && typeof tree.value === 'string' ? tree.value : undefined
}

/**
 * The deepest part of a path that exists, and whether that is all of it. Of a table's entry the place is the key,
 * which is where an editor should jump.
 */
export function locate(root: Tree, path: readonly PropertyKey[]): { origin: Origin; found: Tree | undefined } {
  let node: Tree = root
  let origin = root.origin
  for (const step of path) {
    if (node.kind === 'table') {
      const entry = node.entries.get(String(step))
      if (entry === undefined) return { origin, found: undefined }
      origin = entry.key
      node = entry.value
    } else if (node.kind === 'list') {
      const item: Tree | undefined = node.items[Number(step)]
      if (item === undefined) return { origin, found: undefined }
      origin = item.origin
      node = item
    } else {
      return { origin, found: undefined }
    }
  }
  return { origin, found: node }
}

/** The bare values. Tables have no prototype, so that no key is special. */
export function toPlain(tree: Tree): unknown {
  if (tree.kind === 'scalar') return tree.value
  if (tree.kind === 'list') return tree.items.map(toPlain)
  const plain: Record<string, unknown> = Object.create(null)
  for (const [key, entry] of tree.entries) plain[key] = toPlain(entry.value)
  return plain
}

/** `base.key`, with quotes where the key is no plain word. */
export function pathOf(base: string, step: string | number): string {
  if (typeof step === 'number') return `${base}[${step}]`
  if (!/^[\w$-]+$/.test(step)) return `${base}[${quoted(step)}]`
  return base === '' ? step : `${base}.${step}`
}

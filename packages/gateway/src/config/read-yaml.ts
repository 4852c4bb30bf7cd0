import { isAlias, isMap, isNode, isScalar, isSeq, type Node, parseDocument, type YAMLError, type YAMLMap } from 'yaml'
import { MAX_TREE_DEPTH, type Reading } from './reading.ts'
import { type Entry, list, pathOf, scalar, type Tree, table } from './tree.ts'

/** YAML 1.2 of the core schema, with anchors and merge keys (`<<`). */
export function readYaml(reading: Reading): Tree | undefined {
  // Keys are compared here: the parser's own check takes quadratic time.
  const document = parseDocument(reading.text, { uniqueKeys: false, prettyErrors: false })
  for (const error of [...document.errors, ...document.warnings]) reading.syntaxFault(error.pos[0], sentenceOf(error))
  if (document.contents === null || document.errors.length > 0) return undefined
  return new YamlWalk(reading).toTree(document.contents, '', 1)
}

class YamlWalk {
  readonly #reading: Reading
  /** The latest node of each anchor, in the order of the text, which is what an alias means. */
  readonly #anchors = new Map<string, Node>()

  constructor(reading: Reading) {
    this.#reading = reading
  }

  toTree(node: unknown, path: string, depth: number, offset = 0): Tree {
    const at = isNode(node) && node.range ? node.range[0] : offset
    const origin = this.#reading.origin(path, at)
    if (!this.#reading.admits(depth, at, path)) return scalar(null, origin)
    const target = this.#follow(node, at, path)
    if (isSeq(target)) {
      return list(
        target.items.map((item, index) => this.toTree(item, pathOf(path, index), depth + 1, at)),
        origin,
      )
    }
    if (isMap(target)) return table(this.#entries(target, path, depth, at), origin)
    const value = this.#scalarOf(isScalar(target) ? target.value : null, at, path)
    const source = isScalar(target) && typeof value === 'number' ? target.source : undefined
    return source === undefined || source === String(value)
      ? scalar(value, origin)
      : { ...scalar(value, origin), written: source }
  }

  /** What an alias stands for; anything else is itself, and remembered under its anchor. */
  #follow(node: unknown, offset: number, path: string): unknown {
    if (isAlias(node)) {
      const target = this.#anchors.get(node.source)
      if (target === undefined) this.#reading.fault(offset, 'This alias names no anchor above it', { path })
      return target
    }
    if (isNode(node) && 'anchor' in node && node.anchor) this.#anchors.set(node.anchor, node)
    return node
  }

  #scalarOf(value: unknown, offset: number, path: string): string | number | boolean | null {
    if (typeof value === 'string') this.#reading.checkText(value, offset, path)
    if (value === null || typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean')
      return value
    this.#reading.fault(offset, 'Only texts, numbers, true, false and null can stand here', { path })
    return null
  }

  #entries(map: YAMLMap, path: string, depth: number, offset: number): Map<string, Entry> {
    const entries = new Map<string, Entry>()
    const merged: { at: number; source: Tree }[] = []
    for (const pair of map.items) {
      const at = isNode(pair.key) && pair.key.range ? pair.key.range[0] : offset
      const key = this.#keyOf(pair.key, at, path)
      if (key === undefined) continue
      const keyPath = pathOf(path, key)
      if (isScalar(pair.key) && pair.key.type === 'PLAIN' && key === '<<') {
        merged.push({ at, source: this.toTree(pair.value, keyPath, depth + 1, at) })
        continue
      }
      if (!this.#reading.checkKey(key, at, keyPath, entries)) continue
      entries.set(key, {
        key: this.#reading.origin(keyPath, at),
        value: this.toTree(pair.value, keyPath, depth + 1, at),
      })
    }
    for (const { at, source } of merged) this.#merge(source, entries, at)
    return entries
  }

  /** Entries written out win over merged ones, earlier merges over later ones. */
  #merge(source: Tree, entries: Map<string, Entry>, at: number): void {
    if (source.kind === 'list') {
      for (const item of source.items) this.#merge(item, entries, at)
    } else if (source.kind === 'table') {
      for (const [key, entry] of source.entries) if (!entries.has(key)) entries.set(key, entry)
    } else {
      this.#reading.fault(at, 'A merge key takes a mapping or a list of them', { path: source.origin.path })
    }
  }

  #keyOf(node: unknown, offset: number, path: string): string | undefined {
    const target = this.#follow(node, offset, path)
    const value = isScalar(target) ? target.value : undefined
    if (typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean') return String(value)
    this.#reading.fault(offset, 'A key must be a text', { path })
    return undefined
  }
}

/** Our own sentences: the parser's quote the text, which may be a secret. */
function sentenceOf(error: YAMLError): string {
  return SENTENCES[error.code] ?? 'This is not valid YAML'
}

const SENTENCES: Readonly<Record<string, string>> = {
  ALIAS_PROPS: 'An alias cannot have an anchor or a tag of its own',
  BAD_ALIAS: 'This alias names no anchor above it; a text that begins with "*" needs quotes',
  BAD_COLLECTION_TYPE: 'This tag does not fit the kind of value',
  BAD_DIRECTIVE: 'This "%" directive is not valid',
  BAD_DQ_ESCAPE: 'This escape is not valid in double quotes; write a backslash as "\\\\" or use single quotes',
  BAD_INDENT: 'The indentation does not fit the lines above',
  BAD_PROP_ORDER: 'Anchors and tags stand after the indicator, not before it',
  BAD_SCALAR_START: 'A plain text cannot start with this character; put it in quotes',
  BLOCK_AS_IMPLICIT_KEY: 'A block of several lines cannot be a key; is a text with ": " in it missing its quotes?',
  BLOCK_IN_FLOW: 'Lines in block style cannot stand inside brackets or braces',
  DUPLICATE_KEY: 'The key is written twice',
  IMPOSSIBLE: 'This is not valid YAML',
  KEY_OVER_1024_CHARS: 'A key can have 1,024 characters at most',
  MISSING_CHAR: 'A character is missing here: a quote, comma, colon or closing bracket',
  MULTILINE_IMPLICIT_KEY: 'A key must stand on one line; is a closing quote or a colon missing?',
  MULTIPLE_ANCHORS: 'A value can have one anchor only',
  MULTIPLE_DOCS: 'The file holds several documents ("---"); only one is read',
  MULTIPLE_TAGS: 'A value can have one tag only',
  NON_STRING_KEY: 'A key must be a text',
  RESOURCE_EXHAUSTION: `The configuration is nested deeper than ${MAX_TREE_DEPTH} levels`,
  TAB_AS_INDENT: 'Tabs cannot indent in YAML; use spaces',
  TAG_RESOLVE_FAILED: 'This tag is not known; only the plain values of YAML are read',
  UNEXPECTED_TOKEN: 'This does not fit here; is a text missing its quotes, or a line its indentation?',
}

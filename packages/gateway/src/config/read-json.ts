import { type Node, type ParseError, parseTree, printParseErrorCode } from 'jsonc-parser'
import type { Reading } from './reading.ts'
import { type Entry, list, type Origin, pathOf, type Scalar, scalar, type Tree, table } from './tree.ts'

/** JSON with comments and trailing commas, which is what editors and other tools write under either ending. */
export function readJson(reading: Reading): Tree | undefined {
  const errors: ParseError[] = []
  const root = parseBounded(reading, errors)
  for (const error of errors) {
    // What an empty file is, the caller decides.
    if (root === undefined && reading.text.trim() === '') continue
    reading.syntaxFault(error.offset, MESSAGES[printParseErrorCode(error.error)] ?? 'This is not valid JSON')
  }
  return root === undefined || errors.length > 0 ? undefined : toTree(root, '', 1, reading)
}

function parseBounded(reading: Reading, errors: ParseError[]): Node | undefined {
  try {
    return parseTree(reading.text, errors, { allowTrailingComma: true })
  } catch (error) {
    // The parser recurses; a thousand times deeper than any configuration it runs out of stack.
    if (!(error instanceof RangeError)) throw error
    reading.fault(0, 'The configuration is nested far too deeply')
    return undefined
  }
}

function toTree(node: Node, path: string, depth: number, reading: Reading): Tree {
  const origin = reading.origin(path, node.offset)
  if (!reading.admits(depth, node.offset, path)) return scalar(null, origin)
  if (node.type === 'array') {
    return list(
      (node.children ?? []).map((item, index) => toTree(item, pathOf(path, index), depth + 1, reading)),
      origin,
    )
  }
  if (node.type !== 'object') {
    if (typeof node.value === 'string') reading.checkText(node.value, node.offset, path)
    return numberOr(node, origin, reading)
  }
  const entries = new Map<string, Entry>()
  for (const property of node.children ?? []) {
    const [keyNode, valueNode] = property.children ?? []
    // A property without a value has been reported by the parser.
    if (keyNode === undefined || valueNode === undefined) continue
    const key = String(keyNode.value)
    const at = pathOf(path, key)
    if (!reading.checkKey(key, keyNode.offset, at, entries)) continue
    entries.set(key, { key: reading.origin(at, keyNode.offset), value: toTree(valueNode, at, depth + 1, reading) })
  }
  return table(entries, origin)
}

function numberOr(node: Node, origin: Origin, reading: Reading): Scalar {
  const plain = scalar(node.value, origin)
  if (typeof node.value !== 'number') return plain
  const written = reading.text.slice(node.offset, node.offset + node.length)
  return written === String(node.value) ? plain : { ...plain, written }
}

const MESSAGES: Readonly<Record<string, string>> = {
  InvalidSymbol: 'Unexpected word; texts stand in double quotes',
  InvalidNumberFormat: 'This number is not valid',
  PropertyNameExpected: 'A key in double quotes is expected here',
  ValueExpected: 'A value is expected here',
  ColonExpected: 'A colon is expected here',
  CommaExpected: 'A comma is expected here',
  CloseBraceExpected: 'A closing brace "}" is missing',
  CloseBracketExpected: 'A closing bracket "]" is missing',
  EndOfFileExpected: 'Nothing may follow the end of the configuration',
  InvalidCommentToken: 'This comment is not valid',
  UnexpectedEndOfComment: 'This comment is not closed',
  UnexpectedEndOfString: 'This text is not closed by a double quote',
  UnexpectedEndOfNumber: 'This number is not complete',
  InvalidUnicode: 'This \\u escape needs four hexadecimal digits',
  InvalidEscapeCharacter: 'This escape is not valid; write a backslash as "\\\\"',
  InvalidCharacter: 'Control characters are not allowed in a text; write them as escapes',
}

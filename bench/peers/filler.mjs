// Results of a size that is asked for, made once for each: what is measured is who carries them.
const SENTENCES = {
  text: ' A quick brown fox jumps over the lazy dog, and does so again.',
  escapes: ' "quoted"\n\tC:\\path\\file;',
  unicode: ' Příliš žluťoučký kůň, 日本語のテキスト, ещё немного;',
}
const ROW = { id: 12345, name: 'item 12345', price: 12.75, ok: true, tags: ['a', 'b'] }
const LINK = { type: 'resource_link', uri: 'file:///srv/report.txt', name: 'report.txt' }
const made = new Map()

/**
 * @param more { bytes, kind: 'text' | 'escapes' | 'unicode' | 'structured' | 'linked' }: about so many bytes of JSON behind
 *   the text; `linked` has a link to a resource beside it, whose address whoever stands between may have to change
 */
export function toEcho(message, more) {
  if (more === undefined) return { content: [{ type: 'text', text: message }] }
  const key = `${more.kind} ${more.bytes}`
  if (!made.has(key)) made.set(key, more.kind === 'structured' ? toRows(more) : toText(more))
  const filler = made.get(key)
  if (more.kind === 'linked') return { content: [{ type: 'text', text: message + filler }, LINK] }
  return typeof filler === 'string'
    ? { content: [{ type: 'text', text: message + filler }] }
    : { content: [{ type: 'text', text: message }], structuredContent: filler }
}

function toText({ bytes, kind }) {
  const sentence = SENTENCES[kind] ?? SENTENCES.text
  return sentence.repeat(Math.floor(bytes / (Buffer.byteLength(JSON.stringify(sentence)) - 2)))
}

function toRows({ bytes }) {
  return { rows: new Array(Math.floor(bytes / (JSON.stringify(ROW).length + 1))).fill(ROW) }
}

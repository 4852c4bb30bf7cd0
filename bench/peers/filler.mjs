// Results of a size that is asked for, made once for each: what is measured is who carries them.
const SENTENCES = {
  text: ' A quick brown fox jumps over the lazy dog, and does so again.',
  escapes: ' "quoted"\n\tC:\\path\\file;',
  unicode: ' Příliš žluťoučký kůň, 日本語のテキスト, ещё немного;',
}
const ROW = { id: 12345, name: 'item 12345', price: 12.75, ok: true, tags: ['a', 'b'] }
const made = new Map()

/** @param more { bytes, kind: 'text' | 'escapes' | 'unicode' | 'structured' }: about so many bytes of JSON behind the text */
export function toEcho(message, more) {
  if (more === undefined) return { content: [{ type: 'text', text: message }] }
  const key = `${more.kind} ${more.bytes}`
  if (!made.has(key)) made.set(key, more.kind === 'structured' ? toRows(more) : toText(more))
  const filler = made.get(key)
  return typeof filler === 'string'
    ? { content: [{ type: 'text', text: message + filler }] }
    : { content: [{ type: 'text', text: message }], structuredContent: filler }
}

function toText({ bytes, kind }) {
  const sentence = SENTENCES[kind]
  return sentence.repeat(Math.floor(bytes / (Buffer.byteLength(JSON.stringify(sentence)) - 2)))
}

function toRows({ bytes }) {
  return { rows: new Array(Math.floor(bytes / (JSON.stringify(ROW).length + 1))).fill(ROW) }
}

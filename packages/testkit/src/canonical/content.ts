import fc from 'fast-check'

/** Arbitrary content blocks in the newest vocabulary. */

/** Any JSON, small, without what cannot travel (half surrogate pairs, negative zero, integers beyond 2^53 - 1). */
export const json = fc.jsonValue({ maxDepth: 2, stringUnit: 'grapheme' }).map((value) => toSendable(value))

function toSendable(value: unknown): unknown {
  if (typeof value === 'number') return Number.isSafeInteger(value) ? value + 0 : Math.abs(value) < 1e15 ? value : 1
  if (Array.isArray(value)) return value.map(toSendable)
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(Object.entries(value).map(([key, member]) => [key, toSendable(member)]))
}

export const text = fc.string({ unit: 'grapheme', maxLength: 12 })
export const name = fc.stringMatching(/^[A-Za-z][A-Za-z0-9_.-]{0,11}$/)
export const uri = name.map((path) => `file:///${path}`)
export const base64 = fc.base64String({ maxLength: 16 })
export const mimeType = fc.constantFrom('text/plain', 'image/png', 'audio/wav', 'application/json')
/** `_meta` that travels end to end. */
export const meta = fc.dictionary(fc.constantFrom('com.example/a', 'traceparent', '__proto__'), json, { maxKeys: 2 })
export const icons = fc.array(
  fc.record({ src: fc.constant('data:image/png;base64,AA'), mimeType, sizes: fc.constant(['48x48']) }),
  {
    maxLength: 2,
  },
)

const annotations = fc.record(
  {
    audience: fc.subarray(['user', 'assistant']),
    priority: fc.double({ min: 0, max: 1, noNaN: true }).map(Math.abs),
    lastModified: fc.constant('2026-01-12T15:00:58Z'),
  },
  { requiredKeys: [] },
)

const optional = { annotations, _meta: meta }
export const textBlock = fc.record({ type: fc.constant('text'), text, ...optional }, { requiredKeys: ['type', 'text'] })
export const imageBlock = mediaBlock('image')
export const audioBlock = mediaBlock('audio')

function mediaBlock(type: 'image' | 'audio') {
  return fc.record(
    { type: fc.constant(type), data: base64, mimeType, ...optional },
    { requiredKeys: ['type', 'data', 'mimeType'] },
  )
}

export const resourceContents = fc.oneof(
  fc.record({ uri, text, mimeType, _meta: meta }, { requiredKeys: ['uri', 'text'] }),
  fc.record({ uri, blob: base64, mimeType, _meta: meta }, { requiredKeys: ['uri', 'blob'] }),
)

const embedded = fc.record(
  { type: fc.constant('resource'), resource: resourceContents, ...optional },
  { requiredKeys: ['type', 'resource'] },
)

export const resource = fc.record(
  { uri, name, title: text, description: text, mimeType, size: fc.nat(), icons, ...optional },
  { requiredKeys: ['uri', 'name'] },
)

const link = resource.map((linked) => ({ ...linked, type: 'resource_link' }))

/** What tools answer with and prompts are made of. */
export const block = fc.oneof(textBlock, imageBlock, audioBlock, embedded, link)

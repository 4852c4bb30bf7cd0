import { toMetadata } from './clients.ts'

/**
 * Fetches documents of clients and their keys. A document is read as what it says, as far as that is allowed: what is wrong
 * in it shows as a document that is not there.
 * @param fetch whatever guards where it leads
 */
export function createDocumentFetch(fetch: typeof globalThis.fetch): typeof globalThis.fetch {
  return async (input, init) => {
    const url = String(input)
    const response = await fetch(url, { ...init, redirect: 'manual' })
    const isDocument = new Headers(init?.headers).get('accept') === 'application/json' && response.status === 200
    if (!isDocument) return response
    const text = await readText(response)
    const said: unknown = JSON.parse(text)
    // Keys (RFC 7517), which are asked for in the same way.
    if (!isObject(said) || said.client_id !== url) return toResponse(said, response)
    const metadata = toMetadata(said)
    return toResponse({ ...metadata, client_id: url, ...toMethod(said) }, response)
  }
}

/** A document that says nothing of it is that of a client without a secret. */
function toMethod(said: { readonly [name: string]: unknown }): object {
  const { client_secret: secret, token_endpoint_auth_method: method = 'none' } = said
  return { token_endpoint_auth_method: method, ...(secret === undefined ? {} : { client_secret: secret }) }
}

function toResponse(body: unknown, { headers }: Response): Response {
  const control = headers.get('cache-control')
  return new Response(JSON.stringify(body), {
    headers: { 'content-type': 'application/json', ...(control === null ? {} : { 'cache-control': control }) },
  })
}

async function readText(response: Response): Promise<string> {
  const chunks: Uint8Array[] = []
  let bytes = 0
  const body = response.body as unknown as AsyncIterable<Uint8Array> | null // a stream of Node
  for await (const chunk of body ?? []) {
    bytes += chunk.length
    if (bytes > MAX_BYTES) throw new RangeError('Too large')
    chunks.push(chunk)
  }
  return Buffer.concat(chunks).toString('utf8')
}

function isObject(value: unknown): value is { readonly [name: string]: unknown } {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

const MAX_BYTES = 65_536

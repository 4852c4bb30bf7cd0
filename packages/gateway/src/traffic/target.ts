import type { View } from '../catalog/view.ts'
import type { Passage } from '../routes/passage.ts'

/** What a call asks for, in words that hold whatever a view calls it. */
export interface Asked {
  readonly method: string
  /** Undefined for what the gateway answers itself, and for what is not there. */
  readonly server: string | undefined
  /** `<server>__<name>` of a tool or prompt, `<server> <uri>` of a resource. */
  readonly thing: string | undefined
  readonly view: string | undefined
}

/** What a call asks for, looked up before it is routed: what is not there has no server. */
export function toAsked({ method, params, view }: Pick<Passage, 'method' | 'params' | 'view'>): Asked {
  return { method, ...toThing(method, params, view), view: view.name }
}

function toThing(method: string, { name, uri }: Passage['params'], view: View): Pick<Asked, 'server' | 'thing'> {
  if (typeof name === 'string' && (method === 'tools/call' || method === 'prompts/get')) {
    const entry = view.entries[method === 'tools/call' ? 'tools' : 'prompts'].get(name)
    if (entry === undefined) return NOTHING
    const server = entry.source.destination.name
    return { server, thing: `${server}__${entry.native}` }
  }
  if (typeof uri !== 'string') return NOTHING
  const address = view.book.find(uri)
  if (address === undefined) return NOTHING
  const server = address.source.destination.name
  return { server, thing: `${server} ${address.native}` }
}

const NOTHING = { server: undefined, thing: undefined }

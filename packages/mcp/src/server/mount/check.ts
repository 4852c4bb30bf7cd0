import { shown } from '../../jsonrpc/shown.ts'
import { nameOf } from '../blocks.ts'

/**
 * Refuses what cannot be asked for anything: in plain JavaScript its lists would be empty without a word.
 * @throws {TypeError} which says what was probably meant
 */
export function checkMountable(name: string, target: unknown): void {
  const { endpoint } = Object(target) as { readonly endpoint?: { readonly handle?: unknown } } // anything has members so
  if (typeof endpoint?.handle === 'function') return
  const { given, meant } = toRemedy(target)
  throw new TypeError(`Cannot mount ${given} as "${shown(String(name))}": ${meant}`)
}

function toRemedy(target: unknown): { readonly given: string; readonly meant: string } {
  if (typeof target === 'string' || target instanceof URL) {
    return { given: 'an address', meant: 'write connectTo(address), of "@crosspoint/mcp/client"' }
  }
  const { then, callTool } = Object(target) as { readonly then?: unknown; readonly callTool?: unknown } // as above
  if (typeof then === 'function') {
    return { given: 'a promise', meant: 'await it; in place of connect(…), connectTo(…) gives what can be mounted' }
  }
  if (typeof callTool === 'function') {
    return { given: 'a client', meant: 'give the server itself, or connectTo(…) in place of connect(…)' }
  }
  const given = typeof target === 'object' && target !== null ? 'what has no endpoint' : `what is ${nameOf(target)}`
  return { given, meant: 'give what createServer({ … }) or connectTo(…) made' }
}

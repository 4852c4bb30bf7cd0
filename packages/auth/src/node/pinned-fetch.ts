import { lookup } from 'node:dns'
import { Agent, fetch, type RequestInit } from 'undici'
import type { Fetch } from '../urls/http.ts'

/**
 * A `fetch` that connects only to addresses that may be asked. Names are looked up here and once: what was checked is
 * what is connected to, so that no name can lead elsewhere in between (DNS rebinding).
 */
export const pinnedFetch: Fetch = async (url, { allowsAddress, ...init }) => {
  // An agent for each request: what it may connect to is that request's matter, and connections are not worth keeping.
  const agent = new Agent({
    pipelining: 0,
    connections: 1,
    connect: {
      lookup(hostname, options, done) {
        lookup(hostname, { ...options, all: true }, (error, found = []) => {
          const allowed = found.filter(({ address }) => allowsAddress(address))
          const [first] = allowed
          if (error !== null || first === undefined) done(error ?? new Error('Not to be asked'), '', 0)
          // With `all` a list is wanted, which the types of one address do not say.
          else if (options.all === true) (done as unknown as (error: null, all: typeof allowed) => void)(null, allowed)
          else done(null, first.address, first.family)
        })
      },
    },
  })
  try {
    const { hostname } = new URL(url)
    // An address is not looked up, and so has to be looked at here.
    const literal = hostname.startsWith('[') ? hostname.slice(1, -1) : hostname
    if (/^[\d.]+$|:/.test(literal) && !allowsAddress(literal)) throw new Error('Not to be asked')
    const response = await fetch(url, { ...init, dispatcher: agent } satisfies RequestInit)
    // The body still comes over this agent's connection, which ends by itself when it is read.
    void agent.close().catch(() => {})
    return response as unknown as Response // the same shape, declared twice
  } catch (error) {
    void agent.destroy().catch(() => {})
    throw error
  }
}

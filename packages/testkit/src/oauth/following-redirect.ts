import type { Redirect } from '@crosspoint/auth'

/** Somebody who agrees to everything: follows the redirects of an authorization server until they lead back to us. */
export function createFollowingRedirect(uri = 'http://localhost:3000/callback'): Redirect {
  return {
    open: () => ({
      uri,
      async authorize(url, signal) {
        let at = url
        for (let hop = 0; hop < MAX_HOPS; hop++) {
          const response = await fetch(at, { redirect: 'manual', signal })
          const location = response.headers.get('location')
          if (location === null) throw new Error(`Nobody is sent on from here: HTTP ${response.status}`)
          at = new URL(location, at).href
          if (at.startsWith(`${uri}?`)) return at
        }
        throw new Error('Sent round and round')
      },
      close() {},
    }),
  }
}

const MAX_HOPS = 10

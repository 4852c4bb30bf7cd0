import { createServer } from 'node:net'

/** A port of 127.0.0.1 that was free a moment ago. Where a server can be asked to listen on port 0, do that instead. */
export function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer()
    server.once('error', reject)
    server.listen(0, '127.0.0.1', () => {
      const address = server.address()
      server.close(() => {
        if (typeof address === 'object' && address !== null) resolve(address.port)
        else reject(new Error('A listening socket has no port'))
      })
    })
  })
}

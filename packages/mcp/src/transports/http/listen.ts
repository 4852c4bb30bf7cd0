import { chmod, lstat, unlink } from 'node:fs/promises'
import type { Server } from 'node:http'
import { type AddressInfo, connect } from 'node:net'
import { checkSocketPath } from './address.ts'

/** Listens on an address of this machine and gives the port. */
export async function listenOnPort(server: Server, host: string, port: number): Promise<number> {
  // Node takes any other text for the path of a pipe, which others could open.
  if (!Number.isInteger(port) || port < 0 || port > MAX_PORT) {
    const given = Number.isNaN(port) ? 'a port that is no number (NaN)' : `port "${port}"`
    throw new RangeError(`Cannot listen on ${given}: a port is a whole number from 0 (any free one) to ${MAX_PORT}`)
  }
  await listening(server, () => server.listen(port, host)).catch((error) => {
    throw toListenError(error, `${host}:${port}`)
  })
  return (server.address() as AddressInfo).port // a TCP server that listens has one
}

/** The same error, by its code, in a sentence that says what would help. */
function toListenError(error: NodeJS.ErrnoException, where: string): Error {
  const { code = '' } = error
  const remedy = Object.hasOwn(REMEDIES, code) ? REMEDIES[code] : undefined
  if (remedy === undefined) return error
  return Object.assign(new Error(`Cannot listen on ${where} (${code}): ${remedy}`, { cause: error }), { code })
}

/**
 * Listens on a Unix socket that nobody but our own user can open. A socket left behind by a process that is gone is
 * replaced; the file goes away when the server is closed.
 * @throws {Error} where a server answers at that path, or where there is something else than a socket
 * @throws {McpError} for a path that no socket can have
 */
export async function listenOnSocket(server: Server, path: string): Promise<void> {
  checkSocketPath(path)
  await clearAway(path)
  await listening(server, () => {
    // The file must never be open to others, not even between its making and a chmod.
    const before = toOwnOnly()
    try {
      server.listen(path)
    } finally {
      if (before !== undefined) process.umask(before)
    }
  })
  await chmod(path, 0o600)
}

function listening(server: Server, listen: () => void): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject)
    server.once('listening', () => {
      server.off('error', reject)
      resolve()
    })
    listen()
  })
}

async function clearAway(path: string): Promise<void> {
  const found = await lstat(path).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return undefined
    throw error
  })
  if (found === undefined) return
  if (!found.isSocket()) throw new Error(`Cannot listen on "${path}": there is a file that is not a socket`)
  if (await isAnswered(path)) throw new Error(`Cannot listen on "${path}": a server that runs listens there`)
  await unlink(path)
}

/** Only a refusal says that nobody is there; whatever else goes wrong may be somebody we must not replace. */
function isAnswered(path: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(path)
    socket.once('connect', () => {
      socket.destroy()
      resolve(true)
    })
    socket.once('error', (error: NodeJS.ErrnoException) => resolve(error.code !== 'ECONNREFUSED'))
  })
}

/** The mask belongs to the process: a worker may not set it, and has the chmod alone. */
function toOwnOnly(): number | undefined {
  try {
    return process.umask(0o177)
  } catch {
    return undefined
  }
}

const REMEDIES: Readonly<Record<string, string>> = {
  EADDRINUSE: 'another program listens there; stop it, or choose another port (0 takes any free one)',
  EACCES: 'this port may not be used without more rights; choose one from 1024 up',
  EADDRNOTAVAIL: 'this machine does not have that address',
}
const MAX_PORT = 65_535

import { chmod, lstat, unlink } from 'node:fs/promises'
import type { Server } from 'node:http'
import { type AddressInfo, connect } from 'node:net'
import { checkSocketPath } from './address.ts'

/** Listens on an address of this machine and gives the port. */
export async function listenOnPort(server: Server, host: string, port: number): Promise<number> {
  await listening(server, () => server.listen(port, host))
  return (server.address() as AddressInfo).port // a TCP server that listens has one
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

import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { mkdtemp, readFile, rename, rm, stat, symlink, writeFile } from 'node:fs/promises'
import { request } from 'node:http'
import { createServer as createSocket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { connect, openConnection } from '../../client/index.ts'
import { REVISIONS } from '../../revisions/index.ts'
import { createServer, type ServeOptions, serve } from '../../server/index.ts'
import { parseAddress } from './address.ts'
import { openHttpDoor } from './door.ts'

const client = { name: 'test', version: '1' }
let folder: string
const cleanup: (() => Promise<unknown>)[] = []

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'crosspoint-socket-'))
})
afterEach(async () => {
  for (const end of cleanup.splice(0).reverse()) await end()
  await rm(folder, { recursive: true, force: true })
})

async function serveAt(socket: string, options: ServeOptions = {}) {
  const server = createServer({ name: 'here', version: '1' })
  server.tool('echo', {}, () => 'ok')
  const serving = await serve(server, { socket, ...options })
  cleanup.push(() => serving.close())
  return serving
}

/** The status of a POST over the socket, with these headers and no body. */
function statusOf(socketPath: string, headers: Record<string, string>): Promise<number | undefined> {
  return new Promise((resolve, reject) => {
    const sent = request({ socketPath, path: '/mcp', method: 'POST', headers, agent: false }, (response) => {
      response.resume()
      resolve(response.statusCode)
    })
    sent.on('error', reject)
    sent.end()
  })
}

/** A socket file whose process is gone. */
async function leaveBehind(path: string): Promise<void> {
  const server = createSocket().listen(`${path}.new`)
  await once(server, 'listening')
  // Renamed, so that closing does not remove it.
  await rename(`${path}.new`, path)
  server.close()
  await once(server, 'close')
  expect((await stat(path)).isSocket()).toBe(true)
}

describe.skipIf(process.platform === 'win32')('a Unix socket', () => {
  for (const { name: revision } of REVISIONS) {
    it(`is where a server is found in ${revision}`, async () => {
      const { url } = await serveAt(join(folder, 's'))
      expect(url).toBe(`unix:${folder}/s`)
      const found = await connect(String(url), { client, revision })
      cleanup.push(() => found.close())
      expect(found.connection.verdict.revision).toBe(revision)
      expect((await found.callTool('echo')).content).toEqual([{ type: 'text', text: 'ok' }])
    })
  }

  it('has paths, as a port has', async () => {
    const { url } = await serveAt(join(folder, 's'), { path: '/tools' })
    expect(url).toBe(`unix:${folder}/s:/tools`)
    const found = await connect(String(url), { client })
    cleanup.push(() => found.close())
    expect(await found.listTools().all()).toHaveLength(1)
    await expect(connect(`unix:${folder}/s`, { client })).rejects.toThrow('Nothing is served at this path')
    const old = await openConnection({ kind: 'http', url: `unix:${folder}/s:/sse`, transport: 'sse' }, { client })
    cleanup.push(() => old.close())
    expect(old.verdict.transport).toBe('sse')
  })

  it('is open to its user alone, and the mask of the process is as before', async () => {
    const before = process.umask(0)
    try {
      await serveAt(join(folder, 's'))
      expect(process.umask()).toBe(0)
    } finally {
      process.umask(before)
    }
    expect((await stat(join(folder, 's'))).mode & 0o777).toBe(0o600)
  })

  it('is gone when the server is closed', async () => {
    const serving = await serveAt(join(folder, 's'))
    await serving.close()
    expect(existsSync(join(folder, 's'))).toBe(false)
  })

  it('that a dead process left behind is replaced', async () => {
    const path = join(folder, 's')
    await leaveBehind(path)
    await serveAt(path)
    expect(await statusOf(path, { host: 'localhost' })).toBe(415)
  })

  it('of a server that runs is not replaced', async () => {
    const path = join(folder, 's')
    await serveAt(path)
    await expect(serveAt(path)).rejects.toThrow('a server that runs listens there')
    expect(await statusOf(path, { host: 'localhost' })).toBe(415)
  })

  it('does not replace a file, nor what a link leads to', async () => {
    const path = join(folder, 'file')
    await writeFile(path, 'precious')
    await symlink(path, join(folder, 'link'))
    for (const name of ['file', 'link']) {
      await expect(serveAt(join(folder, name))).rejects.toThrow('there is a file that is not a socket')
    }
    expect(await readFile(path, 'utf8')).toBe('precious')
  })

  it('with too long a path is refused, on both sides, and says how long it may be', async () => {
    const path = join(folder, 'x'.repeat(120))
    await expect(openHttpDoor({ socket: path, endpoint: () => undefined })).rejects.toThrow(/\d+ bytes, and 10[37] is/)
    await expect(connect(`unix:${path}`, { client })).rejects.toThrow(/\d+ bytes, and 10[37] is/)
  })

  it('takes any Host, and no page', async () => {
    const path = join(folder, 's')
    await serveAt(path)
    for (const host of ['localhost', 'example.org', '']) expect(await statusOf(path, { host })).toBe(415)
    for (const origin of ['null', 'http://localhost', 'https://evil.example']) {
      expect(await statusOf(path, { host: 'localhost', origin })).toBe(403)
    }
    const strict = join(folder, 'strict')
    await serveAt(strict, { http: { allowedHosts: ['here'], allowedOrigins: ['https://app.example'] } })
    expect(await statusOf(strict, { host: 'localhost' })).toBe(403)
    expect(await statusOf(strict, { host: 'here', origin: 'https://app.example' })).toBe(415)
  })

  it('where nothing is, or nobody, says so', async () => {
    const path = join(folder, 's')
    await expect(connect(`unix:${path}`, { client })).rejects.toThrow(
      `Cannot reach unix:${path}: there is no such socket`,
    )
    await leaveBehind(path)
    await expect(connect(`unix:${path}`, { client })).rejects.toThrow('nothing listens there')
  })
})

describe('an address', () => {
  it.each([
    ['unix:/run/x.sock', '/run/x.sock', 'http://localhost/mcp'],
    ['unix:///run/x.sock', '/run/x.sock', 'http://localhost/mcp'],
    ['unix:/run/x.sock:/tools?a=1', '/run/x.sock', 'http://localhost/tools?a=1'],
    ['unix:/run/a:b.sock', '/run/a:b.sock', 'http://localhost/mcp'],
    ['https://example.org/mcp', undefined, 'https://example.org/mcp'],
  ])('%s is a socket at %s and the URL %s', (text, socketPath, url) => {
    expect(parseAddress(text)).toMatchObject({ socketPath, url: new URL(url) })
  })

  it.each([
    ['unix:', 'write "unix:/run/x.sock"'],
    ['unix:relative.sock', 'write "unix:/run/x.sock"'],
    ['unix://host/x.sock', 'write "unix:/run/x.sock"'],
    ['unix:/run/x\0.sock', 'write "unix:/run/x.sock"'],
    ['ftp://example.org', 'not an http, https or unix URL'],
    ['nonsense', 'not an http, https or unix URL'],
    ['http://a:b@example.org/', 'with a password in the URL'],
  ])('%j is refused', (text, reason) => {
    expect(() => parseAddress(text)).toThrow(reason)
  })
})

import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { NEWEST, NEWEST_HANDSHAKE } from '@crosspoint/mcp'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { Running } from './child.ts'
import { officialSdks, type SignalOrder, type Signals, type Target } from './clients.ts'
import { type Announcement, startGateway, startServer } from './gateway.ts'
import { installed, requireInCi, root } from './installed.ts'

const OWN = `${root}/interop/peers/own-server.mjs`
const WATCHED = 'test://watched-resource'

requireInCi()

/** What is said besides the answers, in every pairing of eras: to a server of ours directly, and through the gateway. */
describe.skipIf(!installed)('progress, log messages, completions, changes and cancellation', () => {
  let folder: string
  let direct: Running<string>
  let upstream: Running<string>
  const gateways = new Map<string, Running<Announcement>>()

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'crosspoint-signals-'))
    ;[direct, upstream] = await Promise.all([startServer([OWN, 'http']), startServer([OWN, 'http'])])
    const servers = {
      'an HTTP server of the newest revision': { url: upstream.said },
      'an HTTP server with a handshake': { url: upstream.said, revision: NEWEST_HANDSHAKE.name },
      'an HTTP+SSE server': { url: upstream.said.replace('/mcp', '/sse') },
      'a stdio server of the newest revision': { command: process.execPath, args: [OWN, 'stdio'] },
      'a stdio server with a handshake': {
        command: process.execPath,
        args: [OWN, 'stdio'],
        revision: NEWEST_HANDSHAKE.name,
      },
    }
    for (const [name, server] of Object.entries(servers)) {
      const config = join(folder, `${gateways.size}.json`)
      await writeFile(config, JSON.stringify({ servers: { own: server } }))
      gateways.set(name, await startGateway(config))
    }
  }, 60_000)

  afterAll(async () => {
    for (const gateway of gateways.values()) expect(await gateway.stop(), 'processes left behind').toEqual([])
    await Promise.all([direct.stop(), upstream.stop()])
    await rm(folder, { recursive: true, force: true })
  })

  for (const client of officialSdks(NEWEST.name)) {
    const doors: Readonly<Record<string, () => Target>> = {
      'over HTTP': () => ({ url: direct.said }),
      'over stdio': () => ({ command: process.execPath, args: [OWN, 'stdio'] }),
      // The oldest transport has no place for a revision without sessions.
      ...(client.era === 'legacy'
        ? { 'over HTTP+SSE': () => ({ url: direct.said.replace('/mcp', '/sse'), transport: 'sse' as const }) }
        : {}),
    }
    for (const [door, target] of Object.entries(doors)) {
      test(`${client.name} hears them ${door}`, { timeout: 60_000 }, async () => {
        // There everything is on one stream, so that more of it arrives in one piece.
        const reports = door === 'over HTTP+SSE' ? 1 : 2
        expectAll(await client.signals(target(), { prefix: '', resource: WATCHED }), reports)
      })
    }
    for (const server of [
      'an HTTP server of the newest revision',
      'an HTTP server with a handshake',
      'an HTTP+SSE server',
      'a stdio server of the newest revision',
      'a stdio server with a handshake',
    ]) {
      test(`${client.name} hears them from ${server} through the gateway`, { timeout: 60_000 }, async () => {
        const order: SignalOrder = { prefix: 'own__', resource: WATCHED }
        expectAll(await client.signals({ url: gateways.get(server)?.said.url ?? '' }, order))
      })
    }
  }
})

function expectAll(signals: Signals, reports = 2): void {
  // The SDKs lose a report that arrives in one piece with the answer: they hand reports on later than answers.
  expect(signals.progress.slice(0, reports)).toEqual([0, 50].slice(0, reports))
  expect(signals.logs).toEqual(['Tool execution started', 'Tool processing data', 'Tool execution completed'])
  expect(signals.completion).toEqual(['test', 'testing'])
  expect(signals.updated).toEqual([WATCHED])
  expect(signals.cancelled).toBe('given up')
  expect(signals.cancelledAtServer).toBe(1)
}

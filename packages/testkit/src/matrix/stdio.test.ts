import { type ChildProcessByStdio, spawn } from 'node:child_process'
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Readable, Writable } from 'node:stream'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { toCells } from './cells.ts'
import { openMatrixClient } from './client.ts'
import type { MatrixClient } from './conversation.ts'
import { ROWS } from './expectations.ts'
import { toAll } from './fixtures/to-all.ts'
import { type House, openHouse, openUpstreams, type Upstreams } from './house.ts'
import { SCENARIOS } from './scenarios.ts'
import { SPOKEN } from './speaks.ts'
import { overHttp, overLines } from './wires.ts'

/** The legs of the matrix over stdio: a server as a child of the gateway, and the gateway as a child of its client. */

const built = (path: string) => fileURLToPath(new URL(`../../../${path}`, import.meta.url))
const NEWEST_TWO = SPOKEN.slice(-2)

describe('servers over stdio', () => {
  const SERVE = built('testkit/dist/matrix/serve.js')
  let house: House
  let folder: string
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'crosspoint-'))
    await Promise.all(SPOKEN.map(({ name }) => mkdir(join(folder, name))))
    const toChild = (name: string) => ({ command: process.execPath, args: [SERVE, name, name, join(folder, name)] })
    house = await openHouse(Object.fromEntries(SPOKEN.map(({ name }) => [name, toChild(name)])))
  })
  afterAll(async () => {
    await house.close()
    await rm(folder, { recursive: true })
  })

  for (const { title, feature, expected } of ROWS) {
    describe(title, () => {
      for (const { client: speaks, server, wanted, sentence } of toCells(expected, NEWEST_TWO)) {
        test(sentence.replace(' server:', ' server over stdio:'), async () => {
          const client = await openMatrixClient(speaks, overHttp(speaks, house.url))
          try {
            const cell = { client, server: server.name, key: `${speaks.name}-${server.name}` }
            expect(await SCENARIOS[feature]?.(cell)).toEqual(toAll(wanted))
            expect(client.faults).toEqual([])
          } finally {
            await client.close()
          }
        })
      }
    })
  }
})

describe('clients over stdio', () => {
  let upstreams: Upstreams
  let folder: string
  const clients = new Map<string, MatrixClient>()
  beforeAll(async () => {
    upstreams = await openUpstreams(NEWEST_TWO)
    folder = await mkdtemp(join(tmpdir(), 'crosspoint-'))
    const config = join(folder, 'crosspoint.json')
    await writeFile(config, JSON.stringify({ servers: upstreams.urls }))
    const open = async (speaks: (typeof SPOKEN)[number]) => {
      clients.set(speaks.name, await openMatrixClient(speaks, overLines(startGateway(config, folder))))
    }
    await Promise.all(SPOKEN.map(open))
  })
  afterAll(async () => {
    await Promise.all([...clients.values()].map((client) => client.close()))
    await upstreams.close()
    await rm(folder, { recursive: true })
  })

  for (const { title, feature, expected } of ROWS) {
    describe(title, () => {
      for (const { client: speaks, server, wanted, sentence } of toCells(expected, SPOKEN, NEWEST_TWO)) {
        test(sentence.replace(' client,', ' client over stdio,'), async () => {
          const client = clients.get(speaks.name)
          if (client === undefined) throw new Error('It was not opened')
          const cell = { client, server: server.name, key: `${speaks.name}-${server.name}` }
          expect(await SCENARIOS[feature]?.(cell)).toEqual(toAll(wanted))
          expect(client.faults).toEqual([])
          expect(upstreams.takeFaults()).toEqual([])
        })
      }
    })
  }
})

/** `crosspoint stdio`, as a client starts it. */
function startGateway(config: string, folder: string): ChildProcessByStdio<Writable, Readable, null> {
  return spawn(process.execPath, [built('cli/bin/crosspoint.js'), 'stdio', '--config', config], {
    cwd: folder,
    env: { PATH: process.env.PATH, HOME: process.env.HOME, XDG_CONFIG_HOME: join(folder, 'none') },
    stdio: ['pipe', 'pipe', 'ignore'],
  })
}

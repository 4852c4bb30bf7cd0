import { NEWEST } from '@crosspoint/mcp'
import {
  type Balancer,
  createFleet,
  type Fleet,
  findRedis,
  openBalancer,
  type Process,
  type RedisServer,
  startRedis,
} from '@crosspoint/testkit'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { Running } from './child.ts'
import { type Conversation, converse, type Question, type Speaker } from './conversation.ts'
import { startServer } from './gateway.ts'
import { installed, requireInCi, root } from './installed.ts'

const EVERYTHING = `${root}/node_modules/@modelcontextprotocol/server-everything/dist/index.js`
const LOOPBACK = ['--import', `${root}/interop/peers/loopback.mjs`]
const ABLE = { elicitation: { form: {} }, sampling: {}, roots: {} }
const SPEAKERS: readonly (readonly [name: string, speaker: Speaker])[] = [
  ['v1', { line: 1 }],
  ['v2 in legacy mode', { line: 2, mode: 'legacy' }],
  [`v2 pinned to ${NEWEST.name}`, { line: 2, mode: { pin: NEWEST.name } }],
]
const redisProgram = findRedis()

requireInCi()

/** Clients of others before several gateways, each request of theirs landing on any, and gateways that die meanwhile. */
describe.skipIf(!installed || redisProgram === undefined)('a client on an official SDK, before three replicas', () => {
  let redis: RedisServer
  let server: Running<string>
  let fleet: Fleet
  let balancer: Balancer
  const replicas: Process[] = []
  const open = new Set<Conversation>()

  beforeAll(async () => {
    redis = await startRedis(redisProgram ?? '')
    server = await startServer([...LOOPBACK, EVERYTHING, 'streamableHttp'], { PORT: '0' })
    fleet = createFleet({
      servers: { http: { url: server.said } },
      cluster: {
        redis: redis.url,
        secret: 'replicas of a test trust each other by this',
        listen: { port: 0 },
      },
      admin: { enabled: false },
    })
    replicas.push(...(await Promise.all([fleet.start(), fleet.start(), fleet.start()])))
    balancer = await openBalancer(replicas.map(({ origin }) => origin))
  }, 60_000)
  afterAll(async () => {
    await Promise.all([...open].map((conversation) => conversation.close()))
    await balancer?.close()
    await fleet?.close()
    await server?.stop()
    await redis?.close()
  }, 30_000)

  test.each(SPEAKERS)(
    '%s is asked, hears, and is served again within a second of a kill -9',
    async (_, speaker) => {
      const client = await converse(speaker, { url: `${balancer.url}/mcp` }, { capabilities: ABLE, answer: agree })
      open.add(client)
      for (let turn = 0; turn < 3; turn++) {
        expect(await client.text('http__trigger-elicitation-request')).toContain('- Name: Ada')
        expect(await client.text('http__trigger-sampling-request', { prompt: '6 x 7' })).toContain('forty-two')
      }
      const before = client.progress.length
      const steps = { duration: 0.2, steps: 4 }
      expect(await client.text('http__trigger-long-running-operation', steps)).toContain('completed')
      expect(client.progress.slice(before, before + 3)).toEqual([1, 2, 3])
      // Whichever of them has its session is among them.
      for (const [at, replica] of [...replicas].entries()) {
        await replica.kill()
        const since = performance.now()
        const message = `after ${at}`
        while (!(await client.text('http__echo', { message }).catch(String)).endsWith(`Echo: ${message}`));
        expect(performance.now() - since).toBeLessThan(1_000)
        replicas[at] = await fleet.start()
        balancer.replace(at, replicas[at].origin)
      }
      expect(await client.text('http__trigger-sampling-request', { prompt: '6 x 7' })).toContain('forty-two')
    },
    60_000,
  )
})

function agree({ method }: Question): unknown {
  if (method === 'roots/list') return { roots: [{ uri: 'file:///home/ada' }] }
  if (method === 'sampling/createMessage') {
    return { role: 'assistant', model: 'm', content: { type: 'text', text: 'forty-two' } }
  }
  return { action: 'accept', content: { name: 'Ada', check: true } }
}

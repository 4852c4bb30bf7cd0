import { createFakeClock } from '@crosspoint/testkit'
import { describe, expect, it } from 'vitest'
import type { ConnectionOptions } from '../../client/connection.ts'
import { openConnection } from '../../client/open.ts'
import { HANDSHAKE_REVISIONS } from '../../revisions/index.ts'
import { Exchange, type ExchangeTaker } from './client-exchange.ts'
import { sendOneWay } from './client-one-way.ts'
import { type Exchanged, startHttpServer } from './fixtures/server.ts'

/** A message on its way, and the other side of it in the hands of the test. */
function send(withinMs = 1_000) {
  const clock = createFakeClock()
  const heard: ExchangeTaker[] = []
  let isAborted = false
  const problem = sendOneWay(
    (taker) => {
      heard.push(taker)
      const exchange = new Exchange(taker, 1_024)
      exchange.onConnect(() => {
        isAborted = true
      })
      return exchange
    },
    clock,
    withinMs,
  )
  const [taker] = heard
  if (taker === undefined) throw new Error('Nothing was sent')
  return { clock, problem, taker, isAborted: () => isAborted }
}

describe('a message that expects no answer', () => {
  it('owes the clock nothing once it was taken', async () => {
    const { clock, problem, taker, isAborted } = send()
    taker.head(202, { contentType: '' })
    taker.end(202, '')
    expect(await problem).toBeUndefined()
    expect(clock.pending).toBe(0)
    expect(isAborted()).toBe(false)
  })

  it.each([404, 500])('owes the clock nothing once it was refused with %i', async (status) => {
    const { clock, problem, taker } = send()
    taker.head(status, { contentType: '' })
    taker.end(status, '')
    expect(await problem).toBe(`HTTP ${status}`)
    expect(clock.pending).toBe(0)
  })

  it('owes the clock nothing once it failed', async () => {
    const { clock, problem, taker } = send()
    taker.failed(new Error('Connection reset'))
    expect(await problem).toBe('Connection reset')
    expect(clock.pending).toBe(0)
  })

  it('is given up when nobody takes it', async () => {
    const { clock, problem, isAborted } = send()
    clock.advance(1_000)
    expect(await problem).toBe('no answer within 1 s')
    expect(isAborted()).toBe(true)
    expect(clock.pending).toBe(0)
  })

  it('was taken when the status says so, and lets go of an answer that does not end', async () => {
    const { clock, problem, taker, isAborted } = send()
    taker.head(200, { contentType: 'text/event-stream' })
    expect(await problem).toBeUndefined()
    expect(isAborted()).toBe(false)
    clock.advance(1_000)
    expect(isAborted()).toBe(true)
    expect(clock.pending).toBe(0)
  })
})

describe('a connection that is closed', () => {
  const ways: [string, (exchanged: Exchanged) => void][] = [
    ['has no stream of its own', (exchanged) => exchanged.plain(405)],
    ['has a stream of its own', (exchanged) => void exchanged.stream()],
    ['fails to give a stream', (exchanged) => exchanged.plain(500)],
    ['does not say whether it has a stream', () => {}],
  ]
  for (const [what, get] of ways) {
    it(`owes the clock nothing, to a server that ${what}`, async () => {
      const server = await startHttpServer((exchanged) => {
        if (exchanged.method === 'GET') return get(exchanged)
        const { method, id } = exchanged.message
        if (exchanged.method === 'DELETE' || id === undefined) return exchanged.plain(202)
        if (method === 'initialize') {
          const serverInfo = { name: 'fixture', version: '1' }
          const result = { protocolVersion: revision, capabilities: { tools: {} }, serverInfo }
          return exchanged.result(result, { 'mcp-session-id': 'one' })
        }
        exchanged.result({})
      })
      const clock = createFakeClock()
      const options: ConnectionOptions = { client: { name: 'test', version: '1' }, revision, clock }
      const connection = await openConnection({ kind: 'http', url: server.url }, options)
      await server.saw(({ method }) => method === 'GET')
      await connection.close()
      expect(clock.pending).toBe(0)
      await server.stop()
    })
  }
})

const revision = HANDSHAKE_REVISIONS[0]?.name ?? ''

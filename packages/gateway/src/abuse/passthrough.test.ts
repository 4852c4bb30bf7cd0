import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { openSseSession, openWireSession, sendEnveloped } from '@crosspoint/testkit'
import { describe, expect, onTestFinished, test } from 'vitest'
import { MODERN, openHouse } from '../../fixtures/open-house.ts'
import { Browser, openSigned, SERVICE } from '../../fixtures/open-signed.ts'

const HANDSHAKES = ['2024-11-05', '2025-03-26', '2025-06-18', '2025-11-25']
const CALL = { name: 'tracker__whoami', arguments: {} }
/** All that a caller brings and that is nobody else's business: each says so. */
const INBOUND = {
  authorization: 'Bearer inbound-token',
  cookie: 'session=inbound-cookie',
  'x-api-key': 'inbound-key',
  'x-forwarded-for': 'inbound-address',
  'x-custom': 'inbound-header',
  'user-agent': 'inbound-agent',
  baggage: 'secret=inbound-baggage',
}
const authenticate = () => ({ id: 'ann', tenant: 'acme' })

/** Calls once as a client of every revision and over every transport, with all headers there are. */
async function callInAllWays(door: string): Promise<readonly unknown[]> {
  const url = `${door}?q=inbound-query`
  const texts: unknown[] = []
  const keep = (result: { content: [{ text: string }] }) => void texts.push(result.content[0].text)
  keep((await sendEnveloped(url, 'tools/call', CALL, { headers: INBOUND })).messages.at(-1).result)
  for (const revision of HANDSHAKES) {
    const session = await openWireSession(url, { revision, headers: INBOUND })
    keep((await session.request('tools/call', CALL)).messages.at(-1).result)
  }
  const sse = await openSseSession(door.replace(/\/mcp$/, '/sse'), INBOUND)
  await sse.initialize()
  keep((await sse.request('tools/call', CALL)).result)
  sse.stream.destroy()
  return texts
}

const linkIn = (value: unknown) => /http:[^"\s]+\/connect\/tracker\?l=[\w-]+/.exec(JSON.stringify(value))?.[0] ?? ''

describe('abuse-28: what a caller brings reaches no server', () => {
  test.each([...HANDSHAKES, MODERN])('over HTTP, to a server of %s that each signs in to', async (revision) => {
    const { url, reached, issuedBy } = await openSigned({ server: { revision }, gateway: { authenticate } })
    await new Browser().signIn(linkIn((await callInAllWays(url))[0]))
    const tokens = new Set(await callInAllWays(url))
    expect([...tokens]).toEqual([expect.stringMatching(/^access-/)])
    expect(reached.length).toBeGreaterThan(6)
    expect(JSON.stringify(reached)).not.toContain('inbound')
    // Nor whoever gives tokens.
    expect(JSON.stringify(issuedBy.seen.map(({ headers, text, query }) => [headers, text, `${query}`]))).not.toContain(
      'inbound',
    )
    // Nothing but what the server gave for this caller, and what reads the lists.
    const shown = new Set(reached.flatMap(({ headers }) => headers?.authorization ?? []))
    expect(shown).toEqual(new Set([`Bearer ${SERVICE}`, ...[...tokens].map((token) => `Bearer ${token}`)]))
  })

  test('over HTTP+SSE', async () => {
    const auth = { kind: 'oauth', discovery: { headers: { authorization: `Bearer ${SERVICE}` } } }
    const { url, reached } = await openSigned({ sse: true, server: { type: 'sse' }, auth, gateway: { authenticate } })
    await new Browser().signIn(linkIn((await callInAllWays(url))[0]))
    expect(new Set(await callInAllWays(url)).size).toBe(1)
    expect(JSON.stringify(reached)).not.toContain('inbound')
  })

  test('over stdio', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'crosspoint-recorded-'))
    onTestFinished(() => rmSync(folder, { recursive: true, force: true }))
    const record = join(folder, 'record')
    const script = fileURLToPath(new URL('../../fixtures/recording-server.mjs', import.meta.url))
    const { url } = await openHouse(
      {
        tracker: {
          command: process.execPath,
          args: [script],
          env: { RECORD: record, TOKEN: '${secret:own}' },
        },
      },
      { secrets: { own: { env: 'OWN' } } },
      { authenticate, env: { ...process.env, OWN: 'outbound' } },
    )
    expect(new Set(await callInAllWays(url))).toEqual(new Set(['outbound']))
    const recorded = readFileSync(record, 'utf8')
    expect(recorded).toContain('tools/call')
    expect(recorded).not.toContain('inbound')
  })
})

describe('abuse-43: two tenants with the same names, 1,000 calls each, at once', () => {
  test.each(['2025-06-18', MODERN])(
    'each call goes out with the credential of its caller, to a server of %s',
    async (revision) => {
      const { url, reached } = await openSigned({
        server: { revision },
        gateway: {
          authenticate: (headers) => ({ id: headers['x-who'] ?? '', tenant: headers['x-tenant'] ?? '' }),
        },
      })
      const callers = ['acme', 'umbrella'].flatMap((tenant) => ['ann', 'bob'].map((who) => ({ tenant, who })))
      const call = async ({ tenant, who }: (typeof callers)[number]) => {
        const headers = { 'x-who': who, 'x-tenant': tenant }
        return (await sendEnveloped(url, 'tools/call', CALL, { headers })).messages.at(-1).result.content[0].text
      }
      const tokens = new Map<object, string>()
      for (const caller of callers) {
        await new Browser().signIn(linkIn(await call(caller)))
        tokens.set(caller, await call(caller))
      }
      expect(new Set(tokens.values()).size).toBe(4)
      let crossed = 0
      let at = 0
      const work = async () => {
        for (; at < 2_000; ) {
          const caller = callers[(at++ * 7) % 4]
          if (caller !== undefined && (await call(caller)) !== tokens.get(caller)) crossed++
        }
      }
      await Promise.all(Array.from({ length: 20 }, work))
      expect(crossed).toBe(0)
      expect(new Set(reached.flatMap(({ headers }) => headers?.authorization ?? [])).size).toBe(5)
    },
    60_000,
  )
})

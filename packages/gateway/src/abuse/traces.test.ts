import { openHttp, openWireSession, sendEnveloped, toEnveloped } from '@crosspoint/testkit'
import { describe, expect, test } from 'vitest'
import { openCollector } from '../../fixtures/collector.ts'
import { MODERN, openHostile, openHouse } from '../../fixtures/open-house.ts'

/** A trace goes from a client to a server, over real HTTP, whatever they speak with the gateway. */

const OLDER = ['2025-03-26', '2025-06-18', '2025-11-25']
const SPOKEN = [...OLDER, MODERN]
const PAIRINGS = SPOKEN.flatMap((client) => SPOKEN.map((server) => ({ client, server })))
const GO = { name: 's__go', arguments: {} }
const TRACE = '0af7651916cd43dd8448eb211c80319c'
const PARENT = 'b7ad6b7169203331'
const TRACEPARENT = `00-${TRACE}-${PARENT}-01`
const AMBIENT = `00-${'1'.repeat(32)}-${'2'.repeat(16)}-01`

/** One call, with what is in `_meta` and in the headers. */
async function callAs(revision: string, url: string, meta: object, headers: Record<string, string>): Promise<void> {
  if (revision === MODERN) {
    const { status } = await sendEnveloped(url, 'tools/call', GO, { meta: { ...meta }, headers })
    expect(status).toBe(200)
    return
  }
  const session = await openWireSession(url, { revision, headers })
  expect(await session.request('tools/call', { ...GO, _meta: { ...meta } })).toMatchObject({ status: 200 })
}

describe.each(PAIRINGS)('a client of $client, a server of $server', ({ client, server }) => {
  test('is told of in one trace: caller, our two spans, and the server, in `_meta` and in the header', async () => {
    const collector = await openCollector()
    const upstream = await openHostile(server, ({ result }) => result({ content: [] }))
    const telemetry = { traces: { otlp: collector.url } }
    const { gateway, url } = await openHouse({ s: { url: upstream.url } }, { telemetry })
    await callAs(client, url, { traceparent: TRACEPARENT, baggage: 'user=anna' }, { traceparent: AMBIENT })
    await callAs(client, url, {}, { traceparent: AMBIENT })
    await gateway.close({ graceMs: 1_000 })
    const isCall = ({ name }: { readonly name: string }) => name.startsWith('tools/call')
    const served = collector.spans.filter((span) => isCall(span) && span.kind === 2)
    const sent = collector.spans.filter((span) => isCall(span) && span.kind === 3)
    expect(served).toMatchObject([
      { traceId: TRACE, parentSpanId: PARENT, links: [{ spanId: '2'.repeat(16) }], name: 'tools/call s__go' },
      { traceId: '1'.repeat(32), parentSpanId: '2'.repeat(16), links: [], name: 'tools/call s__go' },
    ])
    expect(served[0]?.attributes).toMatchObject({
      'mcp.protocol.version': client,
      'network.transport': 'tcp',
      'jsonrpc.request.id': expect.any(String),
    })
    expect(sent.map((span) => span.parentSpanId)).toEqual(served.map((span) => span.spanId))
    expect(sent[0]?.attributes).toMatchObject({
      'mcp.protocol.version': server,
      'server.address': '127.0.0.1',
      'server.port': expect.anything(),
    })
    const expected = sent.map(({ traceId, spanId }) => `00-${traceId}-${spanId}-01`)
    const calls = upstream.got.filter(({ method }) => method === 'tools/call')
    expect(calls.map(({ params }) => params._meta.traceparent)).toEqual(expected)
    expect(calls.map(({ params }) => params._meta.baggage)).toEqual([undefined, undefined])
    const headers = upstream.headers.map(({ traceparent }) => traceparent).filter((one) => one !== undefined)
    expect(headers).toEqual(expect.arrayContaining(expected))
  })
})

test('without telemetry a trace is joined and passed on all the same', async () => {
  const upstream = await openHostile(MODERN, ({ result }) => result({ content: [] }))
  const { url } = await openHouse({ s: { url: upstream.url } })
  await callAs(MODERN, url, { traceparent: `00-${TRACE}-${PARENT}-00` }, {})
  await callAs(MODERN, url, {}, { traceparent: `00-${TRACE}-${PARENT}-00` })
  const calls = upstream.got.filter(({ method }) => method === 'tools/call')
  expect(calls.map(({ params }) => params._meta.traceparent)).toEqual([
    expect.stringMatching(new RegExp(`^00-${TRACE}-(?!${PARENT})[0-9a-f]{16}-00$`)),
    expect.stringMatching(new RegExp(`^00-${TRACE}-(?!${PARENT})[0-9a-f]{16}-00$`)),
  ])
})

test('abuse-40: what a client writes into trace headers ends no header and begins none', async () => {
  const upstream = await openHostile(MODERN, ({ result }) => result({ content: [] }))
  const { url } = await openHouse({ s: { url: upstream.url } })
  const evil = `${TRACEPARENT}\r\nx-evil: 1`
  const asked = openHttp(url, toEnveloped('tools/call', GO, { meta: { traceparent: evil, tracestate: 'a=\r\nb' } }))
  await (await asked).rest()
  const joined = JSON.stringify([upstream.headers, upstream.got])
  expect(joined).not.toContain('evil')
  const [call] = upstream.got.filter(({ method }) => method === 'tools/call')
  expect(call?.params._meta.traceparent).toMatch(/^00-[0-9a-f]{32}-[0-9a-f]{16}-01$/)
  expect(call?.params._meta).not.toHaveProperty('tracestate')
})

import { JSON_HEADERS, sendEnveloped, sendHttp, withEnvelope } from '@crosspoint/testkit'
import { describe, expect, it } from 'vitest'
import { createOpen, createRecording } from './fixtures/recording.ts'

const open = createOpen()
const echo = { name: 'echo', arguments: { text: 'hi' } }

describe('the rest of HTTP', () => {
  it.each(['GET', 'DELETE', 'PUT', 'PATCH', 'HEAD'])('trap-24: %s of the newest revision gets 405', async (method) => {
    const url = await open(createRecording().handle)
    const headers = { 'mcp-protocol-version': '2026-07-28', accept: 'text/event-stream' }
    const answer = await sendHttp(url, { method, headers })
    expect([answer.status, answer.headers.allow]).toEqual([405, 'POST, GET, DELETE'])
  })

  it('a notification gets 202 and no body', async () => {
    const url = await open(createRecording().handle)
    const message = { jsonrpc: '2.0', method: 'notifications/cancelled', params: withEnvelope({ requestId: 1 }) }
    const answer = await sendHttp(url, { headers: JSON_HEADERS, body: JSON.stringify(message) })
    expect([answer.status, answer.text]).toEqual([202, ''])
  })

  it('abuse-07: a response sent by the client gets 400', async () => {
    const url = await open(createRecording().handle)
    const headers = { ...JSON_HEADERS, 'mcp-protocol-version': '2026-07-28' }
    const answer = await sendHttp(url, { headers, body: '{"jsonrpc":"2.0","id":1,"result":{}}' })
    expect([answer.status, answer.messages[0].error.code]).toEqual([400, -32600])
  })

  it('trap-24, abuse-23: session ids and event ids are ignored', async () => {
    const url = await open(createRecording().handle)
    const headers = { 'mcp-session-id': 'made-up', 'last-event-id': '7' }
    const answer = await sendEnveloped(url, 'tools/call', echo, { headers })
    expect([answer.status, answer.headers['mcp-session-id']]).toEqual([200, undefined])
  })

  it('an endpoint of the newest revision only tells older clients so', async () => {
    const url = await open(createRecording().handle, { revisions: ['2026-07-28'] })
    for (const method of ['initialize', 'tools/list']) {
      const params = method === 'initialize' ? { protocolVersion: '2025-06-18' } : {}
      const body = JSON.stringify({ jsonrpc: '2.0', id: 1, method, params })
      const answer = await sendHttp(url, { headers: JSON_HEADERS, body })
      expect([answer.status, answer.messages[0].error.code, answer.messages[0].error.data.supported]).toEqual([
        400,
        -32022,
        ['2026-07-28'],
      ])
    }
    expect((await sendHttp(url, { method: 'GET', headers: { accept: 'text/event-stream' } })).status).toBe(405)
  })
})

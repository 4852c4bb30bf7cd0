import { type Agent, request } from 'node:http'
import { NEWEST, NEWEST_HANDSHAKE } from '@crosspoint/mcp'
import { JSON_HEADERS, withEnvelope } from '../wire-client.ts'

/** What one call came to. A `broken` one is no answer that a client could read. */
export interface Said {
  readonly kind: 'result' | 'error' | 'broken'
  readonly text: string
}

/** A client without an engine, of one era, with one call under way at a time. */
export interface Caller {
  readonly name: string
  call(tool: string, text: string): Promise<Said>
  close(): Promise<void>
}

let opened = 0

export async function openCaller(url: string, era: 'modern' | 'legacy', agent: Agent): Promise<Caller> {
  const name = `${era} client ${opened++}`
  let calls = 0
  let headers: Record<string, string> = { ...JSON_HEADERS, 'mcp-protocol-version': NEWEST.name }
  if (era === 'legacy') {
    headers = { ...JSON_HEADERS, 'mcp-protocol-version': NEWEST_HANDSHAKE.name }
    const params = { protocolVersion: NEWEST_HANDSHAKE.name, capabilities: {}, clientInfo: { name, version: '1.0.0' } }
    const { headers: answered } = await send(url, agent, headers, { id: 'open', method: 'initialize', params })
    headers['mcp-session-id'] = String(answered['mcp-session-id'])
    await send(url, agent, headers, { method: 'notifications/initialized' })
  }
  return {
    name,
    async call(tool, text) {
      const id = ++calls
      const params = { name: tool, arguments: { text } }
      const own = { ...headers, 'mcp-method': 'tools/call', 'mcp-name': tool }
      try {
        const message = { id, method: 'tools/call', params: era === 'modern' ? withEnvelope(params) : params }
        const { body } = await send(url, agent, era === 'modern' ? own : headers, message)
        return toSaid(body, id)
      } catch (error) {
        return { kind: 'broken', text: String(error) }
      }
    },
    async close() {
      if (era === 'legacy') await send(url, agent, headers, undefined, 'DELETE').catch(() => {})
    },
  }
}

interface Answer {
  readonly headers: Readonly<Record<string, unknown>>
  readonly body: string
}

function send(
  url: string,
  agent: Agent,
  headers: Readonly<Record<string, string>>,
  message: object | undefined,
  method = 'POST',
): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const outgoing = request(url, { agent, headers, method }, (response) => {
      let body = ''
      response.setEncoding('utf8')
      response.on('data', (text: string) => {
        body += text
      })
      response.on('end', () => resolve({ headers: response.headers, body }))
      response.on('error', reject)
    })
    outgoing.on('error', reject)
    outgoing.end(message === undefined ? undefined : JSON.stringify({ jsonrpc: '2.0', ...message }))
  })
}

/** Exactly one answer, with the id of the call: in a JSON body, or as the only one of a stream. */
function toSaid(body: string, id: number): Said {
  const texts = body.startsWith('{') ? [body] : [...body.matchAll(/^data: (\{.*)$/gm)].map(([, text]) => String(text))
  const messages = texts.map((text) => JSON.parse(text) as Message)
  const answers = messages.filter((message) => message.id !== undefined)
  const [answer] = answers
  if (answers.length !== 1 || answer?.id !== id) {
    return { kind: 'broken', text: `${answers.length} answers to call ${id}: ${body.slice(0, 300)}` }
  }
  if (answer.error !== undefined) return { kind: 'error', text: answer.error.message }
  const text = answer.result?.content?.[0]?.text ?? body.slice(0, 300)
  return { kind: answer.result?.isError === true ? 'error' : 'result', text }
}

interface Message {
  readonly id?: unknown
  readonly error?: { readonly message: string }
  readonly result?: { readonly isError?: boolean; readonly content?: readonly { readonly text?: string }[] }
}

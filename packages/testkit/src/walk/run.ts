import { Agent, request } from 'node:http'
import { fileURLToPath } from 'node:url'
import { visitedBy, type Walk } from './coverage.ts'

/**
 * Makes one `tools/call` from the newest revision over HTTP to an older one over stdio, through a door and a
 * connection of the engine and nothing else, and prints as JSON which of the engine's functions it took. A program
 * of its own, since coverage counts whatever else runs in the process.
 */
const WARM_UP = 200
/** The engine file by file: what ships is the same in fewer files, and tells none of them apart. */
const ENGINE = new URL('../../../mcp/build/', import.meta.url).href
const { NEWEST } = (await import(`${ENGINE}index.js`)) as typeof import('@crosspoint/mcp')
const { openConnection } = (await import(`${ENGINE}client/index.js`)) as typeof import('@crosspoint/mcp/client')
const { openHttpDoor } = (await import(`${ENGINE}transports/index.js`)) as typeof import('@crosspoint/mcp/transports')
const UPSTREAM = fileURLToPath(new URL('../../src/walk/upstream.mjs', import.meta.url))
const self = { name: 'walk', version: '1.0.0' }

const upstream = await openConnection(
  { kind: 'stdio', command: process.execPath, args: [UPSTREAM], env: {} },
  { client: self },
)
const endpoint = { handle: upstream.handle, serverInfo: self }
const door = await openHttpDoor({ endpoint: () => endpoint })
const agent = new Agent({ keepAlive: true, maxSockets: 1 })
try {
  for (let i = 0; i < WARM_UP; i++) await callTool()
  const visits = await visitedBy(ENGINE, callTool)
  const walk: Walk = { downstream: NEWEST.name, upstream: upstream.verdict.revision, visits }
  console.log(JSON.stringify(walk, undefined, 1))
} finally {
  agent.destroy()
  await door.close()
  await upstream.close()
}

/** A caller without any of our code. */
function callTool(): Promise<void> {
  const body = JSON.stringify({
    jsonrpc: '2.0',
    id: 1,
    method: 'tools/call',
    params: {
      name: 'echo',
      arguments: { text: 'hello' },
      _meta: {
        'io.modelcontextprotocol/protocolVersion': NEWEST.name,
        'io.modelcontextprotocol/clientInfo': self,
        'io.modelcontextprotocol/clientCapabilities': {},
      },
    },
  })
  const headers = {
    'content-type': 'application/json',
    'content-length': Buffer.byteLength(body),
    accept: 'application/json, text/event-stream',
    'mcp-protocol-version': NEWEST.name,
    'mcp-method': 'tools/call',
    'mcp-name': 'echo',
  }
  return new Promise((resolve, reject) => {
    const sent = request(`${door.url}/mcp`, { method: 'POST', agent, headers }, (response) => {
      let text = ''
      response.setEncoding('utf8')
      response.on('data', (part: string) => {
        text += part
      })
      response.on('end', () => {
        if (text.includes('"echo"')) resolve()
        else reject(new Error(`The call was answered with HTTP ${response.statusCode}: ${text}`))
      })
    })
    sent.on('error', reject)
    sent.end(body)
  })
}

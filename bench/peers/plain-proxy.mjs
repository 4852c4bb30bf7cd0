// The floor a gateway is measured against: node:http in, parse, rename the tool, serialise, undici out, parse,
// put the id back, serialise. No checks, no eras, no log. Nothing that governs can cost less than this.
import { createServer } from 'node:http'
import { Pool } from 'undici'

const upstream = new Pool(process.argv[2], { connections: 32, pipelining: 1 })
const PREFIX = 'bench__'
const names = new Map([[`${PREFIX}echo`, 'echo']])

const server = createServer((request, response) => {
  const chunks = []
  request.on('data', (chunk) => chunks.push(chunk))
  request.on('end', () => {
    const message = JSON.parse(Buffer.concat(chunks).toString())
    const { id } = message
    if (message.method === 'tools/call') message.params.name = names.get(message.params.name)
    message.id = 1
    forward(JSON.stringify(message), request.headers, (status, text) => {
      const reply = JSON.parse(text)
      reply.id = id
      for (const tool of reply.result?.tools ?? []) tool.name = PREFIX + tool.name
      const body = Buffer.from(JSON.stringify(reply))
      response.writeHead(status, { 'content-type': 'application/json', 'content-length': body.length })
      response.end(body)
    })
  })
})

function forward(body, headers, done) {
  const chunks = []
  let status = 502
  upstream.dispatch(
    {
      path: '/mcp',
      method: 'POST',
      headers: {
        'content-type': 'application/json',
        accept: 'application/json, text/event-stream',
        'mcp-protocol-version': headers['mcp-protocol-version'],
        'mcp-method': headers['mcp-method'],
        ...(headers['mcp-name'] === undefined ? {} : { 'mcp-name': names.get(headers['mcp-name']) }),
      },
      body,
    },
    {
      onConnect() {},
      onHeaders(code) {
        status = code
        return true
      },
      onData(chunk) {
        chunks.push(chunk)
        return true
      },
      onComplete() {
        done(status, Buffer.concat(chunks).toString())
      },
      onError(error) {
        done(502, JSON.stringify({ jsonrpc: '2.0', error: { code: -32603, message: error.message } }))
      },
    },
  )
}

server.keepAliveTimeout = 60_000
server.listen(0, '127.0.0.1', () => console.log(JSON.stringify({ port: server.address().port })))

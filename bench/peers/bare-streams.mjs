// The floor for idle streams: a node:http server that answers whatever opens a stream with the head of one, keeps the
// socket, and knows nothing else of it.
import { createServer } from 'node:http'

const server = createServer({ noDelay: true, requestTimeout: 0 }, (request, response) => {
  const isStream = request.method === 'GET' || request.headers['mcp-method'] === 'subscriptions/listen'
  request.on('data', () => {})
  request.on('end', () => {
    if (!isStream) {
      response.writeHead(200, { 'content-length': 2, 'mcp-session-id': 'none' }).end('{}')
      return
    }
    response.writeHead(200, { 'content-type': 'text/event-stream' })
    response.flushHeaders()
  })
})
server.keepAliveTimeout = 60_000
server.listen(0, '127.0.0.1', () => console.log(JSON.stringify({ port: server.address().port })))

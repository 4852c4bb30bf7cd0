import { createServer } from 'node:http'

/**
 * Serves JSON bodies and prints the port.
 * @param answer gives { status, message, headers } for a message and the request's headers
 */
export function serveJson(answer) {
  const server = createServer((request, response) => {
    if (request.method !== 'POST') {
      response.writeHead(405, { 'content-length': 0 }).end()
      return
    }
    const chunks = []
    request.on('data', (chunk) => chunks.push(chunk))
    request.on('end', () => {
      const { status, message, headers } = answer(JSON.parse(Buffer.concat(chunks).toString()), request.headers)
      if (message === undefined) {
        response.writeHead(status, { 'content-length': 0 }).end()
        return
      }
      const body = Buffer.from(JSON.stringify(message))
      response.writeHead(status, { ...headers, 'content-type': 'application/json', 'content-length': body.length })
      response.end(body)
    })
  })
  server.keepAliveTimeout = 60_000
  server.listen(0, '127.0.0.1', () => console.log(JSON.stringify({ port: server.address().port })))
}

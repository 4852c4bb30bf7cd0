import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterEach, expect, it } from 'vitest'
import { openHttp, openRaw, sendHttp } from './http.ts'

const servers: { close(): unknown; closeAllConnections(): void }[] = []
afterEach(() => {
  for (const server of servers.splice(0)) {
    server.closeAllConnections()
    server.close()
  }
})

async function serve(text: readonly string[], type: string): Promise<number> {
  const server = createServer((_request, response) => {
    response.writeHead(200, { 'content-type': type })
    for (const part of text) response.write(part)
    response.end()
  })
  servers.push(server)
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return (server.address() as AddressInfo).port
}

it('reads a stream event by event, counts comments and says when it ends', async () => {
  const port = await serve([': hi\n\nevent: message\nda', 'ta: {"a":1}\n', '\ndata: {"b":2}\n\n'], 'text/event-stream')
  const stream = await openHttp(`http://127.0.0.1:${port}/`)
  expect(await stream.next()).toEqual({ a: 1 })
  expect(await stream.next()).toEqual({ b: 2 })
  expect(stream.comments).toBe(1)
  await expect(stream.next()).rejects.toThrow('The stream ended')
})

it('gives the messages of a stream and of a JSON body alike', async () => {
  const stream = await serve(['data: {"a":1}\n\ndata: {"b":2}\n\n'], 'text/event-stream')
  expect((await sendHttp(`http://127.0.0.1:${stream}/`)).messages).toEqual([{ a: 1 }, { b: 2 }])
  const json = await serve(['{"c":3}'], 'application/json')
  expect((await sendHttp(`http://127.0.0.1:${json}/`)).messages).toEqual([{ c: 3 }])
})

it('sends raw bytes and gives back what came', async () => {
  const port = await serve(['x'], 'text/plain')
  const peer = await openRaw(port)
  peer.write('GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n')
  expect(await peer.ended).toMatch(/^HTTP\/1\.1 200 OK/)
})

// The floor of a client over HTTP: undici's dispatch by hand, newest revision.
//   node floor-client-http.mjs <port>
import { Pool } from 'undici'
import { META, NEWEST, toText } from '../message.mjs'
import { serveRuns } from './runs.mjs'

const pool = new Pool(`http://127.0.0.1:${process.argv[2]}`, { connections: 16 })
const headers = {
  'content-type': 'application/json',
  accept: 'application/json, text/event-stream',
  'mcp-protocol-version': NEWEST,
  'mcp-method': 'tools/call',
  'mcp-name': 'echo',
}

serveRuns(call)

let ids = 0
function call(n) {
  const id = ++ids
  const params = { name: 'echo', arguments: { message: toText(n) }, _meta: META }
  const body = JSON.stringify({ jsonrpc: '2.0', id, method: 'tools/call', params })
  return new Promise((resolve, reject) => {
    const chunks = []
    let status
    pool.dispatch(
      { path: '/mcp', method: 'POST', headers, body },
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
          const reply = JSON.parse(chunks.length === 1 ? chunks[0].toString() : Buffer.concat(chunks).toString())
          if (status !== 200 || reply.jsonrpc !== '2.0' || reply.id !== id || reply.result === undefined) {
            reject(new Error(`Refused: ${status}`))
          } else resolve(reply.result)
        },
        onError: reject,
      },
    )
  })
}

import { NEWEST, toCall } from '../message.mjs'

/** The nth call as a platform would hand it over. */
export function toRequest(n) {
  return new Request('http://127.0.0.1/mcp', {
    method: 'POST',
    headers: {
      host: '127.0.0.1',
      'content-type': 'application/json',
      accept: 'application/json, text/event-stream',
      'mcp-protocol-version': NEWEST,
      'mcp-method': 'tools/call',
      'mcp-name': 'echo',
    },
    body: toCall(n, 'modern'),
  })
}

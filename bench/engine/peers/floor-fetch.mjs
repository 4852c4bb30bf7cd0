// The floor of web-standard requests: one Request is read, one Response is made, and nothing is checked.
import { toRequest } from './requests.mjs'
import { serveRuns } from './runs.mjs'

async function handle(request) {
  const { id, params } = await request.json()
  const result = { resultType: 'complete', content: [{ type: 'text', text: params.arguments.message }] }
  const headers = { 'content-type': 'application/json' }
  return new Response(JSON.stringify({ jsonrpc: '2.0', id, result }), { headers })
}

serveRuns(async (n) => (await (await handle(toRequest(n))).json()).result)

// A server on the official SDK, line 2, of the newest revision only, whose tools ask their caller by results:
//
//   node asking-server.mjs stdio | http
//
// Over HTTP it prints the port it got as one line of JSON. Tools answer with what they were told, as JSON.
import { createServer } from 'node:http'
import { setTimeout } from 'node:timers/promises'
import { toNodeHandler } from '@modelcontextprotocol/node'
import { createMcpHandler, inputRequired, inputResponse, McpServer } from '@modelcontextprotocol/server'
import { serveStdio } from '@modelcontextprotocol/server/stdio'
import * as z from 'zod'

const NAME_FORM = { type: 'object', properties: { name: { type: 'string', title: 'Name' } }, required: ['name'] }

const ask = {
  form: () => inputRequired.elicit({ message: 'Who are you?', requestedSchema: NAME_FORM }),
  page: () => inputRequired.elicitUrl({ message: 'Sign in, please', url: 'https://example.com/sign-in' }),
  model: () =>
    inputRequired.createMessage({
      messages: [{ role: 'user', content: { type: 'text', text: 'How much is six times seven?' } }],
      maxTokens: 10,
    }),
  folders: () => inputRequired.listRoots(),
}

const [door] = process.argv.slice(2)
let notify
let grown = 0

function create() {
  const server = new McpServer(
    { name: 'asking', version: '1.0.0' },
    { capabilities: { tools: { listChanged: true }, resources: { subscribe: true, listChanged: true }, logging: {} } },
  )
  const text = (value) => ({ content: [{ type: 'text', text: JSON.stringify(value) }] })
  const tool = (name, run, inputSchema = z.object({})) =>
    server.registerTool(name, { description: `Does ${name}`, inputSchema }, run)

  for (const [name, question] of Object.entries(ask)) {
    tool(`ask_${name}`, (_args, { mcpReq }) => {
      const view = inputResponse(mcpReq.inputResponses, name)
      return view.kind === 'missing' ? inputRequired({ inputRequests: { [name]: question() } }) : text(view)
    })
  }
  // A round with one question, one with two at once, and one with none that only wants to be called again.
  tool('ask_rounds', (_args, { mcpReq }) => {
    const state = mcpReq.requestState()
    const told = state === undefined ? { round: 0 } : JSON.parse(state)
    const next = (more) => JSON.stringify({ ...told, ...more, round: told.round + 1 })
    const answers = mcpReq.inputResponses
    if (told.round === 0) return inputRequired({ inputRequests: { who: ask.form() }, requestState: next({}) })
    if (told.round === 1) {
      const requestState = next({ who: answers.who.content.name })
      return inputRequired({ inputRequests: { model: ask.model(), folders: ask.folders() }, requestState })
    }
    if (told.round === 2) {
      const model = answers.model.content.text ?? answers.model.content[0].text
      return inputRequired({ requestState: next({ model, folders: answers.folders.roots.map(({ uri }) => uri) }) })
    }
    return text(told)
  })
  tool('report', async (_args, { mcpReq }) => {
    const progressToken = mcpReq._meta?.progressToken
    for (const progress of progressToken === undefined ? [] : [1, 2, 3]) {
      await mcpReq.notify({ method: 'notifications/progress', params: { progressToken, progress, total: 3 } })
      await setTimeout(20) // The SDKs hand reports on later than answers, and drop those that arrive with the answer.
    }
    await mcpReq.log('debug', 'a detail')
    await mcpReq.log('warning', 'a warning')
    return text('reported')
  })
  tool('touch', () => {
    tellOf(server).resourceUpdated('note://kept')
    return text('touched')
  })
  // Each time another tool is there, and the one before is not.
  const newest = () => server.registerTool(`new_${grown}`, { inputSchema: z.object({}) }, () => text('new'))
  let last = newest()
  tool('grow', () => {
    grown++
    last.remove()
    last = newest()
    notify?.toolsChanged()
    return text('grown')
  })
  server.registerResource('kept', 'note://kept', { mimeType: 'text/plain' }, (uri) => ({
    contents: [{ uri: uri.href, mimeType: 'text/plain', text: 'kept' }],
  }))
  return server
}

/** Over HTTP a server lives for a request, and what changes is told by what is there longer. */
function tellOf(server) {
  return notify ?? { resourceUpdated: (uri) => server.server.sendResourceUpdated({ uri }) }
}

if (door === 'stdio') {
  serveStdio(create, { legacy: 'reject' })
} else {
  const handler = createMcpHandler(create, { legacy: 'reject' })
  notify = handler.notify
  const server = createServer(toNodeHandler(handler))
  server.listen(0, '127.0.0.1', () => process.stdout.write(`${JSON.stringify({ port: server.address().port })}\n`))
}

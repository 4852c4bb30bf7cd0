import type { JsonObject } from '@crosspoint/mcp'
import type { Message } from '../http.ts'
import type { Exchange, MatrixClient, Wants } from './conversation.ts'
import { BIG, toAsking, toWatched } from './upstream.ts'

/** One client and one server of the matrix. */
export interface Cell {
  readonly client: MatrixClient
  /** The server as the gateway names it: what its tools begin with and its URIs have. */
  readonly server: string
  /** Of this cell alone. */
  readonly key: string
}

/** What a client does for a feature, and all it sees of it. */
export type Scenario = (cell: Cell) => Promise<JsonObject>

export const SCENARIOS: Readonly<Record<string, Scenario>> = {
  async list({ client, server }) {
    const names = async (method: string, list: string, key: string, prefix: string) =>
      ((await client.ask(method)).answer.result[list] as readonly Message[])
        .map((item) => String(item[key]))
        .filter((name) => name.startsWith(prefix))
    const bare = (name: string) => name.slice(server.length + 2)
    const tools = await names('tools/list', 'tools', 'name', `${server}__`)
    return {
      tools: tools.map(bare).filter((name) => !name.startsWith(GROWN)),
      resources: await names('resources/list', 'resources', 'uri', `matrix://${server}/`),
      templates: await names('resources/templates/list', 'resourceTemplates', 'uriTemplate', `matrix://${server}/`),
      prompts: (await names('prompts/list', 'prompts', 'name', `${server}__`)).map(bare),
    }
  },
  async call(cell) {
    return toSeen((await call(cell, 'echo', { text: 'hi' })).answer)
  },
  async progress(cell) {
    const progressToken = `p-${cell.key}`
    const { answer, before } = await call(cell, 'count', {}, { progressToken })
    return { ...toSeen(answer), steps: toSteps(before, progressToken) }
  },
  async cancel(cell) {
    const { client, server, key } = cell
    const waiting = client.begin('tools/call', { name: `${server}__wait`, arguments: { key } })
    waiting.done.catch(() => {})
    await call(cell, 'seen', { event: `${key} started` })
    waiting.cancel()
    const { answer } = await call(cell, 'seen', { event: `${key} cancelled` })
    return { text: toSeen(answer).text?.replace(`${key} `, ''), isAnswered: waiting.isAnswered }
  },
  async log(cell) {
    const { answer, before } = await call(cell, 'log', {}, { logLevel: 'info' })
    const logged = before.filter(({ method }) => method === 'notifications/message').map(({ params }) => params)
    return { ...toSeen(answer), logged }
  },
  'elicit-form': (cell) => question(cell, 'form'),
  'elicit-url': (cell) => question(cell, 'page'),
  sample: (cell) => question(cell, 'sample'),
  roots: (cell) => question(cell, 'roots'),
  rounds: (cell) => question(cell, 'rounds'),
  decline: (cell) => question(cell, 'form', {}, { declines: true }),
  async required(cell) {
    const { client, key } = cell
    const visit = () => call(cell, 'visit', { key })
    const first = await question(cell, 'account', { key }, { visit })
    if (first.error === undefined) return first
    const { code, data } = first.error as Message // the error as it came
    const { mode, url, elicitationId } = data.elicitations[0]
    const watching = await client.watch({})
    await visit()
    const { params } = await watching.next('notifications/elicitation/complete')
    const isTold = params.elicitationId === elicitationId
    return { ...(await question(cell, 'account', { key })), code, mode, url, isTold }
  },
  async steps(cell) {
    const progressToken = `s-${cell.key}`
    const { answer, before } = await call(cell, 'steps', {}, { progressToken })
    return { ...toSeen(answer), steps: toSteps(before, progressToken) }
  },
  async 'asked-by-others'({ client, server }) {
    const prompt = await client.ask('prompts/get', { name: `${server}__asking` })
    const read = await client.ask('resources/read', { uri: toAsking(server) })
    const methods = ({ asked }: Exchange) => asked.map(({ method }) => method)
    return {
      prompt: prompt.answer.result?.messages[0].content.text ?? prompt.answer,
      text: read.answer.result?.contents[0].text ?? read.answer,
      asked: [...methods(prompt), ...methods(read)],
    }
  },
  async watch(cell) {
    const watching = await cell.client.watch({ uri: toWatched(cell.server) })
    const told = watching.next('notifications/resources/updated')
    await call(cell, 'touch')
    const { params } = await told
    await watching.stop()
    return { updated: params.uri, acknowledged: watching.acknowledged }
  },
  async 'list-changed'(cell) {
    const { client, server, key } = cell
    const grown = `${GROWN}${key}`
    const watching = await client.watch({ tools: true })
    await call(cell, 'grow', { name: grown })
    let isListed = false
    // What is heard first may be of a change before this one.
    while (!isListed) {
      await watching.next('notifications/tools/list_changed')
      const { tools } = (await client.ask('tools/list')).answer.result
      isListed = (tools as readonly Message[]).some(({ name }) => name === `${server}__${grown}`)
    }
    await watching.stop()
    return { isListed, acknowledged: watching.acknowledged }
  },
  async task(cell) {
    const { client } = cell
    const { result } = (await call(cell, 'job', {}, { task: true })).answer
    const { taskId } = result.task ?? result
    if (taskId === undefined) return { ...toSeen({ result }), isTask: false }
    let status = 'working'
    let task: Message
    while (status === 'working') {
      task = (await client.ask('tasks/get', { taskId }, { task: true })).answer.result
      status = task.status
    }
    const { answer } = client.speaks.shakesHands
      ? await client.ask('tasks/result', { taskId })
      : { answer: { result: task.result } }
    return { ...toSeen(answer), isTask: true, status }
  },
  async completion({ client, server }) {
    const ref = { type: 'ref/prompt', name: `${server}__greet` }
    const { answer } = await client.ask('completion/complete', { ref, argument: { name: 'who', value: 'a' } })
    return { values: answer.result.completion.values }
  },
  async structured(cell) {
    const { tools } = (await cell.client.ask('tools/list')).answer.result
    const look = async (name: string) => {
      const tool = (tools as readonly Message[]).find((one) => one.name === `${cell.server}__${name}`)
      const { result } = (await call(cell, name)).answer
      return {
        text: result.content[0].text,
        ...(result.structuredContent === undefined ? {} : { value: result.structuredContent }),
        ...(tool?.outputSchema === undefined ? {} : { schema: tool.outputSchema.type }),
      }
    }
    return { object: await look('object'), list: await look('list') }
  },
  async content(cell) {
    const { content } = (await call(cell, 'content')).answer.result
    return {
      content: content.map(({ type, text, data, uri, resource }: Message) => [
        type,
        text ?? data ?? uri ?? resource.blob,
      ]),
    }
  },
  async errors({ client, server }) {
    const uri = `matrix://${server}/item/none`
    const { error } = (await client.ask('resources/read', { uri })).answer
    const unknown = (await client.ask('tools/call', { name: `${server}__nothing`, arguments: {} })).answer
    const unsaid = (await client.ask('prompts/get', { name: `${server}__greet` })).answer
    return {
      noResource: { code: error.code, isNamed: error.data?.uri === uri },
      noTool: unknown.error?.code,
      noArgument: unsaid.error?.code,
    }
  },
  async big(cell) {
    const { text = '' } = toSeen((await call(cell, 'big')).answer)
    return { length: text.length, isWhole: text === BIG }
  },
}

/** What the tools are called that a cell makes the server register. */
const GROWN = 'grown-'

function call({ client, server }: Cell, tool: string, args: JsonObject = {}, wants: Wants = {}): Promise<Exchange> {
  return client.ask('tools/call', { name: `${server}__${tool}`, arguments: args }, wants)
}

async function question(cell: Cell, tool: string, args: JsonObject = {}, wants: Wants = {}): Promise<JsonObject> {
  const { answer, asked, requests } = await call(cell, tool, args, wants)
  return { ...toSeen(answer), asked: asked.map(({ method }) => method).sort(), requests }
}

/** The text of a result, and whether it is one of failure; or the error there is instead. */
function toSeen({ result, error }: Message): {
  readonly text?: string
  readonly isError?: true
  readonly error?: JsonObject
} {
  if (result === undefined) return { error }
  return { text: result.content[0]?.text, ...(result.isError === true ? { isError: true } : {}) }
}

function toSteps(before: readonly Message[], progressToken: string): readonly JsonObject[] {
  return before
    .filter(({ method, params }) => method === 'notifications/progress' && params.progressToken === progressToken)
    .map(({ params }) => omit(params, 'progressToken'))
}

function omit(value: JsonObject, key: string): JsonObject {
  const { [key]: _left, ...rest } = value
  return rest
}

import type { JsonObject } from '@crosspoint/mcp'
import type { Exchange, MatrixClient, Wants } from './conversation.ts'
import { isAnswerTo, type Talk, toAnswer, toCapabilities, toNext } from './talk.ts'

/** A client that opens a session, and is asked by requests. */
export async function openByHandshake(talk: Talk): Promise<MatrixClient> {
  const { speaks, wire, heard } = talk
  const notify = (method: string, params: JsonObject = {}) => talk.send({ jsonrpc: '2.0', method, params })
  let knowsTasks = false
  /** Of the last request: one is open at a time when questions come. */
  let now: Wants = {}
  talk.question = (message) => talk.send({ jsonrpc: '2.0', id: message.id, result: toAnswer(message, now) })
  const begin: MatrixClient['begin'] = (method, params = {}, wants = {}) => {
    const { progressToken, task } = wants
    now = wants
    const id = talk.nextId()
    const since = heard.got.length
    const more = {
      ...(progressToken === undefined ? {} : { _meta: { progressToken } }),
      ...(task === true && knowsTasks ? { task: { ttl: 60_000 } } : {}),
    }
    talk.send({ jsonrpc: '2.0', id, method, params: { ...params, ...more } })
    const read = async (): Promise<Exchange> => {
      const answer = await heard.until(isAnswerTo(id))
      const all = talk.of(id, since)
      const before = all.slice(0, all.indexOf(answer)).filter((message) => message.method !== undefined)
      return {
        answer,
        before: before.filter((message) => message.id === undefined),
        asked: before.filter((message) => message.id !== undefined),
        requests: 1,
      }
    }
    return {
      done: read(),
      cancel: () => notify('notifications/cancelled', { requestId: id }),
      get isAnswered() {
        return heard.got.some(isAnswerTo(id))
      },
    }
  }
  const request = async (method: string, params: JsonObject) => (await begin(method, params).done).answer
  const opened = await request('initialize', {
    protocolVersion: speaks.name,
    capabilities: toCapabilities(speaks),
    clientInfo: { name: 'matrix', version: '1' },
  })
  if (opened.result?.protocolVersion !== speaks.name) throw new Error(`Not opened: ${JSON.stringify(opened)}`)
  knowsTasks = opened.result.capabilities.tasks?.requests?.tools?.call !== undefined
  notify('notifications/initialized')
  await wire.ready?.()
  return {
    speaks,
    begin,
    async ask(method, params, wants = {}) {
      if (wants.logLevel !== undefined) await request('logging/setLevel', { level: wants.logLevel })
      return begin(method, params, wants).done
    },
    async watch({ uri }) {
      const since = heard.got.length
      if (uri !== undefined) await request('resources/subscribe', { uri })
      return {
        acknowledged: undefined,
        next: toNext(heard, since, () => true),
        async stop() {
          if (uri !== undefined) await request('resources/unsubscribe', { uri })
        },
      }
    },
    faults: talk.faults,
    close: () => wire.close(),
  }
}

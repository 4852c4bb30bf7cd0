import type { JsonObject } from '@crosspoint/mcp'
import type { Message } from '../http.ts'
import { withEnvelope } from '../wire-client.ts'
import type { Exchange, MatrixClient, Wants } from './conversation.ts'
import { isAnswerTo, type Talk, toAnswer, toCapabilities, toNext } from './talk.ts'

/** A client that says all with each request, and is asked by results. */
export function openByEnvelope(talk: Talk): MatrixClient {
  const { speaks, wire, heard } = talk
  const send = (method: string, params: JsonObject, { progressToken, logLevel, task }: Wants): string => {
    const id = talk.nextId()
    const meta = {
      [`${P}clientCapabilities`]: {
        ...toCapabilities(speaks),
        ...(task === undefined ? {} : { extensions: { [`${P}tasks`]: {} } }),
      },
      ...(progressToken === undefined ? {} : { progressToken }),
      ...(logLevel === undefined ? {} : { [`${P}logLevel`]: logLevel }),
    }
    talk.send({ jsonrpc: '2.0', id, method, params: withEnvelope(params, meta) })
    return id
  }
  const cancel = (id: string) => {
    if (wire.leave(id)) return
    talk.send({ jsonrpc: '2.0', method: 'notifications/cancelled', params: withEnvelope({ requestId: id }) })
  }
  const begin: MatrixClient['begin'] = (method, params = {}, wants = {}) => {
    let id = ''
    const read = async (): Promise<Exchange> => {
      const before: Message[] = []
      const asked: Message[] = []
      let given: JsonObject = {}
      for (let requests = 1; ; requests++) {
        const since = heard.got.length
        id = send(method, { ...params, ...given }, wants)
        const answer = await heard.until(isAnswerTo(id))
        const all = talk.of(id, since)
        before.push(...all.slice(0, all.indexOf(answer)))
        if (answer.result?.resultType !== 'input_required' || requests > 10) return { answer, before, asked, requests }
        const { inputRequests = {}, requestState } = answer.result
        const questions = Object.entries<Message>(inputRequests)
        asked.push(...questions.map(([, question]) => question))
        if (questions.some(([, { params: of }]) => of?.mode === 'url')) await wants.visit?.()
        given = {
          inputResponses: Object.fromEntries(questions.map(([key, question]) => [key, toAnswer(question, wants)])),
          ...(requestState === undefined ? {} : { requestState }),
        }
      }
    }
    return {
      done: read(),
      cancel: () => cancel(id),
      get isAnswered() {
        return heard.got.some(isAnswerTo(id))
      },
    }
  }
  return {
    speaks,
    begin,
    ask: (method, params, wants) => begin(method, params, wants).done,
    async watch({ tools, uri }) {
      const notifications = {
        ...(tools === undefined ? {} : { toolsListChanged: true }),
        ...(uri === undefined ? {} : { resourceSubscriptions: [uri] }),
      }
      const since = heard.got.length
      const id = send('subscriptions/listen', { notifications }, {})
      const next = toNext(heard, since, (message) => message.params?._meta?.[`${P}subscriptionId`] === id)
      const { params } = await next('notifications/subscriptions/acknowledged')
      return {
        acknowledged: params.notifications,
        next,
        stop: () => Promise.resolve(cancel(id)),
      }
    },
    faults: talk.faults,
    close: () => wire.close(),
  }
}

const P = 'io.modelcontextprotocol/'

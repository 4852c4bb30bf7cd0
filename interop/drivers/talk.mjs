// Stays connected with one official SDK and does what each line on stdin says, until stdin ends; the answers, and what
// the server asks and says meanwhile, are lines on stdout:
//
//   { line: 1 | 2, mode?, revision?, capabilities?, target }   the one argument, as for main.mjs
//
//   in   { id, method, args?, progress? }         calls that method of the SDK's client
//   in   { answer: question, result | error }     answers a question
//   out  { ready: { revision, era, pid? } }       `pid` of a server that the client started
//   out  { id, result } | { id, error: { code, message, data } }
//   out  { question, method, params }             the server asks; the number is for the answer
//   out  { id, progress }                         of the call with that id
//   out  { heard: { method, params } }
import { createInterface } from 'node:readline'

const ASKED_BY = { 'elicitation/create': 'elicitation', 'sampling/createMessage': 'sampling', 'roots/list': 'roots' }

const order = JSON.parse(process.argv[2])
const waiting = new Map()
let questions = 0

const say = (line) => process.stdout.write(`${JSON.stringify(line)}\n`)

const { connect } = await import(`./line-${order.line}.mjs`)
const { client, about, close, pid } = await connect(order, (unconnected, answerWith) => {
  unconnected.fallbackNotificationHandler = async ({ method, params }) => say({ heard: { method, params } })
  for (const [method, capability] of Object.entries(ASKED_BY)) {
    if (order.capabilities?.[capability] !== undefined) answerWith(method, ({ params }) => ask(method, params))
  }
})
say({ ready: { ...about, pid } })

for await (const line of createInterface({ input: process.stdin })) {
  const said = JSON.parse(line)
  if (said.answer === undefined) void act(said)
  else settle(said)
}
await close()

function ask(method, params) {
  const question = ++questions
  say({ question, method, params })
  return new Promise((resolve, reject) => waiting.set(question, { resolve, reject }))
}

function settle({ answer, result, error }) {
  const { resolve, reject } = waiting.get(answer)
  waiting.delete(answer)
  if (error === undefined) resolve(result)
  else reject(Object.assign(new Error(error.message), error))
}

async function act({ id, method, args = [], progress = false }) {
  try {
    const options = progress ? [{ onprogress: (report) => say({ id, progress: report }) }] : []
    const result = await client[method](...args, ...options)
    // A subscription is a thing of the client's own, and nothing to tell.
    say({ id, result: method === 'listen' ? {} : (result ?? {}) })
  } catch ({ code, message, data }) {
    say({ id, error: { code, message, data } })
  }
}

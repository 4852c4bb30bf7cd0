import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { NEWEST } from '@crosspoint/mcp'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import type { Running } from './child.ts'
import { type Conversation, type ConversationOptions, converse, type Speaker } from './conversation.ts'
import { type Announcement, startGateway } from './gateway.ts'
import { installed, requireInCi, root } from './installed.ts'

const EVERYTHING = `${root}/node_modules/@modelcontextprotocol/server-everything/dist/index.js`
const ASKING = `${root}/interop/peers/asking-server.mjs`

const LEGACY: Speaker = { line: 1 }
const MODERN: Speaker = { line: 2, mode: { pin: NEWEST.name } }
const DEBUG = { 'io.modelcontextprotocol/logLevel': 'debug' }

requireInCi()

/** Two clients of the era of their server, at the same time, on servers that have one pipe. */
describe.skipIf(!installed)('two clients of one server over stdio', () => {
  let folder: string
  let gateway: Running<Announcement>
  const open = new Set<Conversation>()

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'crosspoint-company-'))
    const config = join(folder, 'crosspoint.json')
    const servers = {
      everything: { command: process.execPath, args: [EVERYTHING, 'stdio'] },
      // A pipe does not say which of several calls asks: each client has one of its own.
      apart: { command: process.execPath, args: [EVERYTHING, 'stdio'], sessions: 'per-session' },
      asking: { command: process.execPath, args: [ASKING, 'stdio'] },
    }
    await writeFile(config, JSON.stringify({ servers }))
    gateway = await startGateway(config)
  }, 60_000)

  afterEach(async () => {
    await Promise.all([...open].map((conversation) => conversation.close()))
    open.clear()
  })

  afterAll(async () => {
    expect(await gateway.stop(), 'processes left behind').toEqual([])
    await rm(folder, { recursive: true, force: true })
  })

  async function begin(speaker: Speaker, options: ConversationOptions): Promise<Conversation> {
    const conversation = await converse(speaker, { url: gateway.said.url }, options)
    open.add(conversation)
    return conversation
  }

  /** A model that answers with its name, once it is told to. */
  function createModel(name: string) {
    let wake = () => {}
    const isAwake = new Promise<void>((resolve) => {
      wake = resolve
    })
    const answer = async () => {
      await isAwake
      return { role: 'assistant', model: name, content: { type: 'text', text: `I am ${name}` } }
    }
    return { wake, answer }
  }

  for (const [era, speaker, server, ask, argument] of [
    ['older', LEGACY, 'everything', 'trigger-sampling-request', { prompt: 'Who are you?' }],
    ['newest', MODERN, 'asking', 'ask_model', {}],
  ] as const) {
    test(`of the ${era} revision get what they declared, and hear nothing of each other`, async () => {
      const model = createModel('Ada')
      const [able, plain] = await Promise.all([
        begin(speaker, { capabilities: { sampling: {} }, answer: model.answer }),
        begin(speaker, {}),
      ])
      const answered = able.text(`${server}__${ask}`, argument)
      await able.until('question', () => able.questions.length > 0)

      const refused = await plain.call(`${server}__${ask}`, argument).catch((error: unknown) => error)
      expect(JSON.stringify(refused)).toMatch(/"isError":true|"code":-32021/)
      if (server === 'everything') {
        await plain.act('setLoggingLevel', 'debug')
        await plain.text('everything__trigger-long-running-operation', { duration: 0.2, steps: 4 })
        await plain.text('everything__toggle-simulated-logging')
        await plain.text('everything__toggle-simulated-logging')
      } else await plain.text('asking__report', {}, DEBUG)
      await plain.until('log message', () => plain.heard.length > 0)
      expect(plain.progress.slice(0, 2)).toEqual([1, 2])

      model.wake()
      expect(await answered).toContain('I am Ada')
      expect(able.questions.map(({ method }) => method)).toEqual(['sampling/createMessage'])
      expect(able.heard).toEqual([])
      expect(plain.questions).toEqual([])
    })

    test(`of the ${era} revision that can do the same are asked each what its own call needs`, async () => {
      const [ada, bob] = [createModel('Ada'), createModel('Bob')]
      const [one, two] = await Promise.all([
        begin(speaker, { capabilities: { sampling: {} }, answer: ada.answer }),
        begin(speaker, { capabilities: { sampling: {} }, answer: bob.answer }),
      ])
      const name = `${server === 'everything' ? 'apart' : server}__${ask}`
      const first = one.text(name, argument)
      await one.until('question', () => one.questions.length > 0)
      const second = two.text(name, argument)
      await two.until('question', () => two.questions.length > 0)
      bob.wake()
      ada.wake()
      expect(await Promise.all([first, second])).toEqual([
        expect.stringContaining('I am Ada'),
        expect.stringContaining('I am Bob'),
      ])
    })
  }
})

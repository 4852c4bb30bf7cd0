import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { HANDSHAKE_REVISIONS, NEWEST } from '@crosspoint/mcp'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import type { Running } from './child.ts'
import type { Target } from './clients.ts'
import { type Conversation, type ConversationOptions, converse, type Question, type Speaker } from './conversation.ts'
import { type Announcement, startGateway, startServer } from './gateway.ts'
import { installed, requireInCi, root } from './installed.ts'

const EVERYTHING = `${root}/node_modules/@modelcontextprotocol/server-everything/dist/index.js`
const ASKING = `${root}/interop/peers/asking-server.mjs`
const LOOPBACK = ['--import', `${root}/interop/peers/loopback.mjs`]

const MODERN: Speaker = { line: 2, mode: { pin: NEWEST.name } }
/** As far as its revision has words for it. */
const ABLE = { elicitation: { form: {}, url: {} }, sampling: {}, roots: { listChanged: true } }
const HOME = { uri: 'file:///home/ada', name: 'Home' }
const DEBUG = { 'io.modelcontextprotocol/logLevel': 'debug' }

requireInCi()

/** Clients and servers of other makers and different eras, and all that is said between question and answer. */
describe.skipIf(!installed)('a client on an official SDK through the gateway', () => {
  let folder: string
  let gateway: Running<Announcement>
  const servers: Running<string>[] = []
  const open = new Set<Conversation>()

  beforeAll(async () => {
    const [everything, asking] = await Promise.all([
      startServer([...LOOPBACK, EVERYTHING, 'streamableHttp'], { PORT: '0' }),
      startServer([ASKING, 'http']),
    ])
    servers.push(everything, asking)
    folder = await mkdtemp(join(tmpdir(), 'crosspoint-crossing-'))
    const config = join(folder, 'crosspoint.json')
    const upstreams = {
      pipe: { command: process.execPath, args: [EVERYTHING, 'stdio'] },
      http: { url: everything.said },
      asking: { url: asking.said },
      asking_pipe: { command: process.execPath, args: [ASKING, 'stdio'] },
    }
    await writeFile(config, JSON.stringify({ servers: upstreams }))
    gateway = await startGateway(config)
  }, 60_000)

  afterEach(async () => {
    await Promise.all([...open].map((conversation) => conversation.close()))
    open.clear()
  })

  afterAll(async () => {
    expect(await gateway.stop(), 'processes left behind').toEqual([])
    await Promise.all(servers.map((server) => server.stop()))
    await rm(folder, { recursive: true, force: true })
  })

  async function begin(speaker: Speaker, options: ConversationOptions, transport?: 'sse') {
    const { url } = gateway.said
    const target: Target = transport === 'sse' ? { url: url.replace('/mcp', '/sse'), transport } : { url }
    const conversation = await converse(speaker, target, options)
    open.add(conversation)
    return conversation
  }

  describe.each([
    ['over stdio', 'pipe', 'demo://resource/static/document/architecture.md'],
    ['over HTTP', 'http', 'crosspoint:http/demo://resource/static/document/architecture.md'],
  ])(`of ${NEWEST.name} with server-everything %s`, (_, server, resource) => {
    const tool = (name: string) => `${server}__${name}`

    test('answers its questions', async () => {
      const client = await begin(MODERN, { capabilities: ABLE, answer: agree })
      // The very first call of a session that nobody has used.
      expect(await client.text(tool('trigger-elicitation-request'))).toContain('- Name: Ada')
      expect(await client.text(tool('trigger-sampling-request'), { prompt: '6 x 7' })).toContain('forty-two')
      const url = 'https://example.com/sign-in'
      expect(await client.text(tool('trigger-url-elicitation'), { url })).toContain(
        'User completed the URL elicitation',
      )
      expect(await client.text(tool('get-roots-list'))).toContain(`1. ${HOME.name}\n   URI: ${HOME.uri}`)
      // It asks for roots of its own accord as well.
      const [form, model, page, ...roots] = [...client.questions].sort((one, two) => rank(one) - rank(two))
      expect(form?.params.requestedSchema).toMatchObject({
        properties: { legacyTitledEnum: { enumNames: expect.any(Array) } },
      })
      expect(model?.params).toMatchObject({ maxTokens: 100, systemPrompt: expect.any(String) })
      expect(page?.params).toMatchObject({ mode: 'url', url })
      expect(new Set(roots.map(({ method }) => method))).toEqual(new Set(['roots/list']))
    })

    test('says no, and closes a form, which the tool hears', async () => {
      const actions = ['decline', 'cancel', 'decline']
      const client = await begin(MODERN, {
        capabilities: { elicitation: ABLE.elicitation },
        answer: () => ({ action: actions.shift() }),
      })
      expect(await client.text(tool('trigger-elicitation-request'))).toContain('User declined')
      expect(await client.text(tool('trigger-elicitation-request'))).toContain('User cancelled')
      const url = 'https://example.com/'
      expect(await client.text(tool('trigger-url-elicitation'), { url })).toContain('User declined')
    })

    test('hears progress, and updates of what it listens to', async () => {
      const client = await begin(MODERN, {})
      const name = tool('trigger-long-running-operation')
      expect(await client.text(name, { duration: 0.2, steps: 4 })).toContain('completed')
      // The SDK hands reports on later than answers, and drops the last where both arrive at once.
      expect(client.progress.slice(0, 3)).toEqual([1, 2, 3])
      await client.act('listen', { resourceSubscriptions: [resource] })
      await client.text(tool('toggle-subscriber-updates'))
      const updated = () => client.heard.filter(({ method }) => method === 'notifications/resources/updated')
      await client.until('update', () => updated().length > 0)
      await client.text(tool('toggle-subscriber-updates'))
      expect(updated()[0]?.params).toMatchObject({ uri: resource })
    })

    test('is told by a tool that it is not offered what it cannot be asked', async () => {
      const client = await begin(MODERN, { capabilities: { roots: {} }, answer: agree })
      const refused = await client.call(tool('trigger-sampling-request'), { prompt: 'any' })
      expect(refused).toMatchObject({ isError: true, content: [{ text: expect.stringContaining('only roots') }] })
      expect(await client.text(tool('get-roots-list'))).toContain(HOME.uri)
    })
  })

  test(`of ${NEWEST.name} hears what server-everything logs to the call over stdio, if it wants to`, async () => {
    const client = await begin(MODERN, {})
    const logs = () => client.heard.filter(({ method }) => method === 'notifications/message')
    await client.text('pipe__toggle-simulated-logging', {}, DEBUG)
    await client.until('log message', () => logs().length === 1)
    await client.text('pipe__toggle-simulated-logging', {}, DEBUG)
    await client.text('pipe__toggle-simulated-logging')
    await client.text('pipe__toggle-simulated-logging')
    expect(logs()).toHaveLength(1)
  })

  test(`of ${NEWEST.name} waits for pages and tasks of server-everything, and answers what comes up meanwhile`, async () => {
    const client = await begin(MODERN, { capabilities: ABLE, answer: agree })
    const url = 'https://example.com/needed'
    const texts = await Promise.all([
      client.text('pipe__trigger-url-elicitation', { url: `${url}/1`, errorPath: true }),
      client.text('http__trigger-url-elicitation', { url: `${url}/2`, errorPath: true }),
      client.text('http__simulate-research-query', { topic: 'python', ambiguous: true }),
    ])
    expect(texts).toEqual([
      expect.stringContaining('User completed'),
      expect.stringContaining('User completed'),
      expect.stringContaining('**Clarification**: programming'),
    ])
    // The call was refused until the first page was open, and was made again without the caller.
    const pages = client.questions.flatMap((question) => (question.params.mode === 'url' ? [question.params.url] : []))
    const first = 'https://modelcontextprotocol.io'
    expect(pages.sort()).toEqual([`${url}/1`, `${url}/2`, first, first])
  })

  for (const { name: revision, traits } of HANDSHAKE_REVISIONS) {
    const transport = traits.http === 'streamable' ? undefined : 'sse'
    const has = { forms: revision >= '2025-06-18', pages: revision >= '2025-11-25' }

    test(`of ${revision} answers what servers of ${NEWEST.name} ask`, async () => {
      const client = await begin({ line: 1, revision }, { capabilities: ABLE, answer: agree }, transport)
      expect(client.revision).toBe(revision)
      const said = async (name: string) => JSON.parse(await client.text(name))
      const refused = async (name: string) => expect(await client.call(name)).toMatchObject({ isError: true })
      for (const server of ['asking', 'asking_pipe']) {
        expect(await said(`${server}__ask_model`)).toMatchObject({ result: { content: { text: 'forty-two' } } })
        expect(await said(`${server}__ask_folders`)).toMatchObject({ roots: [HOME] })
        if (has.pages) expect(await said(`${server}__ask_page`)).toMatchObject({ action: 'accept' })
        else await refused(`${server}__ask_page`)
        if (has.forms) {
          expect(await said(`${server}__ask_form`)).toMatchObject({ action: 'accept', content: { name: 'Ada' } })
          const rounds = await said(`${server}__ask_rounds`)
          expect(rounds).toEqual({ round: 3, who: 'Ada', model: 'forty-two', folders: [HOME.uri] })
        } else {
          await refused(`${server}__ask_form`)
          await refused(`${server}__ask_rounds`)
        }
      }
    })

    test(`of ${revision} hears what servers of ${NEWEST.name} say`, async () => {
      const client = await begin({ line: 1, revision }, {}, transport)
      const heard = (method: string) => client.heard.filter((one) => one.method === method)
      const count = (method: string, wanted: number) =>
        client.until(`${method} number ${wanted}`, () => heard(method).length === wanted)
      await client.act('setLoggingLevel', 'warning')
      for (const [index, [server, uri]] of [
        ['asking', 'note://kept'] as const,
        ['asking_pipe', 'crosspoint:asking_pipe/note://kept'] as const,
      ].entries()) {
        await client.text(`${server}__report`)
        expect(client.progress.splice(0).slice(0, 2)).toEqual([1, 2])
        await client.act('subscribeResource', { uri })
        await client.text(`${server}__touch`)
        await count('notifications/resources/updated', index + 1)
        expect(heard('notifications/resources/updated').at(-1)?.params.uri).toBe(uri)
        await client.text(`${server}__grow`)
        await count('notifications/tools/list_changed', index + 1)
        // The SDK has read it as a list of tools.
        const { tools } = (await client.act('listTools')) as { readonly tools: readonly { readonly name: string }[] }
        const grown = tools.find(({ name }) => name.startsWith(`${server}__new_`))
        expect(await client.text(String(grown?.name))).toBe('"new"')
      }
      expect(heard('notifications/message').map(({ params }) => params.data)).toEqual(['a warning', 'a warning'])
    })
  }
})

const ORDER = ['elicitation/create', 'sampling/createMessage', 'url', 'roots/list']

function rank({ method, params }: Question): number {
  return ORDER.indexOf(params.mode === 'url' ? 'url' : method)
}

/** A person who agrees, with a model that knows one answer. */
function agree({ method, params }: Question): unknown {
  if (method === 'roots/list') return { roots: [HOME] }
  if (method === 'sampling/createMessage') {
    return { role: 'assistant', model: 'small', content: { type: 'text', text: 'forty-two' }, stopReason: 'endTurn' }
  }
  if (params.mode === 'url') return { action: 'accept' }
  const isTopic = String(params.message).includes('python')
  return { action: 'accept', content: isTopic ? { interpretation: 'programming' } : { name: 'Ada' } }
}

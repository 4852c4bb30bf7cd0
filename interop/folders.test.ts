import { mkdir, mkdtemp, realpath, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { NEWEST } from '@crosspoint/mcp'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import type { Running } from './child.ts'
import { type Conversation, type ConversationOptions, converse, type Speaker } from './conversation.ts'
import { type Announcement, CROSSPOINT, startGateway } from './gateway.ts'
import { installed, requireInCi, root } from './installed.ts'

const FILES = `${root}/node_modules/@modelcontextprotocol/server-filesystem/dist/index.js`

const CLIENTS: readonly (readonly [name: string, speaker: Speaker])[] = [
  ['SDK v1', { line: 1 }],
  [`SDK v2 pinned to ${NEWEST.name}`, { line: 2, mode: { pin: NEWEST.name } }],
]

requireInCi()

/** A server that asks for roots right after the handshake, before any call, and works in nothing else from then on. */
describe.skipIf(!installed)('server-filesystem behind the gateway', () => {
  let home: string
  let config: string
  let gateway: Running<Announcement>
  const open = new Set<Conversation>()
  const folder = (name: string) => join(home, name)

  beforeAll(async () => {
    home = await realpath(await mkdtemp(join(tmpdir(), 'crosspoint-folders-')))
    for (const name of ['told', 'configured', 'ada']) {
      await mkdir(folder(name))
      await writeFile(join(folder(name), 'note.txt'), `of ${name}`)
    }
    const command = process.execPath
    const servers = {
      told: { command, args: [FILES, folder('told')] },
      configured: { command, args: [FILES, folder('told')], roots: [pathToFileURL(folder('configured')).href] },
    }
    config = join(home, 'crosspoint.json')
    await writeFile(config, JSON.stringify({ servers }))
    gateway = await startGateway(config)
  }, 60_000)

  afterEach(async () => {
    await Promise.all([...open].map((conversation) => conversation.close()))
    open.clear()
  })

  afterAll(async () => {
    expect(await gateway.stop(), 'processes left behind').toEqual([])
    await rm(home, { recursive: true, force: true })
  })

  async function begin(speaker: Speaker, options: ConversationOptions, isAlone = false): Promise<Conversation> {
    const stdio = { command: process.execPath, args: [CROSSPOINT, 'stdio', '--config', config] }
    const conversation = await converse(speaker, isAlone ? stdio : { url: gateway.said.url }, options)
    open.add(conversation)
    return conversation
  }

  /** Who declares the same shares what a server learnt, so that each line of the SDK declares something of its own. */
  const withRoots = ({ line }: Speaker): ConversationOptions => ({
    capabilities: { roots: { listChanged: true }, ...(line === 1 ? {} : { sampling: {} }) },
    answer: () => ({ roots: [{ uri: pathToFileURL(folder('ada')).href, name: 'Ada' }] }),
  })
  const allowed = async (client: Conversation, server: string) =>
    (await client.text(`${server}__list_allowed_directories`)).split('\n').slice(1)
  const reads = async (client: Conversation, server: string, name: string) => {
    const path = join(folder(name), 'note.txt')
    const { content, isError } = await client.call(`${server}__read_text_file`, { path })
    return isError === true ? 'refused' : content[0]?.text
  }

  for (const [name, speaker] of CLIENTS) {
    for (const isAlone of [false, true]) {
      const where = isAlone ? 'over stdio' : 'over HTTP'
      test(`works in the folders of ${name} from its first call on ${where}`, async () => {
        const client = await begin(speaker, withRoots(speaker), isAlone)
        expect(await allowed(client, 'told')).toEqual([folder('ada')])
        expect(await reads(client, 'told', 'ada')).toBe('of ada')
        expect(await reads(client, 'told', 'told')).toBe('refused')
        expect(client.questions).toEqual([{ method: 'roots/list', params: expect.anything() }])
        // The configuration has the first word about what is asked before any call.
        expect(await allowed(client, 'configured')).toEqual([folder('configured')])
        expect(client.questions).toHaveLength(1)
      })

      // One of each says it for all: nothing is asked there.
      if (isAlone === (speaker.line === 2)) continue
      test(`works where it was told to for ${name} without roots ${where}`, async () => {
        const client = await begin(speaker, {}, isAlone)
        for (const server of ['told', 'configured']) {
          expect(await allowed(client, server)).toEqual([folder('told')])
          expect(await reads(client, server, 'ada')).toBe('refused')
          expect(await reads(client, server, 'told')).toBe('of told')
        }
      })
    }
  }
})

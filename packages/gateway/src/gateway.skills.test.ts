import { type JsonObject, SKILLS } from '@crosspoint/mcp'
import { type Client, connect } from '@crosspoint/mcp/client'
import { createServer } from '@crosspoint/mcp/server'
import { openHttpDoor } from '@crosspoint/mcp/transports'
import { expect, onTestFinished, test } from 'vitest'
import { parseConfig } from './config/parse.ts'
import { openFrontDoor } from './front/door.ts'
import { createGateway } from './gateway.ts'

/** A server with these skills, each with a file in a folder whose text is the server's name. */
async function openServer(name: string, skills: readonly string[], revisions?: readonly string[]): Promise<string> {
  const server = createServer({ name, version: '1', ...(revisions === undefined ? {} : { revisions }) })
  server.tool('plain', {}, () => 'plain')
  for (const path of skills) {
    const own = path.slice(path.lastIndexOf('/') + 1)
    server.skill(path, {
      files: {
        'SKILL.md': `---\nname: ${own}\ndescription: Of ${name}.\n---\n`,
        'more/text.md': `of ${name} \u2713\r\n`,
      },
    })
  }
  const door = await openHttpDoor({ endpoint: () => server.endpoint })
  onTestFinished(async () => {
    server.close()
    await door.close({ drainMs: 0 })
  })
  return `${door.url}/mcp`
}

async function openHouse(servers: Readonly<Record<string, string>>, more: JsonObject = {}): Promise<string> {
  const urls = Object.fromEntries(Object.entries(servers).map(([name, url]) => [name, { url }]))
  const { config } = parseConfig(JSON.stringify({ servers: urls, ...more }), { path: 'crosspoint.json' })
  const gateway = createGateway({ config, info: { name: 'gateway', version: '1' }, settleMs: 60_000 })
  await gateway.start()
  const door = await openFrontDoor(gateway)
  onTestFinished(async () => {
    await door.close({ drainMs: 0 })
    await gateway.close({ graceMs: 0 })
  })
  return door.url
}

async function connectTo(url: string, revision?: '2025-11-25'): Promise<Client> {
  const client = await connect(url, revision === undefined ? {} : { revision })
  onTestFinished(() => client.close())
  return client
}

test('skills of one server are, byte for byte, what they are at that server', async () => {
  const direct = await openServer('one', ['greeting', 'office/farewell'])
  const there = await connectTo(direct)
  const here = await connectTo(await openHouse({ one: direct }))
  const bare = ({ skills }: JsonObject) => JSON.stringify(skills)
  expect(bare(await here.request('skills/list'))).toBe(bare(await there.request('skills/list')))
  const uri = 'skill://office/farewell/SKILL.md'
  expect(JSON.stringify(await here.getSkill(uri))).toBe(JSON.stringify(await there.getSkill(uri)))
  for (const folder of ['skill://greeting', 'skill://office', 'skill://greeting/more']) {
    const listed = await here.readDirectory(folder).all()
    expect(listed).toEqual(await there.readDirectory(folder).all())
    expect(listed.length).toBeGreaterThan(0)
  }
})

test('skills of several servers are one list, and each is read from its own server, also where two have one URI', async () => {
  const one = await openServer('one', ['greeting'])
  const two = await openServer('two', ['greeting', 'greeting/inner', 'other'])
  const client = await connectTo(await openHouse({ one, two }))
  const skills = await client.listSkills().all()
  expect(skills.map(({ uri }) => uri)).toEqual([
    'skill://greeting/SKILL.md',
    'crosspoint:two/skill://greeting/SKILL.md',
    'skill://greeting/inner/SKILL.md',
    'skill://other/SKILL.md',
  ])
  const whose = ['one', 'two', 'two', 'two']
  for (const [at, skill] of skills.entries()) {
    const loaded = await client.loadSkill(skill)
    expect(loaded.isVerified).toBe(true)
    expect((await loaded.read('more/text.md')).text).toBe(`of ${whose[at]} \u2713\r\n`)
    expect(await client.getSkill(skill.uri)).toEqual(skill)
    const folder = skill.uri.slice(0, -'/SKILL.md'.length)
    expect((await client.readDirectory(folder).all()).map(({ uri }) => uri)).toContain(`${folder}/more`)
  }
})

test('skills are offered where a server has them, to clients whose revision has them', async () => {
  const one = await openServer('one', ['greeting'])
  const none = await openServer('none', [])
  const url = await openHouse({ one, none })
  const client = await connectTo(url)
  expect(client.connection.capabilities.extensions).toEqual({ [SKILLS]: { directoryRead: true } })
  const older = await connectTo(url, '2025-11-25')
  expect(older.connection.capabilities.extensions).toBeUndefined()
  // Their files are resources there, too.
  expect((await older.listResources().all()).map(({ uri }) => uri)).toContain('skill://greeting/SKILL.md')
  const without = await connectTo(await openHouse({ none }))
  expect(without.connection.capabilities.extensions).toBeUndefined()
  await expect(without.request('skills/list')).rejects.toMatchObject({ rpc: { code: -32601 } })
})

test('what a view does not show of resources it does not show of skills', async () => {
  const one = await openServer('one', ['greeting', 'secret'])
  const views = { open: { resources: { exclude: ['skill://secret/*'] } } }
  const client = await connectTo(`${await openHouse({ one }, { views })}/open`)
  expect((await client.listSkills().all()).map(({ uri }) => uri)).toEqual(['skill://greeting/SKILL.md'])
  const uri = 'skill://secret/SKILL.md'
  await expect(client.getSkill(uri)).rejects.toMatchObject({ rpc: { code: -32602 } })
  await expect(client.readResource(uri)).rejects.toThrow()
})

test('a skill that nobody has and a folder that is none are refused by name', async () => {
  const client = await connectTo(await openHouse({ one: await openServer('one', ['greeting']) }))
  await expect(client.getSkill('skill://none/SKILL.md')).rejects.toMatchObject({ rpc: { code: -32602 } })
  await expect(client.readDirectory('none://at/all').all()).rejects.toMatchObject({ rpc: { code: -32602 } })
})

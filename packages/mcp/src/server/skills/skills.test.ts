import { createHash } from 'node:crypto'
import fc from 'fast-check'
import { afterEach, describe, expect, it } from 'vitest'
import type { JsonObject } from '../../jsonrpc/frame.ts'
import type { Principal, Result } from '../../protocol/call.ts'
import { SKILLS } from '../../protocol/extensions.ts'
import type { Skill } from '../../protocol/features/skills.ts'
import { toCall } from '../../protocol/fixtures/calls.ts'
import { REVISIONS } from '../../revisions/index.ts'
import { type TestClient, type TestClientOptions, testClient } from '../../testing/index.ts'
import { createServer, type Server, type ServerOptions } from '../index.ts'

const open: TestClient[] = []
afterEach(async () => {
  for (const client of open.splice(0)) await client.close()
})

async function connected(server: Server, options?: TestClientOptions): Promise<TestClient> {
  const client = await testClient(server, options)
  open.push(client)
  return client
}

/** Straight to the server: what a caller of the newest revision gets, before the edge. */
function ask(server: Server, method: string, params: JsonObject = {}, principal?: Principal): Promise<Result> {
  return server.endpoint.handle(toCall(method, params, principal === undefined ? {} : { principal }))
}

const manifest = (name: string) => `---\nname: ${name}\ndescription: About ${name}\nlicense: MIT\n---\n# ${name}\n`

const FILES = {
  'SKILL.md': manifest('refunds'),
  'policy.md': 'Within 30 days.',
  'templates/a b.txt': 'spaced',
  'templates/deep/x.bin': new Uint8Array([255, 0, 1]),
}

function fixture(options: Partial<ServerOptions> = {}): Server {
  const server = createServer({ name: 's', version: '1', ...options })
  server.skill('billing/refunds', { files: FILES })
  server.skill('reports', { files: { 'SKILL.md': manifest('reports') } })
  return server
}

describe('a server with skills', () => {
  it('announces them, and resources', async () => {
    const { capabilities } = await (await connected(fixture())).discover()
    expect(capabilities).toMatchObject({ resources: {}, extensions: { [SKILLS]: { directoryRead: true } } })
  })

  it('lists each whole: frontmatter, and every file with its digest and size', async () => {
    const { skills } = (await ask(fixture(), 'skills/list')) as Result & { skills: Skill[] }
    const [refunds] = skills
    expect(skills.map(({ uri }) => uri)).toEqual(['skill://billing/refunds/SKILL.md', 'skill://reports/SKILL.md'])
    expect(refunds?.frontmatter).toEqual({ name: 'refunds', description: 'About refunds', license: 'MIT' })
    expect(refunds?.resources).toEqual(
      Object.entries(FILES).map(([path, content]) => ({
        uri: `skill://billing/refunds/${path.replace(' ', '%20')}`,
        digest: `sha256:${createHash('sha256').update(content).digest('hex')}`,
        size: content.length,
      })),
    )
    expect(await ask(fixture(), 'skills/get', { uri: refunds?.uri })).toEqual({ skill: refunds })
  })

  it('pages them, never an entry in two', async () => {
    const server = fixture({ pageSize: 1 })
    const first = await ask(server, 'skills/list')
    const second = await ask(server, 'skills/list', { cursor: first.nextCursor })
    expect([first.skills, second.skills].map((page) => (page as Skill[]).length)).toEqual([1, 1])
    expect(second.nextCursor).toBeUndefined()
  })

  it('reads every file listed, as the digest says', async () => {
    const server = fixture()
    const client = await connected(server)
    const { skills } = (await ask(server, 'skills/list')) as Result & { skills: Skill[] }
    for (const { resources } of skills) {
      if (resources === 'dynamic') continue
      for (const { uri, digest } of resources) {
        const [contents] = (await client.readResource(uri)).contents
        const bytes = contents?.text === undefined ? Buffer.from(contents?.blob ?? '', 'base64') : contents.text
        expect(`sha256:${createHash('sha256').update(bytes).digest('hex')}`, uri).toBe(digest)
      }
    }
  })

  it('shows the children of a folder: of a skill, inside of one, and above', async () => {
    const server = fixture()
    const children = async (uri: string) =>
      ((await ask(server, 'resources/directory/read', { uri })).resources as JsonObject[]).map(({ name, mimeType }) => [
        name,
        mimeType,
      ])
    expect(await children('skill://billing/refunds')).toEqual([
      ['SKILL.md', 'text/markdown'],
      ['policy.md', 'text/markdown'],
      ['templates', 'inode/directory'],
    ])
    expect(await children('skill://billing/refunds/templates')).toEqual([
      ['a b.txt', 'text/plain'],
      ['deep', 'inode/directory'],
    ])
    expect(await children('skill://billing')).toEqual([['refunds', 'inode/directory']])
  })

  it('pages a folder', async () => {
    const server = fixture({ pageSize: 2 })
    const uri = 'skill://billing/refunds'
    const first = await ask(server, 'resources/directory/read', { uri })
    const second = await ask(server, 'resources/directory/read', { uri, cursor: first.nextCursor })
    expect([first.resources, second.resources].flat()).toHaveLength(3)
    expect(second.nextCursor).toBeUndefined()
    for (const cursor of ['', '-1', '01', '9', 1, 'x']) {
      await expect(ask(server, 'resources/directory/read', { uri, cursor })).rejects.toMatchObject({
        code: 'caller.invalid_params',
      })
    }
  })

  it.each([
    ['skills/get', 'skill://nothing/SKILL.md'],
    ['skills/get', 'skill://billing/refunds'],
    ['skills/get', 'skill://billing/refunds/policy.md'],
    ['resources/directory/read', 'skill://nothing'],
    ['resources/directory/read', 'skill://billing/refunds/SKILL.md'],
    ['resources/directory/read', 'skill://billing/refunds/'],
    ['resources/directory/read', undefined],
  ])('answers %s of %s with an error', async (method, uri) => {
    await expect(ask(fixture(), method, { uri })).rejects.toMatchObject({ code: 'caller.invalid_params' })
  })

  it('lets a skill be watched, and says when skills changed', async () => {
    const server = fixture()
    const client = await connected(server)
    const uri = 'skill://billing/refunds/policy.md'
    const listening = client.listen({ resourcesListChanged: true, resourceSubscriptions: [uri] })
    expect(await listening.acknowledged).toEqual({ resourcesListChanged: true, resourceSubscriptions: [uri] })
    server.skill('new', { files: { 'SKILL.md': manifest('new') } })
    for await (const { method } of listening) {
      expect(method).toBe('notifications/resources/list_changed')
      break
    }
  })

  it('answers nothing of them without any', async () => {
    const server = createServer({ name: 's', version: '1' })
    for (const method of ['skills/list', 'skills/get', 'resources/directory/read']) {
      await expect(ask(server, method)).rejects.toMatchObject({ code: 'caller.unknown_method' })
    }
  })
})

describe.each(REVISIONS.map(({ name, traits }) => [name, traits] as const))('to a caller of %s', (revision, traits) => {
  it('SKILL.md is a resource, listed and read, and the other files are read', async () => {
    const client = await connected(fixture(), { revision })
    expect(await client.listResources().all()).toMatchObject([
      {
        uri: 'skill://billing/refunds/SKILL.md',
        name: 'refunds',
        description: 'About refunds',
        mimeType: 'text/markdown',
      },
      { name: 'reports' },
    ])
    expect(await client.readResource('skill://billing/refunds/SKILL.md')).toMatchObject({
      contents: [{ mimeType: 'text/markdown', text: manifest('refunds') }],
    })
    expect(await client.readResource('skill://billing/refunds/templates/deep/x.bin')).toMatchObject({
      contents: [{ mimeType: 'application/octet-stream', blob: '/wAB' }],
    })
    const { extensions } = (await client.discover()).capabilities
    expect(extensions?.[SKILLS] !== undefined).toBe(traits.lifecycle === 'envelope')
  })
})

describe('abuse-38: no URI leads out of a skill', () => {
  const server = fixture()
  const paths = fc.array(
    fc.constantFrom('..', '.', '%2e%2e', '%252e%252e', '%2F', '\\', '', 'templates', 'SKILL.md', 'etc', 'passwd', '\0'),
    { maxLength: 6 },
  )

  it('only a URI that is listed is read', async () => {
    const { skills } = (await ask(server, 'skills/list')) as Result & { skills: Skill[] }
    const listed = new Set(
      skills.flatMap(({ resources }) => (resources === 'dynamic' ? [] : resources)).map((r) => r.uri),
    )
    await fc.assert(
      fc.asyncProperty(
        fc.constantFrom('skill://billing/refunds/', 'skill://', 'skill:///', 'file:///'),
        paths,
        async (root, path) => {
          const uri = root + path.join('/')
          const read = await ask(server, 'resources/read', { uri }).catch((error: unknown) => error)
          if (!listed.has(uri)) expect(read).toMatchObject({ code: 'caller.resource_not_found' })
        },
      ),
    )
  })

  it.each(['../x.md', '/x.md', 'a/../../x.md', 'a//x.md', './x.md', 'a\\x.md', 'a\0.md', ''])(
    'refuses to serve a file at %j',
    (path) => {
      const files = { 'SKILL.md': manifest('x'), [path]: 'text' }
      expect(() => createServer({ name: 's', version: '1' }).skill('x', { files })).toThrow('lead down from the folder')
    },
  )
})

describe('a skill that no host would accept is refused', () => {
  const server = createServer({ name: 's', version: '1' })
  const withManifest = (text: string) => () => server.skill('x', { files: { 'SKILL.md': text } })

  it.each([
    ['without a SKILL.md', () => server.skill('x', { files: {} }), 'it has no file "SKILL.md"'],
    ['without frontmatter', withManifest('# Title'), 'has to begin with frontmatter'],
    ['with another name', withManifest(manifest('y')), 'says the name "y", and its folder is "x"'],
    ['without a description', withManifest('---\nname: x\n---\n'), 'no "description"'],
    ['with YAML we do not read', withManifest('---\nname: x\ndescription: &a b\n---\n'), 'line 2'],
    ['with a list for frontmatter', withManifest('---\n- a\n---\n'), 'no mapping'],
    ['with a bad name', () => server.skill('X_y', { files: { 'SKILL.md': manifest('X_y') } }), 'lower-case letters'],
    ['at a bad path', () => server.skill('../x', { files: { 'SKILL.md': manifest('x') } }), 'lead down'],
    [
      'with too many files',
      () =>
        server.skill('x', {
          files: {
            'SKILL.md': manifest('x'),
            ...Object.fromEntries(Array.from({ length: 512 }, (_, at) => [`${at}.md`, ''])),
          },
        }),
      'at most 512 work',
    ],
    [
      'with too many bytes',
      () => server.skill('x', { files: { 'SKILL.md': manifest('x'), big: new Uint8Array(16 * 1024 * 1024) } }),
      'at most 16777216 work',
    ],
  ])('%s', async (_, register, message) => {
    expect(register).toThrow(message)
    await expect(server.endpoint.handle(toCall('resources/list'))).rejects.toMatchObject({
      code: 'caller.unknown_method',
    })
  })

  it('unless its frontmatter is given, read by somebody who knows all of YAML', async () => {
    const frontmatter = { name: 'x', description: 'b', more: ['b'] }
    server.skill('x', { files: { 'SKILL.md': '---\nname: x\ndescription: &a b\nmore: [*a]\n---\n' }, frontmatter })
    expect(await ask(server, 'skills/list')).toMatchObject({ skills: [{ frontmatter }] })
  })
})

describe('a registered skill', () => {
  it('changes, goes and comes back, everywhere at once', async () => {
    const server = createServer({ name: 's', version: '1' })
    const skill = server.skill('x', { files: { 'SKILL.md': manifest('x'), 'a.md': 'old' } })
    const state = async () => ({
      skills: ((await ask(server, 'skills/list')).skills as Skill[]).map(({ resources }) => resources.length),
      listed: ((await ask(server, 'resources/list')).resources as JsonObject[]).map(({ description }) => description),
    })
    expect(await state()).toEqual({ skills: [2], listed: ['About x'] })
    skill.update({ files: { 'SKILL.md': manifest('x').replace('About', 'All about') } })
    expect(await state()).toEqual({ skills: [1], listed: ['All about x'] })
    await expect(ask(server, 'resources/read', { uri: 'skill://x/a.md' })).rejects.toThrow('No resource')
    expect(await ask(server, 'resources/read', { uri: 'skill://x/SKILL.md' })).toMatchObject({
      contents: [{ text: expect.stringContaining('All about') }],
    })
    skill.disable()
    expect([skill.enabled, await state()]).toEqual([false, { skills: [], listed: [] }])
    skill.enable()
    skill.remove()
    expect(await state()).toEqual({ skills: [], listed: [] })
    server.skill('x', { files: { 'SKILL.md': manifest('x') } })
    expect(await state()).toEqual({ skills: [1], listed: ['About x'] })
  })

  it('inside of another is hidden whole too, and the other way round', async () => {
    const ada = { id: 'ada', tenant: 't' }
    const bob = { id: 'bob', tenant: 't' }
    const isAda = ({ id }: Principal) => id === 'ada'
    const server = createServer({ name: 's', version: '1' })
    const inner = { 'SKILL.md': manifest('inner'), 'x/secret.md': 's' }
    const innerInOuter = Object.fromEntries(Object.entries(inner).map(([path, text]) => [`inner/${path}`, text]))
    for (const [name, outerRule, innerRule] of [
      ['open', undefined, isAda],
      ['shut', isAda, undefined],
    ] as const) {
      const toRule = (access: typeof isAda | undefined) => (access === undefined ? {} : { access })
      server.skill(name, { ...toRule(outerRule), files: { 'SKILL.md': manifest(name), 'a.md': 'a', ...innerInOuter } })
      server.skill(`${name}/inner`, { ...toRule(innerRule), files: inner })
    }
    const seen = async (principal: Principal) => {
      const { skills } = (await ask(server, 'skills/list', {}, principal)) as Result & { skills: Skill[] }
      const listed = new Set(
        skills.flatMap(({ resources }) => (Array.isArray(resources) ? resources : [])).map(({ uri }) => uri),
      )
      const read = []
      for (const path of ['open/a.md', 'open/inner/x/secret.md', 'shut/a.md', 'shut/inner/x/secret.md']) {
        const uri = `skill://${path}`
        const isRead = await ask(server, 'resources/read', { uri }, principal).then(
          () => true,
          () => false,
        )
        expect(listed.has(uri)).toBe(isRead)
        if (isRead) read.push(path)
      }
      return read
    }
    expect(await seen(ada)).toHaveLength(4)
    expect(await seen(bob)).toEqual(['open/a.md', 'shut/inner/x/secret.md'])
    const folder = (uri: string) => ask(server, 'resources/directory/read', { uri }, bob)
    expect((await folder('skill://open')).resources).toMatchObject([{ name: 'SKILL.md' }, { name: 'a.md' }])
    await expect(folder('skill://open/inner')).rejects.toMatchObject({ code: 'caller.invalid_params' })
    expect(await folder('skill://shut/inner')).toMatchObject({ resources: [{ name: 'SKILL.md' }, { name: 'x' }] })
  })

  it('is hidden whole from whom its rule hides it, or a rule of the server', async () => {
    const isAda = ({ id }: Principal) => id === 'ada'
    const ada = { id: 'ada', tenant: 't' }
    const bob = { id: 'bob', tenant: 't' }
    const byOwn = createServer({ name: 's', version: '1' })
    byOwn.skill('a/x', { access: isAda, files: { 'SKILL.md': manifest('x'), 'b.md': 'b' } })
    const byServer = createServer({ name: 's', version: '1' })
    byServer.skill('a/x', { files: { 'SKILL.md': manifest('x'), 'b.md': 'b' } })
    byServer.access((who, { kind, key }) => isAda(who) || (kind === 'skill' && key !== 'a/x'))
    for (const server of [byOwn, byServer]) {
      const seen = async (who: Principal) => [
        ((await ask(server, 'skills/list', {}, who)).skills as Skill[]).length,
        ((await ask(server, 'resources/list', {}, who)).resources as JsonObject[]).length,
        ...(await Promise.all(
          [
            ['skills/get', 'skill://a/x/SKILL.md'],
            ['resources/read', 'skill://a/x/SKILL.md'],
            ['resources/read', 'skill://a/x/b.md'],
            ['resources/directory/read', 'skill://a'],
          ].map(([method = '', uri]) =>
            ask(server, method, { uri }, who).then(
              () => 'read',
              () => 'refused',
            ),
          ),
        )),
      ]
      expect(await seen(ada)).toEqual([1, 1, 'read', 'read', 'read', 'read'])
      expect(await seen(bob)).toEqual([0, 0, 'refused', 'refused', 'refused', 'refused'])
    }
  })
})

it('registers what was read from folders', async () => {
  const server = createServer({ name: 's', version: '1' })
  const files = { 'SKILL.md': new TextEncoder().encode(manifest('x')) }
  expect(server.skills([{ path: 'a/x', files }]).map(({ key }) => key)).toEqual(['a/x'])
  expect(await ask(server, 'skills/list')).toMatchObject({ skills: [{ frontmatter: { name: 'x' } }] })
})

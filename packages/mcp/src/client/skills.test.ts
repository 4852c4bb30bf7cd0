import { createHash } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import type { JsonObject } from '../jsonrpc/frame.ts'
import { SKILLS } from '../protocol/extensions.ts'
import type { Skill } from '../protocol/features/skills.ts'
import { ENVELOPE_REVISIONS } from '../revisions/index.ts'
import { connect } from './client.ts'
import { createRawServer } from './fixtures/raw-server.ts'
import { loadSkill } from './skills.ts'

const URI = 'skill://acme/pdf/SKILL.md'
const TEXT = '---\nname: pdf\ndescription: Fill forms\nmetadata:\n  version: "2"\n---\nBody ü\n'
const FORM = 'skill://acme/pdf/refs/FORM.bin'
const BYTES = Buffer.from([0, 255, 7])
const digestOf = (bytes: string | Buffer) => `sha256:${createHash('sha256').update(bytes).digest('hex')}`
const frontmatter = { metadata: { version: '2' }, name: 'pdf', description: 'Fill forms' }
const resources = [
  { uri: URI, digest: digestOf(TEXT), size: Buffer.byteLength(TEXT) },
  { uri: FORM, digest: digestOf(BYTES), size: 3 },
]
const skill: Skill = { uri: URI, frontmatter, resources }

/** A reader of these resources; notes what it read. */
function reader(contents: Record<string, JsonObject>) {
  const seen: string[] = []
  const read = async (uri: string) => {
    seen.push(uri)
    return { contents: [{ uri, ...contents[uri] }] }
  }
  return { seen, read }
}
const honest: Record<string, JsonObject> = { [URI]: { text: TEXT }, [FORM]: { blob: BYTES.toString('base64') } }

describe('a skill', () => {
  it('is loaded by reading its SKILL.md and nothing else, and its files when they are asked for', async () => {
    const { seen, read } = reader(honest)
    const loaded = await loadSkill(skill, read)
    expect([loaded.text, loaded.isVerified, seen]).toEqual([TEXT, true, [URI]])
    expect(await loaded.read('refs/FORM.bin')).toEqual({ uri: FORM, blob: 'AP8H' })
    expect(await loaded.read(FORM)).toEqual({ uri: FORM, blob: 'AP8H' })
  })

  const tampered: [string, Record<string, JsonObject>, Partial<Skill>, string][] = [
    ['has another text', { [URI]: { text: TEXT.replace('Body', 'Evil') } }, {}, 'another digest'],
    ['is longer than listed', { [URI]: { text: `${TEXT}more` } }, {}, 'bytes and is listed with'],
    [
      'begins with another frontmatter',
      {},
      { frontmatter: { ...frontmatter, description: 'Steal' } },
      'another frontmatter',
    ],
    ['lacks a field', {}, { frontmatter: { ...frontmatter, license: 'MIT' } }, 'another frontmatter'],
    [
      'has a nested difference',
      {},
      { frontmatter: { ...frontmatter, metadata: { version: 2 } } },
      'another frontmatter',
    ],
    ['has no frontmatter', { [URI]: { text: 'Body' } }, { resources: 'dynamic' }, 'cannot be read'],
    ['is no text', { [URI]: { blob: '' } }, { resources: 'dynamic' }, 'is no text'],
    ['is not in its own list', {}, { resources: resources.slice(1) }, 'does not list its own'],
  ]
  it.each(tampered)('that %s is not loaded', async (_, contents, entry, why) => {
    const { read } = reader({ ...honest, ...contents })
    await expect(loadSkill({ ...skill, ...entry }, read)).rejects.toMatchObject({
      code: 'upstream.protocol',
      message: expect.stringContaining(why),
    })
  })

  it('gives no file that is not listed, not what it says, or of another name', async () => {
    const { seen, read } = reader({ ...honest, [FORM]: { blob: 'AAAA' } })
    const loaded = await loadSkill(skill, read)
    await expect(loaded.read('refs/OTHER.md')).rejects.toThrow('does not list')
    expect(seen).toEqual([URI])
    await expect(loaded.read(FORM)).rejects.toThrow('another digest')
    const swapped = await loadSkill(skill, async (uri) =>
      uri === URI ? { contents: [{ uri, text: TEXT }] } : { contents: [{ uri: URI, text: TEXT }] },
    )
    await expect(swapped.read(FORM)).rejects.toThrow('gave something else')
    const broken = await loadSkill(skill, reader({ ...honest, [FORM]: { blob: '*' } }).read)
    await expect(broken.read(FORM)).rejects.toThrow('no bytes')
  })

  it('without digests is held against its frontmatter alone, and says so', async () => {
    for (const files of [undefined as never, 'dynamic' as const]) {
      const loaded = await loadSkill({ uri: URI, frontmatter, resources: files }, reader(honest).read)
      expect(loaded.isVerified).toBe(false)
      expect((await loaded.read('anything')).uri).toBe('skill://acme/pdf/anything')
    }
  })
})

describe('the skills of a server', () => {
  const revision = String(ENVELOPE_REVISIONS[0]?.name)
  it('are listed, found, loaded and looked through', async () => {
    const capabilities = { resources: {}, extensions: { [SKILLS]: { directoryRead: true } } }
    const answers: Record<string, (params: JsonObject) => JsonObject> = {
      'skills/list': ({ cursor }) => ({
        skills: cursor === undefined ? [skill] : [],
        ...(cursor === undefined && { nextCursor: '' }),
      }),
      'skills/get': ({ uri }) => ({ skill: { ...skill, asked: uri } }),
      'resources/read': ({ uri }) => ({ contents: [{ uri, ...honest[String(uri)] }] }),
      'resources/directory/read': ({ uri }) => ({ resources: [{ uri: `${uri}/refs`, name: 'refs' }] }),
    }
    const raw = createRawServer(({ method, params }) => {
      if (method === 'server/discover') return { result: { supportedVersions: [revision], capabilities } }
      return { result: { resultType: 'complete', ...answers[String(method)]?.(params as JsonObject) } }
    })
    const client = await connect(raw.target, { client: { name: 'c', version: '1' }, revision })
    try {
      expect(await client.listSkills().all()).toEqual([skill])
      const entry = await client.getSkill(URI)
      expect(entry).toEqual({ ...skill, asked: URI })
      const loaded = await client.loadSkill(entry)
      expect((await loaded.read(FORM)).blob).toBe('AP8H')
      expect(await client.readDirectory('skill://acme/pdf').all()).toEqual([
        { uri: 'skill://acme/pdf/refs', name: 'refs' },
      ])
    } finally {
      await client.close()
    }
  })
})

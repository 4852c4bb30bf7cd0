import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, describe, expect, it } from 'vitest'
import { layOut, readGuide, runLine } from './guide.ts'

/** Guides whose programs stand by themselves: each is written to one folder, and what its consoles say is done there. */
const GUIDES = [
  'docs/guides/asking.md',
  'docs/guides/serving.md',
  'docs/guides/resources.md',
  'docs/guides/tasks.md',
  'packages/mcp/README.md',
]

describe.each(GUIDES)('the guide %s', (path) => {
  const { files, commands, unnamed } = readGuide(path)
  const { folder, remove } = layOut(files)
  afterAll(remove)

  it.each(commands)('shows what is printed by: %s', async (line, output) => {
    expect(await runLine(line, folder)).toEqual({ code: 0, output })
  })

  it('shows no program that is not run', () => {
    const run = commands.map(([line]) => line).join('\n')
    const isUsed = (file: string) => run.includes(file) || [...files.values()].some((text) => text.includes(file))
    expect([...files.keys()].filter((file) => !isUsed(file))).toEqual([])
    expect(unnamed).toEqual([])
  })
})

const root = fileURLToPath(new URL('../../../../', import.meta.url))
const pages = [
  ...readdirSync(`${root}docs/guides`).map((name) => `docs/guides/${name}`),
  'packages/mcp/README.md',
  'packages/auth/README.md',
  'examples/weather/README.md',
]

it.each(pages)('%s leads to places that are there', (page) => {
  const text = readFileSync(root + page, 'utf8').replaceAll(/^```.*?^```$/gms, '')
  const links = [...text.matchAll(/\]\((?!https?:)([^)#]*)(?:#([^)]*))?\)/g)]
  const broken = links.filter(([, to = '', anchor]) => {
    const path = to === '' ? root + page : join(root, dirname(page), to)
    if (!existsSync(path)) return true
    return anchor !== undefined && !toAnchors(readFileSync(path, 'utf8')).includes(anchor)
  })
  expect(broken.map(([link]) => link)).toEqual([])
})

it('the index leads to every guide', () => {
  const index = readFileSync(`${root}docs/guides/README.md`, 'utf8')
  const guides = readdirSync(`${root}docs/guides`).filter((name) => name !== 'README.md')
  expect(guides.filter((name) => !index.includes(`](${name})`))).toEqual([])
})

/** Headings as they are linked to on the pages of a repository. */
function toAnchors(text: string): readonly string[] {
  return [...text.matchAll(/^#+ (.*)$/gm)].map(([, heading = '']) =>
    heading
      .toLowerCase()
      .replace(/[^\p{L}\p{N} _-]/gu, '')
      .replaceAll(' ', '-'),
  )
}

import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { readSkillFolders } from './skill-folders.ts'

let folder: string
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'crosspoint-skills-'))
})
afterEach(() => rmSync(folder, { recursive: true }))

function write(path: string, text = path): void {
  mkdirSync(dirname(join(folder, path)), { recursive: true })
  writeFileSync(join(folder, path), text)
}

async function read(from: string | URL = folder): Promise<Record<string, string[]>> {
  const found = await readSkillFolders(from)
  return Object.fromEntries(found.map(({ path, files }) => [path, Object.keys(files)]))
}

it('finds every folder with a SKILL.md, those inside of others twice', async () => {
  write('a/SKILL.md')
  write('a/docs/more.md')
  write('a/nested/SKILL.md')
  write('deep/er/b/SKILL.md')
  write('no-skill/readme.md')
  expect(await read()).toEqual({
    a: ['SKILL.md', 'docs/more.md', 'nested/SKILL.md'],
    'a/nested': ['SKILL.md'],
    'deep/er/b': ['SKILL.md'],
  })
  expect(await read(pathToFileURL(folder))).toEqual(await read())
})

it('reads the bytes as they are', async () => {
  write('a/SKILL.md', '\uFEFFwith a mark')
  const [skill] = await readSkillFolders(folder)
  expect(Buffer.from(skill?.files['SKILL.md'] ?? []).toString('hex')).toMatch(/^efbbbf/)
})

it('abuse-38: follows no link, to a file or to a folder, and sees nothing that begins with a dot', async () => {
  const outside = mkdtempSync(join(tmpdir(), 'crosspoint-outside-'))
  try {
    writeFileSync(join(outside, 'secret.md'), 'secret')
    writeFileSync(join(outside, 'SKILL.md'), 'secret')
    write('a/SKILL.md')
    write('a/.env', 'TOKEN=1')
    symlinkSync(join(outside, 'secret.md'), join(folder, 'a', 'link.md'))
    symlinkSync(outside, join(folder, 'b'))
    expect(await read()).toEqual({ a: ['SKILL.md'] })
  } finally {
    rmSync(outside, { recursive: true })
  }
})

it('refuses a folder that is too deep', async () => {
  write(`${'x/'.repeat(18)}SKILL.md`)
  await expect(read()).rejects.toThrow('at most 16 folders inside of each other work (maxDepth)')
})

it('abuse-14: gives up a tree of empty folders at the bound, and looks at no more of them', async () => {
  for (let at = 0; at < 50; at++) mkdirSync(join(folder, `a${at}`, 'b'), { recursive: true })
  write('z/SKILL.md')
  expect((await readSkillFolders(folder, { maxEntries: 102 })).map(({ path }) => path)).toEqual(['z'])
  await expect(readSkillFolders(folder, { maxEntries: 101 })).rejects.toThrow('at most 101 files and folders work')
})

it('abuse-14: counts links and hidden names too, which cost as much to look at', async () => {
  write('a/SKILL.md')
  for (let at = 0; at < 5; at++) {
    write(`.hidden${at}`)
    symlinkSync('nowhere', join(folder, `link${at}`))
  }
  expect(await readSkillFolders(folder, { maxEntries: 12 })).toHaveLength(1)
  await expect(readSkillFolders(folder, { maxEntries: 11 })).rejects.toThrow('(maxEntries)')
})

it.each([
  ['maxFiles', 2],
  ['maxBytes', 11],
] as const)('abuse-14: reads no more than %s allows', async (limit, enough) => {
  write('a/SKILL.md', '12345')
  write('a/b', '678901')
  expect(await readSkillFolders(folder, { [limit]: enough })).toHaveLength(1)
  await expect(readSkillFolders(folder, { [limit]: enough - 1 })).rejects.toThrow(`(${limit})`)
})

it('says so when there is no such folder', async () => {
  await expect(read(join(folder, 'missing'))).rejects.toThrow('ENOENT')
})

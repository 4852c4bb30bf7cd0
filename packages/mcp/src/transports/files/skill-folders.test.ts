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
  await expect(read()).rejects.toThrow('deeper than 16 folders')
})

it('says so when there is no such folder', async () => {
  await expect(read(join(folder, 'missing'))).rejects.toThrow('ENOENT')
})

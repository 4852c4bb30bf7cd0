import { mkdir, mkdtemp, rename, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, expect, test } from 'vitest'
import { loadConfig } from './config-file.ts'
import { type ConfigChange, type ConfigWatch, watchConfig } from './watch.ts'

const cleanups: (() => Promise<unknown>)[] = []
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup()
})

/** A watched file whose changes are awaited one by one. */
async function watched(path: string) {
  const seen: ConfigChange[] = []
  let wake = () => {}
  const watch: ConfigWatch = watchConfig(
    path,
    (change) => {
      seen.push(change)
      wake()
    },
    { current: loadConfig(path), env: {}, quietMs: 20 },
  )
  cleanups.push(() => watch.close())
  await watch.ready
  const next = async () => {
    while (seen.length === 0) await new Promise<void>((resolve) => (wake = resolve))
    return seen.shift() as ConfigChange
  }
  return { watch, next, seen }
}

async function folder(): Promise<string> {
  const path = await mkdtemp(join(tmpdir(), 'crosspoint-watch-'))
  cleanups.push(() => rm(path, { recursive: true }))
  return path
}

const one = (name: string) => `servers:\n  ${name}:\n    command: node\n`

test('tells an edit in place as a diff', async () => {
  const file = join(await folder(), 'crosspoint.yaml')
  await writeFile(file, one('a'))
  const { next } = await watched(file)
  await writeFile(file, one('b'))
  const change = await next()
  expect(change).toMatchObject({ kind: 'loaded', diff: { added: ['b'], removed: ['a'] } })
})

test('sees every replacement by an editor that renames a new file over the old one', async () => {
  const base = await folder()
  const file = join(base, 'crosspoint.yaml')
  await writeFile(file, one('a'))
  const { next } = await watched(file)
  for (const name of ['b', 'c', 'd']) {
    await writeFile(join(base, '.crosspoint.yaml.swp'), one(name))
    await rename(join(base, '.crosspoint.yaml.swp'), file)
    expect(await next()).toMatchObject({ kind: 'loaded', diff: { added: [name] } })
  }
})

test('sees a volume whose ..data link is turned to another folder, again and again', async () => {
  const base = await folder()
  const turn = async (version: string) => {
    await mkdir(join(base, `..${version}`))
    await writeFile(join(base, `..${version}`, 'crosspoint.yaml'), one(version))
    await symlink(`..${version}`, join(base, '..data_tmp'))
    await rename(join(base, '..data_tmp'), join(base, '..data'))
  }
  await turn('v1')
  const file = join(base, 'crosspoint.yaml')
  await symlink('..data/crosspoint.yaml', file)
  const { next } = await watched(file)
  for (const version of ['v2', 'v3']) {
    await turn(version)
    expect(await next()).toMatchObject({ kind: 'loaded', diff: { added: [version] } })
  }
})

test('sees an edit of the file that a link leads to, in another folder', async () => {
  const [base, dotfiles] = [await folder(), await folder()]
  const target = join(dotfiles, 'mine.yaml')
  await writeFile(target, one('a'))
  await symlink(target, join(base, 'crosspoint.yaml'))
  const { next } = await watched(join(base, 'crosspoint.yaml'))
  await writeFile(target, one('b'))
  expect(await next()).toMatchObject({ kind: 'loaded', diff: { added: ['b'] } })
})

test('reports a bad file once and its repair, though nothing differs from what is in force', async () => {
  const file = join(await folder(), 'crosspoint.yaml')
  await writeFile(file, one('a'))
  const { next } = await watched(file)
  await writeFile(file, 'servers: [')
  const bad = await next()
  expect(bad.kind === 'failed' && bad.error.issues[0]).toMatchObject({ line: 1 })
  await writeFile(file, one('a'))
  expect(await next()).toMatchObject({ kind: 'loaded', diff: { isEmpty: true } })
})

test('keeps quiet about a touch that changes nothing, and about other files of the folder', async () => {
  const base = await folder()
  const file = join(base, 'crosspoint.yaml')
  await writeFile(file, one('a'))
  const { next } = await watched(file)
  await writeFile(join(base, 'other.yaml'), one('x'))
  await writeFile(file, `# a comment\n${one('a')}`)
  await writeFile(file, one('b'))
  expect(await next()).toMatchObject({ diff: { added: ['b'] } })
})

test('believes that a file is gone only after looking several times', async () => {
  const file = join(await folder(), 'crosspoint.yaml')
  await writeFile(file, one('a'))
  const { next } = await watched(file)
  await rm(file)
  const gone = await next()
  expect(gone.kind === 'failed' && gone.error.message).toContain('there is no such file')
  await writeFile(file, one('b'))
  expect(await next()).toMatchObject({ kind: 'loaded', diff: { added: ['b'] } })
})

test('reload reports at once, changed or not', async () => {
  const file = join(await folder(), 'crosspoint.yaml')
  await writeFile(file, one('a'))
  const { watch, seen } = await watched(file)
  watch.reload()
  expect(seen).toMatchObject([{ kind: 'loaded', diff: { isEmpty: true } }])
})

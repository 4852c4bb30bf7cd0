// The packaging check: what a user gets from the registry works without this workspace. Each public package is
// packed, all are installed from their tarballs in an empty folder, each door is imported and type-checked, and the
// command runs. Needs a build.
import { execFileSync } from 'node:child_process'
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  realpathSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { lstat, readdir } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { createTally } from './tally.mjs'

const MAX_INSTALL_MB = 200
/** The engine with all it depends on, as a user has it. */
const MAX_ENGINE_MB = 3

const root = fileURLToPath(new URL('..', import.meta.url))
const npm = process.platform === 'win32' ? 'npm.cmd' : 'npm'
const manifests = readdirSync(join(root, 'packages'))
  .map((name) => join(root, 'packages', name))
  .filter((folder) => existsSync(join(folder, 'package.json')))
  .map((folder) => ({ folder, ...JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')) }))
const open = manifests.filter((manifest) => manifest.private !== true)

const tally = createTally('packages')
const work = realpathSync(mkdtempSync(join(tmpdir(), 'crosspoint-packages-')))
try {
  await main()
} finally {
  rmSync(work, { recursive: true, force: true })
}
tally.finish()

async function main() {
  await tally.check(`the workspace installs in less than ${MAX_INSTALL_MB} MB`, async () => {
    const megabytes = (await bytesIn(join(root, 'node_modules'))) / 1e6
    console.log(`    ${megabytes.toFixed(0)} MB in node_modules`)
    if (megabytes >= MAX_INSTALL_MB) throw new Error(`It takes ${megabytes.toFixed(0)} MB`)
  })
  await tally.check('no package that ships depends on one that does not', () => {
    const closed = new Set(manifests.filter((manifest) => manifest.private).map((manifest) => manifest.name))
    for (const { name, dependencies = {} } of open) {
      for (const other of Object.keys(dependencies)) {
        if (closed.has(other)) throw new Error(`"${name}" depends on "${other}"`)
      }
    }
  })
  const tarballs = {}
  for (const manifest of open) {
    await tally.check(`${manifest.name} packs what it needs and nothing else`, () => {
      const [packed] = JSON.parse(call(npm, ['pack', '--json', '--pack-destination', work], manifest.folder))
      tarballs[manifest.name] = `file:${join(work, packed.filename)}`
      checkFiles(manifest, new Set(packed.files.map((file) => file.path)))
      checkTexts(manifest)
    })
  }
  const folder = join(work, 'empty')
  mkdirSync(folder)
  writeFileSync(join(folder, 'package.json'), JSON.stringify({ private: true, type: 'module', dependencies: tarballs }))
  await tally.check('all install together in an empty folder', () => {
    call(npm, ['install', '--no-audit', '--no-fund', '--ignore-scripts'], folder)
    for (const { name } of open) {
      const at = realpathSync(join(folder, 'node_modules', name))
      if (!at.startsWith(folder)) throw new Error(`"${name}" came from ${at}`)
    }
  })
  await tally.check(`@crosspoint/mcp takes less than ${MAX_ENGINE_MB} MB with all its dependencies`, async () => {
    const sizes = await Promise.all(closure(folder, '@crosspoint/mcp').map((at) => bytesIn(at)))
    const megabytes = sizes.reduce((sum, bytes) => sum + bytes, 0) / 1e6
    console.log(`    ${megabytes.toFixed(2)} MB in ${sizes.length} packages`)
    if (megabytes >= MAX_ENGINE_MB) throw new Error(`It takes ${megabytes.toFixed(2)} MB`)
  })
  for (const door of open.flatMap(doors)) {
    await tally.check(`${door.name} imports`, () => {
      const names = call(process.execPath, ['--input-type=module', '-e', door.probe], folder).trim()
      if (door.code && names === '') throw new Error('It exports nothing')
    })
  }
  await tally.check('every door has types that resolve', () => checkTypes(folder))
  for (const { name, version, bin = {} } of open) {
    for (const command of Object.keys(bin)) {
      await tally.check(`${command} --version prints the version of ${name}`, () => {
        const said = call(
          process.execPath,
          [join(folder, 'node_modules', name, bin[command]), '--version'],
          folder,
        ).trim()
        if (said !== version) throw new Error(`It printed "${said}", not "${version}"`)
      })
    }
  }
}

function checkFiles(manifest, files) {
  const strangers = [...files].filter((path) =>
    /(^|\/)src\/|[.]test[.]|[.](tsbuildinfo|map)$|(^|\/)tests?\/|fixtures?\//.test(path),
  )
  if (strangers.length > 0) throw new Error(`Does not belong in the package: ${strangers.join(', ')}`)
  const needed = Object.values(manifest.exports ?? {})
    .flatMap((target) => (typeof target === 'string' ? [target] : Object.values(target)))
    .concat(Object.values(manifest.bin ?? {}))
    .map((path) => path.replace(/^[.]\//, ''))
  needed.push('LICENSE', 'README.md')
  const missing = needed.filter((path) => !files.has(path))
  if (missing.length > 0) throw new Error(`Declared and not in the package: ${missing.join(', ')}`)
}

/** A package goes alone: its licence is that of the project, and its README leads nowhere outside of it. */
function checkTexts({ folder }) {
  const read = (...path) => readFileSync(join(...path), 'utf8')
  if (read(folder, 'LICENSE') !== read(root, 'LICENSE')) throw new Error('Its LICENSE is not that of the project')
  const links = [...read(folder, 'README.md').matchAll(/\]\(([^)\s]+)\)/g)].map(([, link]) => link)
  const astray = links.filter((link) => !/^(?:https?:|#)/.test(link))
  if (astray.length > 0) throw new Error(`Its README leads where no package is: ${astray.join(', ')}`)
}

/** The folders of a package and of what it needs, each once. The tree is flat: one level is all there is to look at. */
function closure(folder, name, found = new Set()) {
  const at = join(folder, 'node_modules', name)
  if (found.has(at)) return [...found]
  found.add(at)
  const { dependencies = {} } = JSON.parse(readFileSync(join(at, 'package.json'), 'utf8'))
  for (const other of Object.keys(dependencies)) closure(folder, other, found)
  return [...found]
}

/** Each entry of `exports`, with a program that imports it and prints the names it exports. */
function doors(manifest) {
  return Object.entries(manifest.exports ?? {}).map(([door, target]) => {
    const name = manifest.name + door.slice(1)
    const code = typeof target !== 'string'
    const probe = code
      ? `console.log(Object.keys(await import(${JSON.stringify(name)})).join(' '))`
      : `await import(${JSON.stringify(name)}, { with: { type: 'json' } })`
    return { name, code, probe }
  })
}

/** Type-checks a file that takes every door, our own declaration files included; those of others are not our matter. */
function checkTypes(folder) {
  const names = open.flatMap(doors).filter((door) => door.code)
  writeFileSync(
    join(folder, 'doors.ts'),
    names.map(({ name }, at) => `export * as door${at} from '${name}'`).join('\n'),
  )
  const options = { module: 'nodenext', target: 'es2023', lib: ['es2023'], strict: true, noEmit: true, types: ['node'] }
  const compilerOptions = { ...options, skipLibCheck: false, typeRoots: [join(root, 'node_modules/@types')] }
  writeFileSync(join(folder, 'tsconfig.json'), JSON.stringify({ compilerOptions, files: ['doors.ts'] }))
  try {
    call(process.execPath, [join(root, 'node_modules/typescript/bin/tsc'), '-p', folder, '--pretty', 'false'], folder)
  } catch (error) {
    if (!error.message.includes('error TS')) throw error
    const ours = error.message
      .split('\n')
      .filter((line) => /^(doors[.]ts|node_modules\/(@crosspoint|crosspoint)\/)/.test(line))
    if (ours.length > 0) throw new Error(ours.join('\n'))
  }
}

function call(command, args, cwd) {
  try {
    return execFileSync(command, args, { cwd, encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'], timeout: 180_000 })
  } catch (error) {
    // The message ends with stderr already.
    throw new Error(`${error.message}\n${error.stdout ?? ''}`)
  }
}

async function bytesIn(path) {
  const entry = await lstat(path)
  if (!entry.isDirectory()) return entry.size
  let total = 0
  for (const name of await readdir(path)) total += await bytesIn(join(path, name))
  return total
}

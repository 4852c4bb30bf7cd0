// Makes what ships of what the compiler wrote: one file for each door and the parts they share, since a module costs
// Node half a millisecond to load, whatever is in it, and a server has a hundred. Names stay as they are written.
import { createHash } from 'node:crypto'
import { existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join, relative } from 'node:path'
import { fileURLToPath } from 'node:url'
import { rolldown, VERSION } from 'rolldown'
import { removeOrphans } from './orphans.mjs'
import { leaveOutUnreachable } from './unreachable.mjs'

const packages = fileURLToPath(new URL('../packages/', import.meta.url))
const here = join(packages, 'mcp')
const built = join(here, 'build')
const shipped = join(here, 'dist')
/** Says of what the bundle was made, and what was made. */
const stamp = join(built, 'bundle.sha256')
const { exports, dependencies } = JSON.parse(readFileSync(join(here, 'package.json'), 'utf8'))

const doors = Object.values(exports)
  .map((door) => door.default)
  .filter((path) => path !== undefined)
  .map((path) => path.replace('./dist/', '').replace(/[.]js$/, ''))

removeOrphans(built, join(here, 'src'), /[.]js$/)
removeOrphans(shipped, join(here, 'src'), /[.]d[.]ts$/)
for (const name of readdirSync(packages)) {
  if (name !== 'mcp')
    removeOrphans(join(packages, name, 'dist'), join(packages, name, 'src'), /[.](d[.]ts|js|js[.]map)$/)
}
if (!isFresh()) await bundle()
leaveOutUnreachable(
  shipped,
  doors.map((door) => join(shipped, `${door}.d.ts`)),
)

async function bundle() {
  rmSync(stamp, { force: true })
  const bundling = await rolldown({
    input: Object.fromEntries(doors.map((door) => [door, join(built, `${door}.js`)])),
    platform: 'node',
    external: Object.keys(dependencies),
  })
  const { output } = await bundling.write({
    dir: shipped,
    format: 'esm',
    chunkFileNames: 'parts/[name]-[hash].js',
    // A sixth of the bytes: what they say to users is in the declarations.
    comments: { jsdoc: false },
  })
  await bundling.close()
  const made = new Set(output.map(({ fileName }) => join(shipped, fileName)))
  for (const path of scriptsIn(shipped)) if (!made.has(path)) rmSync(path)
  writeFileSync(stamp, digest())
}

/** By what the files hold, not by when they were written: copies and other branches change times at will. */
function isFresh() {
  return existsSync(stamp) && readFileSync(stamp, 'utf8') === digest()
}

function digest() {
  const hash = createHash('sha256').update(VERSION)
  const files = [fileURLToPath(import.meta.url), join(here, 'package.json'), ...scriptsIn(built), ...scriptsIn(shipped)]
  for (const path of files) hash.update(`\0${relative(here, path)}\0`).update(readFileSync(path))
  return hash.digest('hex')
}

function scriptsIn(folder) {
  if (!existsSync(folder)) return []
  return readdirSync(folder, { recursive: true })
    .filter((path) => path.endsWith('.js'))
    .sort()
    .map((path) => join(folder, path))
}

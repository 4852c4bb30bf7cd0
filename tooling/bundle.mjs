// Makes what ships of what the compiler wrote: one file for each door and the parts they share, since a module costs
// Node half a millisecond to load, whatever is in it, and a server has a hundred. Names stay as they are written.
import { existsSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { rolldown } from 'rolldown'

const here = fileURLToPath(new URL('../packages/mcp/', import.meta.url))
const built = join(here, 'build')
const shipped = join(here, 'dist')
const { exports, dependencies } = JSON.parse(readFileSync(join(here, 'package.json'), 'utf8'))

const doors = Object.values(exports)
  .map((door) => door.default)
  .filter((path) => path !== undefined)
  .map((path) => path.replace('./dist/', '').replace(/[.]js$/, ''))

if (!isFresh()) await bundle()

async function bundle() {
  rmSync(join(shipped, 'parts'), { recursive: true, force: true })
  const bundling = await rolldown({
    input: Object.fromEntries(doors.map((door) => [door, join(built, `${door}.js`)])),
    platform: 'node',
    external: Object.keys(dependencies),
  })
  await bundling.write({ dir: shipped, format: 'esm', chunkFileNames: 'parts/[name]-[hash].js' })
  await bundling.close()
}

/** Whether the bundle is younger than everything it is made of. */
function isFresh() {
  const oldest = Math.min(...doors.map((door) => timeOf(join(shipped, `${door}.js`))))
  if (oldest === 0 || !existsSync(join(shipped, 'parts'))) return false
  if (timeOf(fileURLToPath(import.meta.url)) > oldest || timeOf(join(here, 'package.json')) > oldest) return false
  return readdirSync(built, { recursive: true, withFileTypes: true }).every(
    (entry) => !entry.name.endsWith('.js') || timeOf(join(entry.parentPath, entry.name)) < oldest,
  )
}

function timeOf(path) {
  return existsSync(path) ? statSync(path).mtimeMs : 0
}

import { execFileSync } from 'node:child_process'
import { readdirSync, readFileSync, statSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const MCP = fileURLToPath(new URL('../../packages/mcp/', import.meta.url))

/** Bytes of the files of `@crosspoint/mcp` as it is published, and of everything it depends on; a disk adds its blocks. */
export function measureSize() {
  const packages = new Map()
  add(MCP, packages)
  const rows = [...packages].map(([name, bytes]) => ({ name, value: bytes / 1e6 }))
  const whole = { name: 'all together', value: rows.reduce((sum, { value }) => sum + value, 0) }
  return [{ name: 'installed size of @crosspoint/mcp', unit: 'MB', limit: 3, rows: [whole, ...rows] }]
}

function add(folder, packages) {
  const { name, dependencies = {} } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'))
  if (packages.has(name)) return
  packages.set(name, folder === MCP ? published(folder) : bytesOf(folder))
  for (const dependency of Object.keys(dependencies)) add(folderOf(dependency, folder), packages)
}

/** Of what npm would put into the package. */
function published(folder) {
  const [packed] = JSON.parse(execFileSync('npm', ['pack', '--dry-run', '--json'], { cwd: folder, encoding: 'utf8' }))
  return packed.unpackedSize
}

function bytesOf(folder) {
  let bytes = 0
  for (const entry of readdirSync(folder, { recursive: true, withFileTypes: true })) {
    if (entry.isFile()) bytes += statSync(join(entry.parentPath, entry.name)).size
  }
  return bytes
}

function folderOf(dependency, from) {
  const require = createRequire(join(from, 'package.json'))
  for (let at = dirname(require.resolve(dependency)); ; at = dirname(at)) {
    const manifest = join(at, 'package.json')
    try {
      if (JSON.parse(readFileSync(manifest, 'utf8')).name === dependency) return at
    } catch {
      // not the root of the package yet
    }
  }
}

// Where `@crosspoint/…` leads for dependency-cruiser, which reads aliases in webpack's shape only. Each door is
// what a package's `exports` declares, pointed from the build (`dist`) to the source it is built from, so that the
// rules hold before a build and a path that is not a door stays unresolved.
const { existsSync, readdirSync, readFileSync } = require('node:fs')
const { join } = require('node:path')

const packages = join(process.cwd(), 'packages')
const alias = {}
for (const folder of readdirSync(packages)) {
  const manifest = join(packages, folder, 'package.json')
  if (!existsSync(manifest)) continue
  const { name, exports = {} } = JSON.parse(readFileSync(manifest, 'utf8'))
  for (const [door, target] of Object.entries(exports)) {
    if (typeof target !== 'object' || typeof target.default !== 'string') continue
    const source = target.default.replace('./dist/', './src/').replace(/\.js$/, '.ts')
    alias[`${name}${door.slice(1)}$`] = join(packages, folder, source)
  }
}

module.exports = { resolve: { alias } }

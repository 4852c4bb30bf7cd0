// What import rules cannot say about the rooms: which rooms there are, and that a revision is named by its date in
// one room only. Everywhere else code asks a trait, or takes a revision from the index of that room.
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { createTally } from './tally.mjs'

const root = fileURLToPath(new URL('..', import.meta.url))
const ts = createRequire(join(root, 'tooling/'))('typescript')

const ROOMS = [
  'jsonrpc',
  'json-schema',
  'protocol',
  'revisions',
  'peer',
  'bridge',
  'transports',
  'server',
  'client',
  'testing',
]
const DATE = /2024-10-07|2024-11-05|2025-03-26|2025-06-18|2025-11-25|2026-07-28/g

/** Dates may stand in the room they belong to, in tests, and in testkit, which is all about which revision does what. */
const MAY_NAME_DATES = /^packages\/mcp\/src\/revisions\/|[.]test[.]ts$|\/fixtures\/|^packages\/testkit\//

/**
 * Revision dates in what a file says to the machine. Comments may cite the specification by revision.
 * @returns {{ line: number, date: string }[]}
 */
export function findDates(name, text) {
  const source = ts.createSourceFile(name, text, ts.ScriptTarget.Latest, true)
  const found = []
  const visit = (node) => {
    const speaks = ts.isStringLiteralLike(node) || ts.isTemplateMiddleOrTemplateTail(node) || ts.isTemplateHead(node)
    if (speaks || ts.isRegularExpressionLiteral(node)) {
      for (const [date] of node.text.matchAll(DATE)) {
        found.push({ line: source.getLineAndCharacterOfPosition(node.getStart()).line + 1, date })
      }
    }
    ts.forEachChild(node, visit)
  }
  visit(source)
  return found
}

if (process.argv[1] === fileURLToPath(import.meta.url)) await main()

async function main() {
  const tally = createTally('rooms')
  await tally.check('the engine has only the rooms of the plan', () => {
    const strangers = readdirSync(join(root, 'packages/mcp/src'), { withFileTypes: true })
      .filter((entry) => entry.isDirectory() && !ROOMS.includes(entry.name))
      .map((entry) => entry.name)
    if (strangers.length > 0) throw new Error(`No rule covers packages/mcp/src/${strangers.join(', ')}`)
  })
  await tally.check('a revision date is written only in packages/mcp/src/revisions', () => {
    const places = sources().flatMap((path) =>
      findDates(path, readFileSync(join(root, path), 'utf8')).map(({ line, date }) => `${path}:${line} says ${date}`),
    )
    if (places.length > 0) throw new Error(places.join('\n'))
  })
  tally.finish()
}

function sources() {
  const paths = []
  for (const name of readdirSync(join(root, 'packages'))) {
    for (const place of ['src', 'bin']) {
      const folder = `packages/${name}/${place}`
      if (!existsSync(join(root, folder))) continue
      for (const path of readdirSync(join(root, folder), { recursive: true })) {
        if (/[.](ts|js|mjs)$/.test(path)) paths.push(`${folder}/${path}`)
      }
    }
  }
  if (paths.length === 0) throw new Error('Found no sources to look at')
  return paths.filter((path) => !MAY_NAME_DATES.test(path))
}

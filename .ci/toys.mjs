// Proves what CONTRIBUTING.md says a method, a transport and a revision are made of: adds a toy of each to a copy of the
// last commit (docs/toys/*.patch), and runs the tests the toy brings. A toy that touches a file which is not named there
// fails, and so does one that no longer fits: then the house, or the page, has changed.
import { execFileSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, realpathSync, rmSync, symlinkSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { createTally } from './tally.mjs'

const root = fileURLToPath(new URL('..', import.meta.url))
const toys = join(root, 'docs/toys')
const page = readFileSync(join(root, 'CONTRIBUTING.md'), 'utf8')
const tally = createTally('toys')

for (const name of readdirSync(toys).filter((file) => file.endsWith('.patch'))) {
  const toy = name.replace('.patch', '')
  const patch = join(toys, name)
  const touched = call('git', ['apply', '--numstat', patch], root)
    .trim()
    .split('\n')
    .map((line) => line.split('\t')[2])
  await tally.check(`the files of a toy ${toy} are those the page names`, () => {
    const unnamed = touched.filter((file) => !file.endsWith('.test.ts') && !page.includes(short(file)))
    if (unnamed.length > 0) throw new Error(`CONTRIBUTING.md does not name ${unnamed.join(', ')}`)
  })
  const copy = realpathSync(mkdtempSync(join(tmpdir(), `toy-${toy}-`)))
  try {
    execFileSync('bash', ['-c', `git archive HEAD | tar -x -C "${copy}"`], { cwd: root })
    linkDependencies(copy)
    call('git', ['apply', patch], copy)
    await tally.check(`a toy ${toy} compiles`, () =>
      call('node', [bin('typescript/bin/tsc'), '-p', 'packages/mcp', '--noEmit'], copy),
    )
    const tests = touched.filter((file) => file.endsWith('.test.ts'))
    await tally.check(`a toy ${toy} works`, () =>
      call('node', [bin('vitest/vitest.mjs'), 'run', '--project', 'mcp', ...tests], copy),
    )
  } finally {
    rmSync(copy, { recursive: true, force: true })
  }
}
tally.finish()

/** Path as the page writes it, inside the engine's sources. */
function short(file) {
  return file.replace('packages/mcp/src/', '')
}

function bin(path) {
  return join(root, 'node_modules', path)
}

/** What is ours resolves to the copy, all else to what is installed. */
function linkDependencies(copy) {
  mkdirSync(join(copy, 'node_modules'))
  for (const name of readdirSync(join(root, 'node_modules'))) {
    if (name !== '@crosspoint') symlinkSync(join(root, 'node_modules', name), join(copy, 'node_modules', name))
  }
  mkdirSync(join(copy, 'node_modules/@crosspoint'))
  for (const name of readdirSync(join(copy, 'packages'))) {
    symlinkSync(join(copy, 'packages', name), join(copy, 'node_modules/@crosspoint', name))
  }
}

function call(command, args, cwd) {
  try {
    return execFileSync(command, args, { cwd, encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'], timeout: 120_000 })
  } catch (error) {
    throw new Error(`${command} ${args.join(' ')} failed:\n${error.stdout ?? ''}${error.stderr ?? ''}`)
  }
}

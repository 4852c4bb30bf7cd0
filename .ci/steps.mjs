// What `.ci/run` does, as a table. A step runs when what it comes after has passed; at most two run at once.
// A few step names as arguments run only those and what they come after.
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { runSteps } from './runner.mjs'

const root = fileURLToPath(new URL('..', import.meta.url))
const vitest = join(root, 'node_modules/vitest/vitest.mjs')
const SUITE = join(process.env.CROSSPOINT_SHARED ?? join(root, '../shared'), 'json-schema-test-suite')
const nodeOf = (line) => join(root, `interop/node_modules/node${line}/bin/node`)

/** CI_DIFF is what `.ci/run` found uncommitted when it began. */
const UNCHANGED = 'git diff --stat; test "$(git diff | git hash-object --stdin)" = "$CI_DIFF"'

/**
 * `counts` says where the number of checks comes from: a vitest report, or the script itself (.ci/tally.mjs).
 * A step without it is one check. `alone` keeps others from running beside it, so that its timing is its own.
 */
const STEPS = [
  { name: 'install', run: ['npm', 'ci'] },
  { name: 'install-tooling', run: ['npm', 'ci', '--prefix', 'tooling', '--ignore-scripts'], after: ['install'] },
  { name: 'install-interop', run: ['npm', 'ci', '--prefix', 'interop', '--ignore-scripts'], after: ['install'] },
  // Tests of stores run on the real thing: a private server for each, from Debian's packages.
  { name: 'databases', run: ['bash', '.ci/databases'] },
  { name: 'build', run: ['npm', 'run', 'build'], after: ['install'] },
  // The README's own command.
  {
    name: 'test',
    run: ['npm', 'test', '--'],
    after: ['build', 'install-interop', 'databases'],
    counts: 'vitest',
    alone: true,
  },
  { name: 'lint', run: ['npm', 'run', 'lint'], after: ['install-tooling'] },
  { name: 'imports', run: ['npm', 'run', 'imports'], after: ['install-tooling'] },
  { name: 'runner', run: ['node', '.ci/runner.check.mjs'], counts: 'tally' },
  { name: 'toys', run: ['node', '.ci/toys.mjs'], after: ['install'], counts: 'tally' },
  { name: 'conformance-judge', run: ['node', '.ci/conformance.check.mjs'], counts: 'tally' },
  { name: 'rules', run: ['node', '.ci/rules.mjs'], after: ['install-tooling'], counts: 'tally' },
  { name: 'rooms', run: ['node', '.ci/rooms.mjs'], after: ['install-tooling'], counts: 'tally' },
  { name: 'unused', run: ['npm', 'run', 'unused'], after: ['install-tooling', 'build'] },
  { name: 'types', run: ['npm', 'run', 'typecheck'], after: ['build'] },
  { name: 'packages', run: ['npm', 'run', 'packages'], after: ['build'], counts: 'tally' },
  ...[22, 24].map((line) => ({
    name: `engine-node${line}`,
    run: [nodeOf(line), vitest, 'run', '--project', 'mcp'],
    after: ['build', 'install-interop'],
    counts: 'vitest',
  })),
  { name: 'conformance', run: ['node', '.ci/conformance.mjs'], after: ['build', 'install-interop'], counts: 'tally' },
  {
    name: 'conformance-gateway',
    run: ['node', '.ci/conformance-gateway.mjs', '--run'],
    after: ['build', 'install-interop'],
    counts: 'tally',
  },
  // Two processes at once for each of some seventy scenarios, some of which measure time: nothing else beside it.
  {
    name: 'conformance-authorization',
    run: ['node', '.ci/conformance-authorization.mjs'],
    after: ['build', 'install-interop'],
    counts: 'tally',
  },
  {
    name: 'conformance-client',
    run: ['node', '.ci/conformance.mjs', 'client'],
    after: ['build', 'install-interop'],
    counts: 'tally',
    alone: true,
  },
  {
    name: 'conformance-extensions',
    run: ['node', '.ci/conformance.mjs', 'extensions'],
    after: ['build', 'install-interop'],
    counts: 'tally',
  },
  // No package holds the public suite, and it is not kept here: it runs where somebody has put it beside the repository.
  {
    name: 'json-schema-suite',
    run: ['node', 'packages/testkit/dist/json-schema-suite/run.js', SUITE, '--if-there'],
    after: ['build'],
  },
  { name: 'docs', run: ['npm', 'run', 'docs'], after: ['build'] },
  { name: 'api', run: ['npm', 'run', 'api'], after: ['install-tooling', 'build'] },
  // Nothing above may change a file that is kept: generated documents are as committed, tests clean up.
  { name: 'unchanged', run: ['bash', '-c', UNCHANGED], after: ['docs', 'api', 'test'] },
  { name: 'endurance', run: ['npm', 'run', 'endurance'], after: ['build'], alone: true },
  {
    name: 'endurance-gateway',
    run: ['npm', 'run', 'endurance:gateway', '--', '--calls', '10000', '--clients', '200', '--everyMs', '3000'],
    after: ['build'],
    alone: true,
  },
]

process.exitCode = await runSteps(STEPS, { root, only: process.argv.slice(2) })

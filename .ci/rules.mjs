// Proves that the rules bite: builds a small tree in which every rule is broken exactly once, runs the real rules
// file over it, and expects exactly those violations. A rules file that was silently broken fails here, and so does
// one that complains about what is allowed.
import { spawnSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { findDates } from './rooms.mjs'
import { createTally } from './tally.mjs'

const root = fileURLToPath(new URL('..', import.meta.url))
const { forbidden } = await import(join(root, 'tooling/dependency-cruiser.cjs')).then((module) => module.default)

const manifest = (name, doors, dependencies = {}) =>
  JSON.stringify({
    name,
    type: 'module',
    exports: Object.fromEntries(
      doors.map((door) => [door, { default: door === '.' ? './dist/index.js' : `./dist/${door.slice(2)}/index.js` }]),
    ),
    dependencies,
  })

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

/** The tree in good order: all of this is allowed. */
const house = {
  'package.json': JSON.stringify({ name: 'house', devDependencies: { 'only-for-tests': '1' } }),
  'packages/mcp/package.json': manifest('@crosspoint/mcp', ['.', './client'], { undici: '1' }),
  'packages/mcp/src/index.ts': `export { one } from './jsonrpc/one.ts'\nexport * from './errors.ts'`,
  'packages/mcp/src/errors.ts': `import type { Frame } from './jsonrpc/frame.ts'\nexport type Fault = Frame`,
  'packages/mcp/src/jsonrpc/frame.ts': `export type Frame = object`,
  'packages/mcp/src/jsonrpc/one.ts': `import type { Fault } from '../errors.ts'\nexport const one: Fault = {}`,
  'packages/mcp/src/client/index.ts': `import { one } from '../jsonrpc/one.ts'\nexport const client = one`,
  'packages/mcp/src/transports/socket.ts': `import net from 'node:net'\nimport 'undici'\nimport '../peer/fine.ts'\nexport { net }`,
  'packages/mcp/src/peer/fine.ts': `export const fine = 1`,
  'packages/mcp/src/peer/fine.test.ts': `import { test } from 'node:test'\nimport '@crosspoint/testkit'\nimport '../client/index.ts'\nimport 'only-for-tests'\ntest`,
  'packages/auth/package.json': manifest('@crosspoint/auth', ['.', './node']),
  'packages/auth/src/index.ts': `export const auth = 1`,
  'packages/auth/src/node/index.ts': `import fs from 'node:fs'\nexport { fs }`,
  'packages/gateway/package.json': manifest('@crosspoint/gateway', ['.', './config']),
  'packages/gateway/src/index.ts': `import { one } from '@crosspoint/mcp'\nexport { client } from '@crosspoint/mcp/client'\nexport { one }`,
  'packages/gateway/src/config/index.ts': `export const config = 1`,
  'packages/gateway/src/node/file.ts': `import fs from 'node:fs'\nexport { fs }`,
  'packages/cli/package.json': manifest('crosspoint', ['.']),
  'packages/cli/src/index.ts': `import fs from 'node:fs'\nimport '@crosspoint/gateway/config'\nimport '@crosspoint/gateway'\nexport { fs }`,
  'packages/testkit/package.json': manifest('@crosspoint/testkit', ['.']),
  'packages/testkit/src/index.ts': `import fs from 'node:fs'\nexport { one } from '@crosspoint/mcp'\nexport { auth } from '@crosspoint/auth'\nexport { fs }`,
  'node_modules/undici/package.json': JSON.stringify({ name: 'undici', main: 'index.js' }),
  'node_modules/undici/index.js': '',
  'node_modules/only-for-tests/package.json': JSON.stringify({ name: 'only-for-tests', main: 'index.js' }),
  'node_modules/only-for-tests/index.js': '',
}

/** One broken rule each: the file that breaks it, what it says, what else must be there for it, and the rules it breaks. */
const sins = [
  ...ROOMS.slice(0, -1).map((room, at) => ({
    file: `packages/mcp/src/${room}/sin.ts`,
    text: `import type { x } from '../${ROOMS[at + 1]}/below.ts'\nexport type y = typeof x`,
    also: { [`packages/mcp/src/${ROOMS[at + 1]}/below.ts`]: 'export const x = 1' },
    rules: [`room-order-${room}`],
  })),
  {
    file: 'packages/mcp/src/peer/cycle-a.ts',
    text: `import type { b } from './cycle-b.ts'\nexport type a = b`,
    also: { 'packages/mcp/src/peer/cycle-b.ts': `import type { a } from './cycle-a.ts'\nexport type b = a | 1` },
    rules: ['no-cycles'],
  },
  {
    file: 'packages/mcp/src/errors.ts',
    text: `import type { Frame } from './jsonrpc/frame.ts'\nimport { fine } from './peer/fine.ts'\nexport type Fault = Frame\nexport { fine }`,
    rules: ['errors-above-all'],
  },
  {
    file: 'packages/gateway/src/routes/back.ts',
    text: `import type { one } from '../index.ts'\nexport type x = typeof one`,
    rules: ['no-way-back-through-the-door'],
  },
  {
    file: 'packages/mcp/src/client/upward.ts',
    text: `import type { config } from '@crosspoint/gateway/config'\nexport type x = typeof config`,
    rules: ['package-order-mcp'],
  },
  ...['auth', 'sources', 'host', 'gateway', 'console', 'testkit'].map((name) => ({
    file: `packages/${name}/src/upward.ts`,
    text: `import 'crosspoint'`,
    rules: [`package-order-${name}`],
  })),
  {
    file: 'packages/cli/src/kit.ts',
    text: `import '@crosspoint/testkit'`,
    rules: ['package-order-cli', 'testkit-only-from-tests'],
  },
  {
    file: 'packages/gateway/src/deep.ts',
    text: `import { one } from '../../mcp/src/jsonrpc/one.ts'\nexport { one }`,
    rules: ['doors-only'],
  },
  {
    file: 'packages/gateway/src/side-door.ts',
    text: `import { one } from '@crosspoint/mcp/jsonrpc'\nexport { one }`,
    rules: ['resolvable'],
  },
  {
    file: 'packages/mcp/src/peer/socket.ts',
    text: `import type { Socket } from 'node:net'\nexport type x = Socket`,
    rules: ['node-on-the-porch'],
  },
  { file: 'packages/gateway/src/disk.ts', text: `import fs from 'fs'\nexport { fs }`, rules: ['node-on-the-porch'] },
  { file: 'packages/mcp/src/client/fetch.ts', text: `import 'undici'`, rules: ['undici-on-the-porch'] },
  {
    file: 'packages/gateway/src/test-in-source.ts',
    text: `import './some.test.ts'`,
    also: { 'packages/gateway/src/some.test.ts': 'export const some = 1' },
    rules: ['no-test-in-sources'],
  },
  {
    file: 'packages/cli/src/undeclared.ts',
    text: `import 'only-for-tests'`,
    rules: ['declared-dependencies'],
  },
]

const tally = createTally('rules')
const clean = cruise(house)
await tally.check('nothing is wrong with a house in good order', () => expectSame(clean, []))

const broken = { ...house }
const expected = []
for (const sin of sins) {
  Object.assign(broken, sin.also, { [sin.file]: sin.text })
  for (const rule of sin.rules) expected.push(`${rule}: ${sin.file}`)
}
const found = cruise(broken)
for (const sin of sins) {
  await tally.check(`${sin.rules.join(' and ')} is broken by ${sin.file}`, () => {
    expectSame(
      found.filter((line) => line.endsWith(`: ${sin.file}`)),
      expected.filter((line) => line.endsWith(`: ${sin.file}`)),
    )
  })
}
await tally.check('nothing else is found', () => expectSame(found, expected))
await tally.check('every rule has a sin that proves it', () => {
  const proven = new Set(sins.flatMap((sin) => sin.rules))
  expectSame(
    forbidden.map((rule) => rule.name).filter((name) => !proven.has(name)),
    [],
  )
})

const dates = {
  'a date in a string': [`export const x = '2025-06-18'`, 1],
  'a date in a template': ['export const x = `to ${1} 2024-11-05`', 1],
  'a date in a pattern': ['export const x = /^2025-03-26$/', 1],
  'the pre-release date': [`export const x = ['2024-10-07']`, 1],
  'an import of a revision file': [`import { r } from '../revisions/2026-07-28.ts'\nexport const x = r`, 1],
  'a comment that cites the spec': [`/** Since 2025-11-25 (basic/lifecycle). */\nexport const x = 1 // 2025-11-25`, 0],
  'another date': [`export const x = '2026-11-21'`, 0],
}
for (const [title, [text, count]] of Object.entries(dates)) {
  await tally.check(`rooms: ${title} counts ${count}`, () => {
    const hits = findDates('x.ts', text)
    if (hits.length !== count) throw new Error(`Expected ${count}, found ${JSON.stringify(hits)}`)
  })
}
tally.finish()

/** @returns {string[]} `rule: file` of each violation */
function cruise(files) {
  const folder = mkdtempSync(join(tmpdir(), 'crosspoint-rules-'))
  try {
    for (const [path, text] of Object.entries(files)) {
      mkdirSync(dirname(join(folder, path)), { recursive: true })
      writeFileSync(join(folder, path), text)
    }
    const run = spawnSync(
      process.execPath,
      [
        join(root, 'tooling/node_modules/dependency-cruiser/bin/dependency-cruise.mjs'),
        '--config',
        join(root, 'tooling/dependency-cruiser.cjs'),
        '--output-type',
        'json',
        'packages',
      ],
      { cwd: folder, encoding: 'utf8', maxBuffer: 64 * 2 ** 20 },
    )
    if (run.stdout === '') throw new Error(`dependency-cruiser said nothing: ${run.stderr}`)
    const { summary } = JSON.parse(run.stdout)
    return [...new Set(summary.violations.map((violation) => `${violation.rule.name}: ${violation.from}`))]
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

function expectSame(actual, wanted) {
  const [a, b] = [[...actual].sort(), [...wanted].sort()]
  if (JSON.stringify(a) === JSON.stringify(b)) return
  const missing = b.filter((line) => !a.includes(line))
  const surplus = a.filter((line) => !b.includes(line))
  throw new Error(`Not seen: ${missing.join(', ') || 'none'}\nNot expected: ${surplus.join(', ') || 'none'}`)
}

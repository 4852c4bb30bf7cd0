import { expect, test } from 'vitest'
import { type ConfigDiff, diffConfig } from './diff.ts'
import { parseConfig } from './parse.ts'

const BASE = `
servers:
  a: { command: node, args: [x], env: { A: "1", B: "2" } }
  b: { url: "https://example.com/mcp", headers: { X: "1" } }
views:
  v: { tools: { include: [a__*] }, rename: { a__x: x } }
`

const config = (text: string) => parseConfig(text, { baseDir: '/etc' }).config

const NOTHING: ConfigDiff = {
  added: [],
  removed: [],
  changed: [],
  retuned: [],
  views: { added: [], removed: [], changed: [] },
  listenChanged: false,
  guardsChanged: false,
  settings: [],
  isEmpty: true,
}

test.each<[string, string | RegExp, string, Partial<ConfigDiff>]>([
  ['another argument', 'args: [x]', 'args: [y]', { changed: ['a'] }],
  ['one argument more', 'args: [x]', 'args: [x, x]', { changed: ['a'] }],
  ['another value in env', 'A: "1"', 'A: "3"', { changed: ['a'] }],
  ['one variable less', 'A: "1", ', '', { changed: ['a'] }],
  ['another header', 'X: "1"', 'X: "2"', { changed: ['b'] }],
  [
    'another transport',
    'url: "https://example.com/mcp",',
    'type: sse, url: "https://example.com/mcp",',
    { changed: ['b'] },
  ],
  ['a revision', 'command: node,', 'command: node, revision: 2025-06-18,', { changed: ['a'] }],
  ['a connect timeout', 'command: node,', 'command: node, connectTimeoutMs: 5,', { changed: ['a'] }],
  ['disabling', 'command: node,', 'command: node, enabled: false,', { changed: ['a'] }],
  ['a prefix', 'command: node,', "command: node, prefix: '',", { retuned: ['a'] }],
  ['a title', 'command: node,', 'command: node, title: A,', { retuned: ['a'] }],
  ['a selection', 'command: node,', 'command: node, tools: { exclude: [y] },', { retuned: ['a'] }],
  ['a request timeout', 'command: node,', 'command: node, requestTimeoutMs: 5,', { retuned: ['a'] }],
  ['restart delays', 'command: node,', 'command: node, restart: { minDelayMs: 50 },', { retuned: ['a'] }],
  ['a server more', 'servers:', 'servers:\n  c: { command: c }', { added: ['c'] }],
  ['a server less', /\n {2}b:.*/, '', { removed: ['b'] }],
  ['another name', '  b: {', '  c: {', { added: ['c'], removed: ['b'] }],
  ['a view', 'a__x: x }', 'a__x: y }', { views: { added: [], removed: [], changed: ['v'] } }],
  ['a view more', 'views:', 'views:\n  w: {}', { views: { added: ['w'], removed: [], changed: [] } }],
  ['a view less', /views:[\s\S]*/, '', { views: { added: [], removed: ['v'], changed: [] } }],
  ['a port', 'servers:', 'listen: { port: 1 }\nservers:', { listenChanged: true }],
  ['an allowed host', 'servers:', 'listen: { allowedHosts: [h] }\nservers:', { guardsChanged: true }],
  ['a limit', 'servers:', 'limits: { maxBatch: 2 }\nservers:', { settings: ['limits.maxBatch'] }],
  ['a log level', 'servers:', 'log: { level: debug }\nservers:', { settings: ['log.level'] }],
  [
    'a timeout servers take over',
    'servers:',
    'timeouts: { requestMs: 9 }\nservers:',
    { settings: ['timeouts.requestMs'], retuned: ['a', 'b'] },
  ],
])('%s is told as what it is, and as nothing else', (_what, from, to, expected) => {
  const after = BASE.replace(from, () => to)
  expect(after).not.toBe(BASE)
  expect(diffConfig(config(BASE), config(after))).toEqual({ ...NOTHING, ...expected, isEmpty: false })
})

test('a disabled server may change in every way without a restart', () => {
  const off = BASE.replace('command: node,', 'command: node, enabled: false,')
  expect(diffConfig(config(off), config(off.replace('args: [x]', 'args: [y]')))).toMatchObject({
    changed: [],
    retuned: ['a'],
  })
})

test.each([
  ['comments and order', `# c\n${BASE}`.replace('{ A: "1", B: "2" }', '{ B: "2", A: "1" }')],
  ['another format', JSON.stringify({ mcpServers: { a: { command: 'node', args: ['x'], env: { A: '1', B: '2' } } } })],
  ['defaults written out', BASE.replace('command: node,', 'command: node, enabled: true, cwd: ., inheritEnv: [],')],
])('%s make no difference', (_what, text) => {
  expect(diffConfig(config(BASE), config(text)).changed).toEqual([])
  expect(diffConfig(config(BASE), config(text)).retuned).toEqual([])
})

test('equal configurations differ in nothing', () => {
  expect(diffConfig(config(BASE), config(`${BASE}\n# a comment\n`))).toEqual(NOTHING)
})

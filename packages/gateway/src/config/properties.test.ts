import fc from 'fast-check'
import { expect, test } from 'vitest'
import { stringify } from 'yaml'
import { ConfigError } from './config-error.ts'
import { diffConfig } from './diff.ts'
import { explainConfig } from './explain.ts'
import { NAME_PATTERN, RESERVED_SERVER_NAMES, RESERVED_VIEW_NAMES } from './names.ts'
import { type ParseOptions, parseConfig } from './parse.ts'

/** Texts without NUL; `$` is escaped when a document is written, since it begins a variable. */
const text = fc
  .string({ unit: 'binary', minLength: 1, maxLength: 20 })
  .filter((value) => !value.includes('\0') && !/[\ud800-\udfff]/u.test(value))
const header = fc.stringMatching(/^[ -~]{1,20}$/)
const name = fc.stringMatching(/^[A-Za-z][A-Za-z0-9_-]{0,10}[A-Za-z0-9]$/).filter((value) => NAME_PATTERN.test(value))
const serverName = name.filter((value) => !RESERVED_SERVER_NAMES.has(value))
const variable = fc.stringMatching(/^[A-Z_][A-Z0-9_]{0,8}$/)
const optional = { requiredKeys: [] }
const selection = fc.record({ include: fc.array(text), exclude: fc.array(text) }, optional)

const shared = {
  enabled: fc.boolean(),
  title: text,
  description: text,
  requestTimeoutMs: fc.integer({ min: 1, max: 1000 }),
  restart: fc.record({ maxDelayMs: fc.integer({ min: 500, max: 9999 }) }, optional),
  tools: selection,
}
const program = fc.record(
  {
    ...shared,
    command: text.filter((value) => !/^~[\\/]/.test(value)),
    args: fc.array(text),
    env: fc.dictionary(variable, text),
    inheritEnv: fc.array(variable),
    cwd: text.filter((value) => !/^~[\\/]/.test(value)),
  },
  { requiredKeys: ['command'] },
)
const remote = fc.record(
  {
    ...shared,
    url: fc.webUrl({ validSchemes: ['https'] }),
    headers: fc.dictionary(fc.stringMatching(/^[A-Za-z-]{1,9}$/), header),
  },
  { requiredKeys: ['url'] },
)
/** Any text but the one that no configuration may have for a key. */
const key = text.filter((value) => value !== '__proto__')
const view = fc.record({ title: text, tools: selection, describe: fc.dictionary(key, text) }, optional)
const document = fc.record(
  {
    listen: fc.record({ port: fc.nat(65_535), allowedHosts: fc.array(fc.domain()) }, optional),
    servers: fc.dictionary(serverName, fc.oneof(program, remote), { maxKeys: 4 }),
    views: fc.dictionary(
      name.filter((value) => !RESERVED_VIEW_NAMES.has(value)),
      view,
      { maxKeys: 3 },
    ),
    log: fc.record({ level: fc.constantFrom('debug', 'info', 'silent') }, optional),
  },
  optional,
)

/** A text of the file that means this text. */
const escaped = (value: unknown): unknown => {
  if (typeof value === 'string') return value.replaceAll('${', '$$${')
  if (Array.isArray(value)) return value.map(escaped)
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, escaped(inner)]))
}
const asJson = (value: unknown) => JSON.stringify(escaped(value), null, 2)
const asYaml = (value: unknown) => stringify(escaped(value), { aliasDuplicateObjects: false })
const OPTIONS: ParseOptions = { baseDir: '/etc', env: {} }

test('what is written is what is read, in YAML and in JSON', () => {
  fc.assert(
    fc.property(document, (written) => {
      const json = parseConfig(asJson(written), { ...OPTIONS, path: 'c.json' }).config
      const yaml = parseConfig(asYaml(written), { ...OPTIONS, path: 'c.yaml' }).config
      expect(diffConfig(json, yaml).isEmpty).toBe(true)
      expect([...json.servers.keys()].sort()).toEqual(Object.keys(written.servers ?? {}).sort())
      for (const [serverOf, server] of Object.entries(written.servers ?? {})) {
        const { transport, enabled } = json.servers.get(serverOf) ?? {}
        expect(enabled).toBe(server.enabled ?? true)
        if ('command' in server) {
          expect(transport).toMatchObject({ command: server.command, args: server.args ?? [], env: { ...server.env } })
        } else {
          expect(transport).toMatchObject({ url: server.url, headers: { ...server.headers } })
        }
      }
    }),
    { numRuns: 60 },
  )
})

test('explaining is stable, complete and never shows an env or header value', () => {
  const secret = 'qXz7!secret'
  fc.assert(
    fc.property(document, (written) => {
      const servers = Object.entries(written.servers ?? {}).map(([key, server]) => {
        return [
          key,
          'command' in server
            ? { ...server, env: { ...server.env, K: secret } }
            : { ...server, headers: { K: secret } },
        ]
      })
      const source = asYaml({ ...written, servers: Object.fromEntries(servers) })
      const loaded = parseConfig(source, OPTIONS)
      const rows = explainConfig(loaded)
      expect(explainConfig(parseConfig(source, OPTIONS))).toEqual(rows)
      expect(new Set(rows.map(({ path }) => path)).size).toBe(rows.length)
      expect(JSON.stringify(rows)).not.toContain(secret)
    }),
    { numRuns: 60 },
  )
})

test('the key "__proto__" is refused wherever it stands, in YAML and in JSON', () => {
  const refused = expect.objectContaining({ message: 'The key "__proto__" is not allowed' })
  fc.assert(
    fc.property(document, text, fc.nat(), (written, value, where) => {
      const tables = tablesOf(written)
      const target = tables[where % tables.length] ?? written
      Object.defineProperty(target, '__proto__', { value, enumerable: true })
      for (const [source, path] of [
        [asJson(written), 'c.json'],
        [asYaml(written), 'c.yaml'],
      ] as const) {
        const read = () => parseConfig(source, { ...OPTIONS, path })
        expect(read).toThrow(expect.objectContaining({ issues: expect.arrayContaining([refused]) }))
      }
    }),
    { numRuns: 60 },
  )
})

/** Every mapping in it, itself first. */
function tablesOf(value: unknown): object[] {
  if (typeof value !== 'object' || value === null) return []
  const inner = Object.values(value).flatMap(tablesOf)
  return Array.isArray(value) ? inner : [value, ...inner]
}

const SEEDS = [
  `# c\nlisten: { port: 1 }\nx-a: &a { A: "\${X:-y}" }\nservers:\n  a:\n    command: node\n    args: [-y, "x"]\n    env: { <<: *a }\nviews:\n  v: { rename: { a__b: c } }\n`,
  '{ "mcpServers": { "a": { "type": "http", "url": "https://x/${A}", "headers": { "K": "v" }, "timeout": 5 } } } // c',
  '{ "servers": { "a": { "command": "x", "args": ["${input:i}"] } }, "inputs": [{ "id": "i", "default": "d" }] }',
  '{ "mcp": { "a": { "type": "local", "command": ["x", "y"], "timeout": { "startup": 1 } } } }',
  'extensions: { a: { cmd: x, args: [y], envs: { A: b }, timeout: 3 } }',
]
const SNIPPETS = [
  '{',
  '}',
  '[',
  ']',
  ':',
  ',',
  '"',
  "'",
  '\n',
  '\t',
  '  ',
  '- ',
  '#',
  '&a',
  '*a',
  '<<',
  '${',
  '}',
  '$',
  '|',
  '>',
  '!!',
  '%',
  '@',
  '?',
  'null',
  '1e999',
  '\0',
  '\uFEFF',
  '\ud800',
  '---\n',
  '__proto__',
  'servers',
  'url',
  'transport',
  'mcpServers',
]

test('whatever is done to a text, it is read or refused with a ConfigError whose places are in it', () => {
  const edit = fc.record({ at: fc.nat(400), drop: fc.nat(12), put: fc.constantFrom('', ...SNIPPETS) })
  fc.assert(
    fc.property(
      fc.constantFrom(...SEEDS),
      fc.array(edit, { minLength: 1, maxLength: 6 }),
      fc.constantFrom('yaml', 'json'),
      (seed, edits, format) => {
        const mutated = edits.reduce((before, { at, drop, put }) => {
          const from = at % (before.length + 1)
          return before.slice(0, from) + put + before.slice(from + drop)
        }, seed)
        expectReadOrRefused(mutated, `c.${format}`)
      },
    ),
    { numRuns: 800 },
  )
})

test('any text at all is read or refused with a ConfigError', () => {
  const noise = fc.oneof(
    fc.string({ unit: 'binary', maxLength: 200 }),
    fc.array(fc.constantFrom(...SNIPPETS)).map((parts) => parts.join('')),
  )
  fc.assert(fc.property(noise, fc.constantFrom('c.yaml', 'c.json', 'c'), expectReadOrRefused), { numRuns: 800 })
})

test('any document of JSON values is read or refused with a ConfigError', () => {
  const key = fc.constantFrom(
    'servers',
    'mcpServers',
    'mcp',
    'context_servers',
    'extensions',
    'views',
    'listen',
    'a',
    'command',
    'url',
    'type',
    'transport',
    'env',
    'headers',
    'args',
    'tools',
    'timeout',
    'inputs',
    'envFile',
    'name',
    'constructor',
    'toString',
  )
  const value = fc.letrec((tie) => ({
    any: fc.oneof(
      { depthSize: 'small' },
      fc.constantFrom('x', '${A}', 'http', '', 1, -0.5, true, null),
      fc.array(tie('any'), { maxLength: 3 }),
      fc.dictionary(key, tie('any'), { maxKeys: 5 }),
    ),
  })).any
  fc.assert(
    fc.property(fc.dictionary(key, value), (any) => {
      expectReadOrRefused(JSON.stringify(any), 'c.json')
      expectReadOrRefused(stringify(any), 'c.yaml')
    }),
    { numRuns: 300 },
  )
})

function expectReadOrRefused(source: string, path: string): void {
  try {
    const loaded = parseConfig(source, { ...OPTIONS, path })
    explainConfig(loaded)
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error
    const lines = source.replace(/^\uFEFF/, '').split('\n')
    expect(error.issues.length).toBeGreaterThan(0)
    for (const { line, column } of error.issues) {
      expect(line).toBeGreaterThan(0)
      expect(line).toBeLessThanOrEqual(lines.length)
      expect(column).toBeGreaterThan(0)
      expect(column).toBeLessThanOrEqual((lines[line - 1]?.length ?? 0) + 1)
    }
  }
}

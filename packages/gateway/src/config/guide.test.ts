import { readdir, readFile } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'
import { loadConfig } from '../node/config-file.ts'
import { INHERITED_ENV } from './child-environment.ts'
import { parseConfig } from './parse.ts'
import { knownKeys } from './schema.ts'

const root = fileURLToPath(new URL('../../../../', import.meta.url))
const guide = await readFile(`${root}docs/guides/configuration.md`, 'utf8')
const credentials = await readFile(`${root}docs/guides/credentials.md`, 'utf8')
const blocks = [...`${guide}\n${credentials}`.matchAll(/^```(yaml|jsonc)\n(.*?)^```$/gms)].map(
  ([, format = '', text = '']) => ({
    format,
    text,
  }),
)

test.each(blocks)('the guide’s $format block is a configuration: $text', ({ format, text }) => {
  const { warnings } = parseConfig(text, {
    path: `guide.${format}`,
    baseDir: '/etc/crosspoint',
    env: { DOCS_TOKEN: 'x', GITHUB_TOKEN: 'x', CROSSPOINT_VAULT_KEY: 'x' },
  })
  expect(warnings.map(({ message }) => message).filter((message) => message !== 'No server is configured')).toEqual([])
})

const signingIn = await readFile(`${root}docs/guides/signing-in.md`, 'utf8')

test.each([...signingIn.matchAll(/^```yaml\n(.*?)^```$/gms)].map(([, text = '']) => text))(
  'the guide to signing in shows configurations: %s',
  (text) => {
    const { warnings } = parseConfig(text, { path: 'guide.yaml', env: { LOGIN_SECRET: 'x' } })
    expect(warnings.map(({ message }) => message).filter((message) => message !== 'No server is configured')).toEqual(
      [],
    )
  },
)

test('the guide shows the defaults that are in force', () => {
  const all = blocks.find(({ text }) => text.includes('killGraceMs'))?.text ?? ''
  const { listen, limits, timeouts, log, store } = parseConfig(all).config
  expect({ listen, limits, timeouts, log, store }).toMatchObject(parseSettings(''))
})

test('the guide names every key and every inherited variable', () => {
  const paths = [
    [],
    ['listen'],
    ['auth'],
    ['auth', 'keys'],
    ['auth', 'tokens'],
    ['auth', 'issuers', 0],
    ['auth', 'stdio'],
    ['auth', 'server'],
    ['auth', 'server', 'upstream'],
    ['auth', 'server', 'clients', 'a'],
    ['auth', 'server', 'enterprise', 0],
    ['auth', 'server', 'registration'],
    ['auth', 'server', 'ttl'],
    ['servers', 'a'],
    ['servers', 'a', 'restart'],
    ['servers', 'a', 'auth'],
    ['servers', 'a', 'auth', 'discovery'],
    ['secrets', 's'],
    ['vault'],
    ['servers', 'a', 'replicas'],
    ['routes', 'r'],
    ['views', 'v'],
    ['limits'],
    ['timeouts'],
    ['traffic'],
    ['traffic', 'door'],
    ['traffic', 'durable'],
    ['traffic', 'limits', '0', 'match'],
    ...['limits', 'budgets', 'costs', 'concurrency', 'priorities', 'breakers', 'retries'].map((key) => [
      'traffic',
      key,
      '0',
    ]),
    ['traffic', 'concurrency', '0', 'queue'],
    ['traffic', 'cache'],
    ['traffic', 'cache', 'rules', '0'],
    ['log'],
    ['audit'],
    ['admin'],
    ['admin', 'roles'],
    ['telemetry'],
    ['telemetry', 'service'],
    ['telemetry', 'traces'],
    ['telemetry', 'metrics'],
    ['telemetry', 'metrics', 'prometheus'],
    ['store'],
    ['cluster'],
  ]
  const names = [...paths.flatMap(knownKeys), ...INHERITED_ENV.posix, ...INHERITED_ENV.windows]
  expect(names.length).toBeGreaterThan(80)
  expect(names.filter((name) => !guide.includes(name))).toEqual([])
})

test('every example is a configuration without warnings', async () => {
  const found: string[] = []
  for (const story of await readdir(`${root}examples`)) {
    for (const file of await readdir(`${root}examples/${story}`)) {
      if (!/^crosspoint\.(?:ya?ml|jsonc?)$/.test(file)) continue
      found.push(story)
      expect(loadConfig(`${root}examples/${story}/${file}`, { env: {} }).warnings, story).toEqual([])
    }
  }
  expect(found).toEqual(expect.arrayContaining(['quickstart', 'views', 'mcp-servers']))
})

function parseSettings(text: string) {
  const { listen, limits, timeouts, log, store } = parseConfig(text).config
  return { listen, limits, timeouts, log, store }
}

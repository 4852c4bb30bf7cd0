import { describe, expect, test } from 'vitest'
import { ConfigError } from './config-error.ts'
import { diffConfig } from './diff.ts'
import { explainConfig } from './explain.ts'
import { parseConfig } from './parse.ts'
import { secretsIn, withSecrets } from './secret-marks.ts'

const parse = (config: object, env = {}) =>
  parseConfig(JSON.stringify(config), { path: '/etc/cp/crosspoint.json', baseDir: '/etc/cp', env })

function complaintsOf(config: object): readonly string[] {
  try {
    parse(config)
  } catch (error) {
    if (error instanceof ConfigError) return error.issues.map(({ path, message }) => `${path}: ${message}`)
    throw error
  }
  return []
}

const SECRETS = { a: { env: 'A' }, f: { file: 'f.txt' }, v: { vault: 'v' } }

describe('secrets in a configuration', () => {
  test('a name of a secret is a mark in the model, and its value nowhere', () => {
    const { config } = parse(
      { secrets: SECRETS, servers: { s: { url: 'https://s.example', headers: { 'x-key': 'k ${secret:a}!' } } } },
      { A: 'hidden' },
    )
    const transport = config.servers.get('s')?.transport
    const text = transport?.kind === 'http' ? (transport.headers['x-key'] ?? '') : ''
    expect(secretsIn(text)).toEqual(['a'])
    expect(withSecrets(text, (name) => `<${name}>`)).toBe('k <a>!')
    expect(config.secrets.get('f')).toEqual({ kind: 'file', path: '/etc/cp/f.txt' })
    expect(JSON.stringify([...config.servers])).not.toContain('hidden')
  })

  test('a value of the environment that is written like a name of a secret is none', () => {
    const { config } = parse(
      { secrets: SECRETS, servers: { s: { command: 'x', env: { T: '${EVIL}', U: '$${secret:a}' } } } },
      { EVIL: '${secret:a}' },
    )
    const transport = config.servers.get('s')?.transport
    expect(transport?.kind === 'stdio' && transport.env).toEqual({ T: '${secret:a}', U: '${secret:a}' })
    expect(secretsIn(JSON.stringify(transport))).toEqual([])
  })

  test.each([
    [{ servers: { s: { url: 'https://s.example/?k=${secret:a}' } } }, 'servers.s.url: A secret cannot stand here'],
    [{ servers: { s: { command: 'x', args: ['${secret:a}'] } } }, 'servers.s.args[0]: A secret cannot stand here'],
    [{ servers: { s: { command: 'x', env: { T: '${secret:b}' } } } }, 'servers.s.env.T: No secret is named "b"'],
    [{ secrets: { a: {} } }, 'secrets.a: A secret is in one of'],
    [{ secrets: { a: { env: 'A', file: 'b' } } }, 'secrets.a: A secret is in one of'],
    [{ vault: { key: 'k', keyFile: 'f' } }, 'vault.keyFile: The vault has either'],
    [{ store: { path: 'state/store.db' }, vault: { keyFile: 'state/k' } }, 'vault.keyFile: The key lies beside'],
    [{ store: { path: 's.db' }, vault: { previousKeyFiles: ['k'] } }, 'vault.previousKeyFiles: The key lies beside'],
    [{ store: { kind: 'postgres', url: 'postgres://x/y' }, secrets: SECRETS }, ': Gateways that share a store'],
  ])('%j is refused', (config, complaint) => {
    expect(complaintsOf({ secrets: SECRETS, ...config })).toEqual([expect.stringContaining(complaint)])
  })

  test('abuse-50: what is shown of a configuration has names of secrets, and no values', () => {
    const loaded = parse(
      {
        secrets: SECRETS,
        vault: { key: 'AAAA', previousKeys: ['BBBB'] },
        servers: {
          s: {
            url: 'https://s.example',
            auth: { kind: 'oauth', clientId: 'c', clientSecret: 'plain', discovery: { headers: { x: 'CCCC' } } },
          },
          t: { url: 'https://t.example', headers: { x: 'k ${secret:a}' } },
        },
      },
      { A: 'hidden' },
    )
    const shown = JSON.stringify(explainConfig(loaded))
    expect(shown).toContain('${secret:a}')
    expect(shown).not.toMatch(/plain|AAAA|BBBB|CCCC|hidden|\\u0000/)
  })

  test('a server is started again when a secret of its own is elsewhere now, and no other is', () => {
    const of = (secrets: object, vault: object = {}) =>
      parse({
        secrets,
        vault,
        servers: {
          uses: { command: 'x', env: { T: '${secret:a}' } },
          not: { command: 'x' },
          signs: { url: 'https://s.example', auth: { kind: 'oauth' } },
        },
      }).config
    const before = of(SECRETS)
    expect(diffConfig(before, of({ ...SECRETS, a: { env: 'B' } })).changed).toEqual(['uses'])
    expect(diffConfig(before, of(SECRETS, { key: 'k' })).changed).toEqual(['signs'])
    expect(diffConfig(before, of(SECRETS)).isEmpty).toBe(true)
  })
})

describe('how servers are signed in to', () => {
  const url = 'https://s.example/mcp'
  const client = { clientId: 'c', clientSecret: 's' }

  test('each kind has what it needs', () => {
    const { config } = parse({
      servers: {
        a: { url, auth: { kind: 'oauth' } },
        b: { url, auth: { kind: 'client-credentials', ...client } },
        c: { url, auth: { kind: 'exchange', issuer: 'https://i.example', ...client } },
      },
    })
    expect(config.servers.get('a')?.auth).toEqual({ kind: 'oauth', scopes: [], trustedHosts: [] })
    expect(config.servers.get('b')?.auth).toMatchObject({ client: { id: 'c', secret: 's' } })
    expect(config.servers.get('c')?.auth).toMatchObject({ resource: url, issuer: 'https://i.example' })
  })

  test.each([
    [{ command: 'x', auth: { kind: 'oauth' } }, 'auth: Only a server with an http(s) "url"'],
    [{ url: 'unix:/run/x', auth: { kind: 'oauth' } }, 'auth: Only a server with an http(s) "url"'],
    [{ urls: [url, 'https://t.example'], auth: { kind: 'oauth' } }, 'urls: People sign in to one address'],
    [{ url: 'http://s.example', auth: { kind: 'oauth' } }, 'url: Tokens would travel over an open line'],
    [{ url, auth: { kind: 'oauth', issuer: 'http://i.example' } }, 'auth.issuer: Secrets would travel'],
    [{ url, auth: { kind: 'oauth', audience: 'x' } }, 'auth.audience: A sign-in of kind "oauth" has no use'],
    [{ url, auth: { kind: 'oauth', clientSecret: 'x' } }, 'auth: The client has no "clientId"'],
    [{ url, auth: { kind: 'client-credentials' } }, 'auth: The client has no "clientId"'],
    [{ url, auth: { kind: 'client-credentials', clientId: 'c' } }, 'auth: The client has no "clientSecret"'],
    [{ url, auth: { kind: 'exchange', ...client } }, 'auth: Who exchanges tokens'],
    [{ url, auth: { kind: 'oauth' }, sessions: 'shared' }, 'sessions: Callers who sign in one by one'],
    [{ url, auth: { kind: 'oauth' }, headers: { authorization: 'x' } }, 'headers: "Authorization" is sent by'],
  ])('%j is refused', (server, complaint) => {
    expect(complaintsOf({ servers: { s: server } })).toEqual([expect.stringContaining(`servers.s.${complaint}`)])
  })
})

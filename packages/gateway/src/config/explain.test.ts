import { expect, test } from 'vitest'
import { explainConfig } from './explain.ts'
import { type ParseOptions, parseConfig } from './parse.ts'

const TEXT = `listen:
  port: 9000
servers:
  github:
    command: \${BIN}/npx
    args: [-y, some-server, --token, hunter2, "\${TOKEN:-hunter2}"]
    env: { TOKEN: "\${TOKEN}", PLAIN: hunter2, MIXED: "hunter2\${TOKEN}", ESCAPED: "$\${hunter2}" }
    requestTimeoutMs: 5000
  docs:
    url: https://docs.example.com/mcp?key=hunter2
    headers: { Authorization: Bearer hunter2 }
`
const ENV = {
  TOKEN: 'hunter2',
  BIN: '/usr/bin',
  CROSSPOINT_LISTEN_HOST: 'localhost',
  CROSSPOINT_TIMEOUTS_CONNECT_MS: '77',
}

function explained(text = TEXT, options: ParseOptions = {}) {
  const rows = explainConfig(parseConfig(text, { path: 'c.yaml', baseDir: '/etc', env: ENV, ...options }))
  return new Map(rows.map(({ path, ...row }) => [path, row]))
}

test('the strongest source wins and is named: flag over environment over file over default', () => {
  const flags = [{ flag: '--host', path: 'listen.host', value: '127.0.0.2' }]
  expect(explained().get('listen.port')).toEqual({ value: 9000, source: 'file', place: 'c.yaml:2:9' })
  expect(explained().get('listen.host')).toEqual({ value: 'localhost', source: 'env', place: 'CROSSPOINT_LISTEN_HOST' })
  expect(explained(TEXT, { flags }).get('listen.host')).toEqual({ value: '127.0.0.2', source: 'flag', place: '--host' })
  expect(explained().get('log.level')).toEqual({ value: 'info', source: 'default' })
})

test('what a server takes over from elsewhere says from where', () => {
  const rows = explained()
  expect(rows.get('timeouts.connectMs')).toMatchObject({ value: 77, source: 'env' })
  expect(rows.get('servers.docs.connectTimeoutMs')).toEqual({
    value: 77,
    source: 'default',
    place: 'timeouts.connectMs',
  })
  expect(rows.get('servers.github.cwd')).toEqual({ value: '/etc', source: 'default', place: 'the folder of the file' })
  expect(rows.get('servers.github.requestTimeoutMs')).toMatchObject({ value: 5000, source: 'file' })
  const maxOf = (name: string, text?: string) => explained(text).get(`servers.${name}.maxRequestMs`)
  expect(maxOf('docs')).toEqual({ value: 900_000, source: 'default', place: 'timeouts.maxRequestMs' })
  const longer = TEXT.replace('requestTimeoutMs: 5000', 'requestTimeoutMs: 5000000')
  expect(maxOf('github', longer)).toEqual({ value: 5_000_000, source: 'default', place: 'requestTimeoutMs' })
  expect(rows.has('servers.docs.cwd')).toBe(false)
  const prefix = { value: 'docs', source: 'default', place: 'the name of the server' }
  expect(rows.get('servers.docs.prefix')).toEqual(prefix)
  const bare = explained(TEXT.replace('requestTimeoutMs: 5000', "prefix: ''"))
  expect(bare.get('servers.github.prefix')).toMatchObject({ value: '', source: 'file' })
})

test('no secret is shown, only the variables it comes from', () => {
  const rows = explained()
  expect(JSON.stringify([...rows])).not.toContain('hunter2')
  expect(rows.get('servers.github.env.TOKEN')?.value).toBe('•••• (${TOKEN})')
  expect(rows.get('servers.github.env.PLAIN')?.value).toBe('••••')
  expect(rows.get('servers.github.env.MIXED')?.value).toBe('•••• (${TOKEN})')
  expect(rows.get('servers.github.args')?.value).toEqual(['-y', 'some-server', '--token', '••••', '${TOKEN:-••••}'])
  expect(rows.get('servers.docs.url')?.value).toBe('https://docs.example.com/mcp?key=••••')
  expect(rows.get('servers.github.command')?.value).toBe('/usr/bin/npx')
})

test('another tool’s spelling is shown beside ours', () => {
  const text = '{ "mcpServers": { "a": { "command": "x", "disabled": true } } }'
  expect(explained(text, { path: 'mcp.json' }).get('servers.a.enabled')).toEqual({
    value: false,
    source: 'file',
    place: 'mcp.json:1:54',
    writtenAs: 'mcpServers.a.disabled',
  })
})

import { expect, test } from 'vitest'
import { parseConfig } from './parse.ts'

const read = (text: string) => parseConfig(text, { path: 'conf/crosspoint.yaml', baseDir: '/etc/conf' })
const server = (rest: string) => `servers: { a: { ${rest} } }`

test.each([
  ['command: crosspoint, args: [stdio]'],
  ['command: npx, args: [-y, crosspoint, stdio]'],
  ['command: npx, args: [-y, "crosspoint@1.2", up]'],
  ['command: node, args: [/opt/x/bin/crosspoint.js, stdio, --config, crosspoint.yaml]'],
  ['command: "C:\\\\bin\\\\crosspoint.cmd", args: [stdio, "--config=/etc/conf/crosspoint.yaml"]'],
  ['command: crosspoint, args: [stdio, -c, conf/crosspoint.yaml], cwd: /etc'],
])('a server that is the gateway itself is refused: %s', (rest) => {
  expect(() => read(server(rest))).toThrow('This is the gateway itself, which would start itself again and again')
  expect(read(server(`${rest}, enabled: false`)).warnings).toEqual([])
})

test.each([
  ['command: crosspoint, args: [stdio, --config, other.yaml]', ['This is another gateway inside the gateway']],
  ['command: crosspoint, args: [ls]', []],
  ['command: crosspointer, args: [stdio]', []],
  ['command: node, args: [crosspoint/server.js, stdio]', []],
])('and what only looks like it is not: %s', (rest, warnings) => {
  expect(read(server(rest)).warnings.map(({ message }) => message)).toEqual(warnings)
})

test.each([
  ['url: "http://127.0.0.1:8360/mcp"', true],
  ['url: "http://localhost:8360/mcp/view"', true],
  ['url: "http://[::1]:8360/mcp"', true],
  ['url: "http://localhost:8361/mcp"', false],
  ['url: "http://localhost:8360/other"', false],
])('the address of the gateway itself is refused as a server: %s', (rest, isOwn) => {
  const run = () => read(server(rest))
  if (isOwn) expect(run).toThrow('This is the address of the gateway itself')
  else expect(run).not.toThrow()
})

test.each([
  ['url: "https://u:p@x/"', 'A URL must not hold a user name or password'],
  ['url: "https://"', 'This is not a valid URL'],
  ['url: "https://x", headers: { A: "b\\nc" }', 'A header value cannot hold this character'],
  ['url: "https://x", headers: { A: "日本" }', 'A header value cannot hold this character'],
  ['url: "https://x", env: { A: b }', 'Only a server with "command" has this'],
  ['url: "https://x", type: stdio', 'A stdio server needs "command"'],
  ['command: x, headers: { A: b }', 'Only a server with "url" has this'],
  ['command: x, type: sse', 'A sse server needs "url"'],
  ['url: "http://a/mcp", urls: ["http://b/mcp"]', 'A server has either "url" or "urls"'],
  ['command: x, urls: ["http://b/mcp"]', 'A server has either "command" or "url", not both'],
  ['urls: ["http://a/mcp", { url: "http://a/mcp", weight: 2 }]', 'This address is there already'],
  ['urls: ["http://a/mcp", "http://u:p@b/mcp"]', 'A URL must not hold a user name or password'],
  ['urls: ["http://a/mcp", "http://localhost:8360/mcp"]', 'This is the address of the gateway itself'],
  ['url: "http://a/mcp", instances: 2', 'Only a server with "command" has this'],
  [
    'command: x, instances: 2, replicas: { ejectMs: 9000, maxEjectMs: 10 }',
    'Must not be longer than replicas.maxEjectMs',
  ],
  ['type: http', 'The server has no "url"'],
  ['type: stdio', 'The server has no "command"'],
  ['command: ~/bin/x', 'No shell is there to replace "~"'],
  ['command: x, cwd: ~/work', 'No shell is there to replace "~"'],
  ['command: x, prefix: crosspoint', 'The prefix "crosspoint" is reserved'],
  ['command: x, prefix: a__b', 'A prefix is empty, or has 1 to 32'],
  ['command: x, prefix: 5', 'A prefix is empty, or has 1 to 32'],
  ['command: x, restart: { minDelayMs: 100, maxDelayMs: 50 }', 'Must not be longer than restart.maxDelayMs'],
])('%s is refused', (rest, message) => {
  expect(() => read(server(rest))).toThrow(message)
})

test.each([
  ['servers: { crosspoint: { command: x } }', 'The name "crosspoint" is reserved'],
  ['servers: { a: { command: x } }\nviews: { server-card: {} }', 'The name "server-card" is reserved'],
  [
    'servers: { a: { command: x } }\nviews: { v: { tools: { include: [a__x, y] }, rename: { a__x: y } } }',
    'The name "y" is the name of another tool of this view',
  ],
])('%j is refused', (text, message) => {
  expect(() => read(text)).toThrow(message)
})

test.each([
  ['gh__x', 'github__x', 'did you mean "gh"?'],
  ['anything', undefined, undefined],
])('a tool a view speaks of is looked for by the prefix of its server: %s', (right, wrong, hint) => {
  const prefix = wrong === undefined ? "''" : 'gh'
  const text = (tool: string) =>
    `servers: { github: { command: x, prefix: ${prefix} } }\nviews: { v: { describe: { ${tool}: y } } }`
  expect(read(text(right)).warnings).toEqual([])
  if (wrong === undefined) return
  expect(read(text(wrong)).warnings).toMatchObject([{ message: 'No server of this view has a tool of that name' }])
  expect(read(text('gg__x')).warnings).toMatchObject([{ hint }])
})

test('tools may swap their names', () => {
  const text =
    'servers: { a: { command: x } }\nviews: { v: { tools: { include: [a__x, a__y] }, rename: { a__x: a__y, a__y: a__x } } }'
  expect(read(text).warnings).toEqual([])
})

test('a key beside the store that it vouches for is warned of', () => {
  const warningsOf = (keyFile: string) =>
    parseConfig(
      JSON.stringify({ servers: { a: { command: 'a' } }, store: { path: 'data/store.db' }, audit: { keyFile } }),
      {
        path: 'crosspoint.json',
        baseDir: '/etc/crosspoint',
      },
    ).warnings.map(({ path, message }) => `${path}: ${message}`)
  expect(warningsOf('data/audit.key')).toEqual(['audit.keyFile: The key lies beside the store it vouches for'])
  expect(warningsOf('keys/audit.key')).toEqual([])
})

test('replicas are told apart by host, or by their place, and one address is none', () => {
  const replicasOf = (rest: string) => read(server(rest)).config.servers.get('a')?.replicas
  expect(replicasOf('urls: ["http://a:1/mcp?key=1", "http://b/x", { url: "http://b/y", weight: 3 }]')).toMatchObject({
    balance: 'random-two',
    members: [
      { name: 'a:1', transport: { kind: 'http', url: 'http://a:1/mcp?key=1' }, weight: 1 },
      { name: 'b#2', weight: 1 },
      { name: 'b#3', weight: 3 },
    ],
  })
  expect(replicasOf('command: x, instances: 2')?.members.map(({ name }) => name)).toEqual(['#1', '#2'])
  expect(replicasOf('urls: ["http://a/mcp"]')).toBeUndefined()
  expect(read(server('urls: ["http://a/mcp"], replicas: { sticky: never }')).warnings[0]?.message).toBe(
    'The server has no replicas',
  )
})

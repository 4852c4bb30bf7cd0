import { expect, test } from 'vitest'
import { ConfigError } from './config-error.ts'
import { type ParseOptions, parseConfig } from './parse.ts'

function complaintsOf(text: string, options: ParseOptions = {}): string[] {
  try {
    parseConfig(text, options)
  } catch (error) {
    if (error instanceof ConfigError) return error.message.split('\n')
    throw error
  }
  return []
}

const warningsOf = (text: string, options: ParseOptions = {}) =>
  parseConfig(text, options).warnings.map(({ line, column, message }) => `${line}:${column} ${message}`)

test('reads a whole configuration, every default filled in', () => {
  const text = `
# yaml-language-server: $schema=./crosspoint.schema.json
$schema: ./crosspoint.schema.json
x-env: &env { LEVEL: debug }
listen: { port: 9000, allowedHosts: [gateway.local] }
servers:
  github:
    command: npx
    args: [-y, some-server, --port, 80]
    env: { <<: *env, TOKEN: "\${TOKEN}", COUNT: 3, ON: true }
    inheritEnv: [SSH_AUTH_SOCK]
    cwd: work
    tools: { include: [get_*], exclude: [get_secret] }
    restart: { maxDelayMs: 1000 }
  docs:
    url: https://docs.example.com/mcp
    headers: { Authorization: Bearer x }
    revision: 2025-06-18
    requestTimeoutMs: 5000
    enabled: false
views:
  reading:
    title: Reading
    servers: [github]
    rename: { github__get_file: read }
    describe: { github__get_file: Reads a file }
timeouts: { connectMs: 1000 }
`
  const { config, warnings } = parseConfig(text, { baseDir: '/etc/crosspoint', env: { TOKEN: 's3cret' } })
  expect(warnings).toEqual([])
  expect(config).toMatchInlineSnapshot(`
    {
      "admin": {
        "allowedHosts": [],
        "allowedOrigins": [],
        "audience": [],
        "enabled": true,
        "host": "127.0.0.1",
        "roles": {
          "admin": [
            "admin",
          ],
          "auditor": [
            "auditor",
          ],
          "viewer": [
            "viewer",
          ],
        },
      },
      "cluster": {
        "leaseMs": 3000,
        "listen": {
          "host": "127.0.0.1",
          "port": 8362,
        },
      },
      "limits": {
        "maxBatch": 50,
        "maxConcurrent": 64,
        "maxDepth": 64,
        "maxIconBytes": 65536,
        "maxIcons": 64,
        "maxParked": 1000,
        "maxParkedBytes": 134217728,
        "maxParkedPerPrincipal": 250,
        "maxRequestBytes": 4194304,
        "maxResponseBytes": 67108864,
        "maxSessions": 10000,
        "maxStreamBytes": 4194304,
        "maxUpstreamSessions": 256,
        "pageSize": 1000,
      },
      "listen": {
        "allowedHosts": [
          "gateway.local",
        ],
        "allowedOrigins": [],
        "host": "127.0.0.1",
        "maxConnections": 20000,
        "port": 9000,
      },
      "log": {
        "level": "info",
      },
      "policy": {
        "assign": [],
        "default": "allow",
        "dryRun": false,
        "roles": Map {},
        "rules": [],
        "scopes": Map {},
        "views": Map {},
      },
      "routes": Map {},
      "secrets": Map {},
      "servers": Map {
        "github" => {
          "connectTimeoutMs": 1000,
          "enabled": true,
          "maxRequestMs": 900000,
          "name": "github",
          "prefix": "github",
          "requestTimeoutMs": 60000,
          "restart": {
            "maxDelayMs": 1000,
            "minDelayMs": 500,
            "resetAfterMs": 60000,
          },
          "sessions": "per-principal",
          "tools": {
            "exclude": [
              "get_secret",
            ],
            "include": [
              "get_*",
            ],
          },
          "transport": {
            "args": [
              "-y",
              "some-server",
              "--port",
              "80",
            ],
            "command": "npx",
            "cwd": "/etc/crosspoint/work",
            "env": {
              "COUNT": "3",
              "LEVEL": "debug",
              "ON": "true",
              "TOKEN": "s3cret",
            },
            "inheritEnv": [
              "SSH_AUTH_SOCK",
            ],
            "kind": "stdio",
          },
        },
        "docs" => {
          "connectTimeoutMs": 1000,
          "enabled": false,
          "maxRequestMs": 900000,
          "name": "docs",
          "prefix": "docs",
          "requestTimeoutMs": 5000,
          "restart": {
            "maxDelayMs": 60000,
            "minDelayMs": 500,
            "resetAfterMs": 60000,
          },
          "revision": "2025-06-18",
          "sessions": "per-principal",
          "tools": {},
          "transport": {
            "headers": {
              "Authorization": "Bearer x",
            },
            "kind": "http",
            "url": "https://docs.example.com/mcp",
          },
        },
      },
      "store": {
        "kind": "embedded",
        "maxConnections": 10,
        "timeoutMs": 5000,
      },
      "telemetry": {
        "content": false,
        "maxTools": 1000,
        "passBaggage": false,
        "service": {
          "attributes": {},
        },
        "uris": false,
      },
      "timeouts": {
        "connectMs": 1000,
        "drainMs": 25000,
        "iconMs": 10000,
        "inputMs": 600000,
        "killGraceMs": 2000,
        "maxRequestMs": 900000,
        "probeMs": 5000,
        "relistMs": 300000,
        "requestMs": 60000,
        "sessionIdleMs": 1800000,
        "upstreamIdleMs": 600000,
      },
      "traffic": {
        "breakers": [],
        "budgets": [],
        "cache": {
          "maxBytes": 67108864,
          "maxEntries": 10000,
          "rules": [],
        },
        "concurrency": [],
        "costs": [],
        "durable": {
          "minWindowMs": 60000,
          "writeDelayMs": 1000,
        },
        "limits": [],
        "onLoss": "local",
        "priorities": [],
        "retries": [],
      },
      "vault": {
        "previousKeyFiles": [],
        "previousKeys": [],
      },
      "views": Map {
        "reading" => {
          "describe": Map {
            "github__get_file" => "Reads a file",
          },
          "name": "reading",
          "prompts": {},
          "rename": Map {
            "github__get_file" => "read",
          },
          "resources": {},
          "servers": [
            "github",
          ],
          "title": "Reading",
          "tools": {},
        },
      },
    }
  `)
})

test('the model cannot be changed', () => {
  const { config } = parseConfig('servers: { a: { command: node, args: [x] } }')
  const transport = config.servers.get('a')?.transport
  expect(() => Object.assign(transport ?? {}, { kind: 'http' })).toThrow(TypeError)
  expect(Object.isFrozen(config.limits)).toBe(true)
})

test.each([
  ['a byte order mark', '\uFEFFservers: { a: { command: node } }', undefined],
  ['CRLF', 'servers:\r\n  a:\r\n    command: node\r\n', undefined],
  ['JSON', '{ "servers": { "a": { "command": "node" } } }', 'crosspoint.json'],
  [
    'JSON with comments and trailing commas',
    '// c\n{ "servers": { "a": { "command": "node", }, }, /* d */ }',
    'crosspoint.json',
  ],
  ['JSON by its first letter', ' \n{ "servers": { "a": { "command": "node" } } } // c', 'stdin'],
  ['YAML by default', 'servers: {a: {command: node}}', 'stdin'],
  ['merge keys', 'x-base: &b { command: node }\nservers: { a: { <<: *b } }', undefined],
  [
    'a list of merge keys',
    'x-a: &a { command: node }\nx-b: &b { command: deno, args: [x] }\nservers: { a: { <<: [*a, *b] } }',
    undefined,
  ],
  ['aliases', 'x-a: &a { command: node }\nservers: { a: *a }', undefined],
  ['empty sections', 'listen:\nservers:\n  a:\n    command: node\n    env:\n    args:\nviews:\n', undefined],
])('reads %s', (_what, text, path) => {
  const { config, warnings } = parseConfig(text, path === undefined ? {} : { path })
  expect(config.servers.get('a')?.transport).toMatchObject({ kind: 'stdio', command: 'node' })
  expect(warnings).toEqual([])
})

test.each([[''], ['\n# nothing but a comment\n'], ['servers: {}'], ['{}']])('%j is allowed, with a warning', (text) => {
  const { config, warnings } = parseConfig(text)
  expect(config.servers.size).toBe(0)
  expect(warnings).toMatchObject([{ message: 'No server is configured', line: 1 }])
})

test.each<[string, string, string?]>([
  // Syntax.
  ['servers:\n\t- a', 'crosspoint.yaml:2:1: Tabs cannot indent in YAML; use spaces'],
  ['servers: {', 'crosspoint.yaml:1:11: The indentation does not fit the lines above'],
  [
    'a: b: c',
    'crosspoint.yaml:1:4: A block of several lines cannot be a key; is a text with ": " in it missing its quotes?',
  ],
  ['servers: "x', 'crosspoint.yaml:1:12: A character is missing here: a quote, comma, colon or closing bracket'],
  ['servers: @x', 'crosspoint.yaml:1:10: A plain text cannot start with this character; put it in quotes'],
  ['log: {}\n---\nlog: {}', 'crosspoint.yaml:2:1: The file holds several documents ("---"); only one is read'],
  [
    'servers: { a: { command: !!js/function x } }',
    'crosspoint.yaml:1:26: This tag is not known; only the plain values of YAML are read',
  ],
  ['log: *nowhere', 'crosspoint.yaml:1:6: log: This alias names no anchor above it'],
  ['? [a]\n: 1', 'crosspoint.yaml:1:3: A key must be a text'],
  [
    'servers: { a: { <<: 1, command: x } }',
    'crosspoint.yaml:1:17: servers.a["<<"]: A merge key takes a mapping or a list of them',
  ],
  ['{ "a" 1 }', 'crosspoint.json:1:7: A colon is expected here', 'crosspoint.json'],
  ['{ "servers": { "a": {} }', 'crosspoint.json:1:25: A closing brace "}" is missing', 'crosspoint.json'],
  ['{ "servers": nope }', 'crosspoint.json:1:14: Unexpected word; texts stand in double quotes', 'crosspoint.json'],
  // Shape.
  [
    '- a',
    'crosspoint.yaml:1:1: A configuration is a mapping (begin with "servers:", or see the guide for crosspoint.yaml)',
  ],
  [
    'hello',
    'crosspoint.yaml:1:1: A configuration is a mapping (begin with "servers:", or see the guide for crosspoint.yaml)',
  ],
  ['servers: [a]', 'crosspoint.yaml:1:1: servers: Must be a mapping from names to servers'],
  ['servers:\n  a:', 'crosspoint.yaml:2:3: servers.a: Must be a mapping with "command" or "url"'],
  ['servers: { a: node }', 'crosspoint.yaml:1:12: servers.a: Must be a mapping with "command" or "url"'],
  [
    'servers: { a: { command: node }, a: { command: x } }',
    'crosspoint.yaml:1:34: servers.a: The key is written twice (keep one of them)',
  ],
  [
    '{"log": {}, "log": {}}',
    'crosspoint.json:1:13: log: The key is written twice (keep one of them)',
    'crosspoint.json',
  ],
  [
    '{"__proto__": {"servers": {}}}',
    'crosspoint.json:1:2: __proto__: The key "__proto__" is not allowed',
    'crosspoint.json',
  ],
  [
    '{"servers": {"a": {"command": "a\\u0000b"}}}',
    'crosspoint.json:1:31: servers.a.command: The text contains a NUL character',
    'crosspoint.json',
  ],
  ['sevrers: {}', 'crosspoint.yaml:1:1: sevrers: Unknown key "sevrers" (did you mean "servers"?)'],
  [
    'servers: { a: { comand: node, url: "https://x" } }',
    'crosspoint.yaml:1:17: servers.a.comand: Unknown key "comand" (did you mean "command"?)',
  ],
  [
    'servers: { a: { command: node, disabled: true } }',
    'crosspoint.yaml:1:32: servers.a.disabled: Unknown key "disabled" (here it is "enabled")',
  ],
  ['listen: { prot: 1 }', 'crosspoint.yaml:1:11: listen.prot: Unknown key "prot" (did you mean "port"?)'],
  ['log: { colour: red }', 'crosspoint.yaml:1:8: log.colour: Unknown key "colour" (known here: level)'],
  ['listen: { port: 65536 }', 'crosspoint.yaml:1:11: listen.port: Must be a whole number from 0 to 65535'],
  ['listen: { port: 80.5 }', 'crosspoint.yaml:1:11: listen.port: Must be a whole number from 0 to 65535'],
  ['listen: { port: -1 }', 'crosspoint.yaml:1:11: listen.port: Must be a whole number from 0 to 65535'],
  ['listen: { port: .inf }', 'crosspoint.yaml:1:11: listen.port: Must be a whole number from 0 to 65535'],
  ['listen: { port: eighty }', 'crosspoint.yaml:1:11: listen.port: Must be a whole number from 0 to 65535'],
  [
    'listen: { host: "http://x" }',
    'crosspoint.yaml:1:11: listen.host: Must be a host name or an IP address, without brackets or port',
  ],
  [
    'listen: { host: "[::1]" }',
    'crosspoint.yaml:1:11: listen.host: Must be a host name or an IP address, without brackets or port',
  ],
  [
    'listen: { allowedOrigins: ["https://x/y"] }',
    'crosspoint.yaml:1:28: listen.allowedOrigins[0]: Must be an origin such as "https://example.com", without a path',
  ],
  [
    'servers: { a: { command: node, enabled: maybe } }',
    'crosspoint.yaml:1:32: servers.a.enabled: Must be true or false',
  ],
  ['servers: { a: { command: node, args: x } }', 'crosspoint.yaml:1:32: servers.a.args: Must be a list of texts'],
  ['servers: { a: { command: node, args: [[x]] } }', 'crosspoint.yaml:1:39: servers.a.args[0]: Must be a text'],
  ['servers: { a: { command: node, env: { A: null } } }', 'crosspoint.yaml:1:39: servers.a.env.A: Must be a text'],
  [
    'servers: { a: { command: node, env: { "A=B": x } } }',
    'crosspoint.yaml:1:39: servers.a.env["A=B"]: A variable name has no "="',
  ],
  ['servers: { a: { command: "" } }', 'crosspoint.yaml:1:17: servers.a.command: Must not be empty'],
  [
    'servers: { a: { command: node, revision: 2025-01-01 } }',
    'crosspoint.yaml:1:32: servers.a.revision: Must be one of 2026-07-28, 2025-11-25, 2025-06-18, 2025-03-26, 2024-11-05',
  ],
  [
    'servers: { a: { url: "ftp://x" } }',
    'crosspoint.yaml:1:17: servers.a.url: Must be an http:// or https:// URL, or unix:/ and the path of a socket',
  ],
  [
    'servers: { a: { url: "https://x", headers: { "a b": c } } }',
    'crosspoint.yaml:1:46: servers.a.headers["a b"]: This is not a header name',
  ],
  [
    'views: { v: { rename: { a__b: "no way" } } }',
    'crosspoint.yaml:1:25: views.v.rename.a__b: A tool name has 1 to 64 of A-Z a-z 0-9 _ -',
  ],
  ['log: debug', 'crosspoint.yaml:1:1: log: Must be a mapping'],
  [
    'servers: { a: { command: x, tools: [y] } }',
    'crosspoint.yaml:1:29: servers.a.tools: Must be a mapping with "include" and "exclude"',
  ],
  // Variables.
  [
    'servers: { a: { command: "${NOPE}" } }',
    'crosspoint.yaml:1:26: servers.a.command: The environment variable NOPE is not set (set NOPE, or write ${NOPE:-default})',
  ],
  [
    'servers: { a: { command: "${NO PE}" } }',
    'crosspoint.yaml:1:26: servers.a.command: This is not a variable: a name has letters, digits and "_" only (write ${NAME} or ${NAME:-default}; "$${" for a literal "${")',
  ],
])('%j is refused with its place', (text, complaint, path = 'crosspoint.yaml') => {
  expect(complaintsOf(text, { path })).toEqual([complaint])
})

test('says everything at once, in the order of the file', () => {
  const text = `listen:
  port: 99999
servers:
  one: { command: node, url: "https://x", env: { A: "\${NOPE}" } }
  two__two: { command: node }
  three: { comand: node }
views:
  v: { servers: [on], rename: { one__a: x, one__b: x } }
`
  expect(complaintsOf(text, { path: 'c.yaml' })).toMatchInlineSnapshot(`
    [
      "c.yaml:2:3: listen.port: Must be a whole number from 0 to 65535",
      "c.yaml:4:25: servers.one.url: A server has either "command" or "url", not both (remove one of them)",
      "c.yaml:4:53: servers.one.env.A: The environment variable NOPE is not set (set NOPE, or write \${NOPE:-default})",
      "c.yaml:5:3: servers.two__two: A name has 1 to 32 of A-Z a-z 0-9 _ -, begins and ends with a letter or digit, and holds no "__"",
      "c.yaml:6:3: servers.three: The server has no "command" or "url" (write "command" for a program to start, "url" for a remote server)",
      "c.yaml:6:12: servers.three.comand: Unknown key "comand" (did you mean "command"?)",
      "c.yaml:8:18: views.v.servers[0]: No server is named "on" (did you mean "one"?)",
      "c.yaml:8:44: views.v.rename.one__b: The name "x" is already given to "one__a" (choose another one)",
    ]
  `)
})

test('a hundred issues are listed and the rest counted', () => {
  const text = `servers:\n${Array.from({ length: 250 }, (_, index) => `  s${index}: { nope: 1, command: x }`).join('\n')}`
  const complaints = complaintsOf(text)
  expect(complaints).toHaveLength(101)
  expect(complaints.at(-1)).toBe('and 150 more')
})

test('no value of the file or the environment is ever repeated', () => {
  const text = `servers:
  a: { command: node, env: { T: [hunter2], U: "\${X:?hunter2}", V: 1.10 }, headers: hunter2 }
  b: { url: "nope://hunter2@x" }
  c: { url: "http://hunter2:hunter2@host:99999999/", headers: { A: "\${SECRET}" } }
  d: { command: "\${SECRET}", revision: hunter2, restart: hunter2, tools: hunter2 }
  e: { command: node, args: [{ hunter2x: hunter2 }] }
`
  const complaints = complaintsOf(text, { env: { SECRET: 'line\nhunter2' } }).join('\n')
  expect(complaints.split('\n').length).toBeGreaterThan(8)
  expect(complaints).not.toContain('hunter2')
  expect(complaintsOf('a: "x" hunter2\n b: c\n"hunter2').join()).not.toContain('hunter2')
})

test('numbers that would not be passed on as written must be quoted', () => {
  const complaints = complaintsOf(
    'servers: { a: { command: x, args: [1.10, 0x10, 1], env: { V: 1.0, W: 12345678901234567890 } } }',
  )
  expect(complaints.map((complaint) => complaint.split(': ')[1])).toEqual([
    'servers.a.args[0]',
    'servers.a.args[1]',
    'servers.a.env.V',
    'servers.a.env.W',
  ])
})

test('names a terminal would act on are shown as plain text', () => {
  const [complaint] = complaintsOf(JSON.stringify({ servers: { '\u001b[31m\u202e\nred': { command: 'x' } } }))
  // biome-ignore lint/suspicious/noControlCharactersInRegex: that is what is looked for
  expect(complaint).not.toMatch(/[\u0000-\u001f\u007f\u202e]/)
})

test('variables give texts, and texts give numbers and truth values where those belong', () => {
  const text = 'listen: { port: "${PORT:-1}" }\nservers: { a: { command: x, enabled: "${ON}", args: ["${PORT:-1}"] } }'
  const { config } = parseConfig(text, { env: { ON: 'false', PORT: '8080' } })
  expect(config.listen.port).toBe(8080)
  expect(config.servers.get('a')).toMatchObject({ enabled: false, transport: { args: ['8080'] } })
  expect(complaintsOf(text, { env: { ON: 'yes' } })).toHaveLength(1)
})

test('a variable cannot change the structure', () => {
  const evil = '"\n  evil: { command: rm }\n# '
  const { config } = parseConfig('servers:\n  a: { command: "${X}" }', { env: { X: evil } })
  expect([...config.servers.keys()]).toEqual(['a'])
  expect(config.servers.get('a')?.transport).toMatchObject({ command: evil })
})

test('a disabled server may lack its variables, and x- sections are not looked at', () => {
  expect(complaintsOf('x-a: "${NOPE}"\nservers: { a: { command: "${NOPE}", enabled: false } }')).toEqual([])
})

test('more text than a megabyte is refused before it is read', () => {
  expect(complaintsOf(`# ${'x'.repeat(1024 * 1024)}`)).toEqual([
    'crosspoint.yaml:1:1: The configuration is longer than 1048576 bytes',
  ])
})

test.each([
  [
    'billion laughs',
    `x-a: &a [x,x,x,x,x,x,x,x,x]\n${Array.from('bcdefghij', (name, index) => `x-${name}: &${name} [${Array(9).fill(`*${'abcdefghij'[index]}`)}]`).join('\n')}`,
    'more than 50000 values',
  ],
  ['an anchor inside itself', 'x-a: &a [*a]', 'nested deeper than 32 levels'],
  ['deep YAML', '['.repeat(50_000), 'nested deeper than 32 levels'],
  ['deep JSON', `{"a":${'['.repeat(500_000)}`, 'nested far too deeply'],
  [
    'deep, but not too deep for the parser',
    `{"a":${'['.repeat(500)}${']'.repeat(500)}}`,
    'nested deeper than 32 levels',
  ],
  ['many variables', `servers: { a: { command: x, args: [${Array(1000).fill('"${BIG}"')}] } }`, 'add up to more than'],
])('%s ends in an error of ours', (_what, text, message) => {
  const path = text.startsWith('{') ? 'c.json' : 'c.yaml'
  const complaints = complaintsOf(text, { path, env: { BIG: 'x'.repeat(100_000) } })
  expect(complaints.join('\n')).toContain(message)
  expect(complaints.length).toBeLessThan(5)
})

test.each([
  ['servers: { a: { command: npx -y x } }', '1:17 No shell is there to split the command'],
  [
    'servers: { a: { url: "http://x/mcp", headers: { A: b } } }',
    '1:17 Headers are sent to another machine without encryption',
  ],
  [
    'servers: { a: { command: x } }\nviews: { v: { describe: { b__x: y } } }',
    '2:27 No server of this view has a tool of that name',
  ],
])('%j is allowed, with a warning', (text, warning) => {
  expect(warningsOf(text)).toContain(warning)
})

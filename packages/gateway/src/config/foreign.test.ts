import { expect, test } from 'vitest'
import { ConfigError } from './config-error.ts'
import type { ServerConfig } from './model.ts'
import { type ParseOptions, parseConfig } from './parse.ts'

/** Every spelling of other tools that is read, each as the tool itself writes it. */

const ENV = { TOKEN: 't0ken', HOME: '/home/me', INPUT_GITHUB_TOKEN: 'from-input' }

function read(document: unknown, path = 'mcp.json', options: ParseOptions = {}) {
  const text = typeof document === 'string' ? document : JSON.stringify(document)
  const { config, warnings } = parseConfig(text, { path, baseDir: '/p', env: ENV, ...options })
  return { servers: config.servers, warnings: warnings.map(({ message }) => message) }
}

function only(document: unknown, path?: string): ServerConfig {
  const [server, ...others] = read(document, path).servers.values()
  if (server === undefined || others.length > 0) throw new Error('Not exactly one server')
  return server
}

const mcpServers = (a: object) => ({ mcpServers: { a } })
const stdio = (rest: object = {}) => ({
  kind: 'stdio',
  command: 'npx',
  args: [],
  env: {},
  cwd: '/p',
  inheritEnv: [],
  ...rest,
})
const http = (rest: object = {}) => ({ kind: 'http', url: 'https://x/mcp', headers: {}, ...rest })
const URL_ = 'https://x/mcp'

test.each<[string, unknown, object, string?]>([
  [
    'Claude Desktop',
    mcpServers({ command: 'npx', args: ['-y', 'x'], env: { A: '1' } }),
    stdio({ args: ['-y', 'x'], env: { A: '1' } }),
  ],
  [
    'Claude Code, stdio',
    mcpServers({ type: 'stdio', command: 'npx', args: ['${TOKEN}', '${NO:-d}'] }),
    stdio({ args: ['t0ken', 'd'] }),
  ],
  [
    'Claude Code, http',
    mcpServers({ type: 'http', url: URL_, headers: { Authorization: 'Bearer ${TOKEN}' } }),
    http({ headers: { Authorization: 'Bearer t0ken' } }),
  ],
  ['Claude Code, sse', mcpServers({ type: 'sse', url: URL_ }), http({ kind: 'sse' })],
  [
    'VS Code, http with an input',
    {
      servers: { a: { type: 'http', url: URL_, headers: { T: '${input:github-token}' } } },
      inputs: [{ id: 'github-token', type: 'promptString', password: true }],
    },
    http({ headers: { T: 'from-input' } }),
  ],
  [
    'VS Code, an input with a default',
    { servers: { a: { command: 'npx', args: ['${input:dir}'] } }, inputs: [{ id: 'dir', default: 'here' }] },
    stdio({ args: ['here'] }),
  ],
  [
    'VS Code, variables of the editor',
    {
      servers: {
        a: {
          command: 'npx',
          args: ['${workspaceFolder}/x', '${userHome}', '${env:TOKEN}', '${workspaceFolderBasename}', '${/}'],
        },
      },
      inputs: [],
    },
    stdio({ args: ['/p/x', '/home/me', 't0ken', 'p', '/'] }),
  ],
  [
    'VS Code, by its folder',
    { servers: { a: { command: 'npx', dev: { watch: '*' } } } },
    stdio(),
    '/p/.vscode/mcp.json',
  ],
  [
    'VS Code, old settings',
    { 'editor.tabSize': 2, mcp: { servers: { a: { command: 'npx' } }, inputs: [] } },
    stdio(),
    'settings.json',
  ],
  ['Cursor', mcpServers({ url: URL_, headers: { T: '${env:TOKEN}' } }), http({ headers: { T: 't0ken' } })],
  ['Windsurf', mcpServers({ serverUrl: URL_ }), http()],
  ['Cline, streamableHttp', mcpServers({ type: 'streamableHttp', url: URL_, autoApprove: [] }), http()],
  ['Cline, a bare url', mcpServers({ url: URL_ }), http({ kind: 'sse' }), '/x/cline_mcp_settings.json'],
  [
    'Cline, nested transport',
    mcpServers({ transport: { type: 'stdio', command: 'npx', args: ['x'] } }),
    stdio({ args: ['x'] }),
  ],
  ['Gemini, httpUrl', mcpServers({ httpUrl: URL_ }), http()],
  ['Gemini, httpUrl wins over url', mcpServers({ httpUrl: URL_, url: 'https://x/other' }), http()],
  ['Gemini, url is SSE', mcpServers({ url: URL_, trust: true }), http({ kind: 'sse' })],
  ['Gemini, $NAME', mcpServers({ command: 'npx', env: { T: '$TOKEN' }, trust: true }), stdio({ env: { T: 't0ken' } })],
  [
    'Codex as JSON',
    mcpServers({
      url: URL_,
      http_headers: { A: '1' },
      env_http_headers: { B: 'TOKEN' },
      bearer_token_env_var: 'TOKEN',
    }),
    http({ headers: { A: '1', B: 't0ken', Authorization: 'Bearer t0ken' } }),
  ],
  [
    'Codex, env_vars',
    mcpServers({ command: 'npx', env_vars: ['SSH_AUTH_SOCK'] }),
    stdio({ inheritEnv: ['SSH_AUTH_SOCK'] }),
  ],
  [
    'Zed',
    { theme: 'One', context_servers: { a: { source: 'custom', command: 'npx', args: ['x'] } } },
    stdio({ args: ['x'] }),
  ],
  [
    'Zed, older',
    { context_servers: { a: { command: { path: 'npx', args: ['x'], env: { A: '1' } } } } },
    stdio({ args: ['x'], env: { A: '1' } }),
  ],
  ['Zed, remote', { context_servers: { a: { url: URL_, headers: { A: '1' } } } }, http({ headers: { A: '1' } })],
  [
    'opencode, local',
    { mcp: { a: { type: 'local', command: ['npx', '-y', 'x'], environment: { T: '{env:TOKEN}' } } } },
    stdio({ args: ['-y', 'x'], env: { T: 't0ken' } }),
  ],
  ['opencode, remote', { mcp: { a: { type: 'remote', url: URL_ } } }, http()],
  ['opencode, version 2', { mcp: { servers: { a: { type: 'local', command: ['npx'] } } } }, stdio()],
  ['Crush', { mcp: { a: { type: 'http', url: URL_, headers: { T: '$TOKEN' } } } }, http({ headers: { T: 't0ken' } })],
  [
    'Goose',
    'extensions:\n  a: { type: stdio, cmd: npx, args: [x], envs: { A: b }, env_keys: [K] }',
    stdio({ args: ['x'], env: { A: 'b' }, inheritEnv: ['K'] }),
    'config.yaml',
  ],
  ['Goose, remote', 'extensions:\n  a: { type: streamable_http, uri: https://x/mcp }', http(), 'config.yaml'],
  ['Continue', 'mcpServers:\n  - name: a\n    command: npx', stdio(), 'config.yaml'],
  ['Sema4', mcpServers({ transport: 'streamable-http', url: URL_ }), http()],
  ['Kiro', mcpServers({ command: 'npx', autoApprove: ['x'], disabled: false }), stdio()],
  ['registries', mcpServers({ type: 'streamable-http', url: URL_ }), http()],
  ['a type that decides between two', mcpServers({ type: 'http', url: URL_, command: 'npx', args: ['x'] }), http()],
  ['a type that decides between two, the other way', mcpServers({ type: 'stdio', url: URL_, command: 'npx' }), stdio()],
])('%s', (_client, document, transport, path) => {
  expect(only(document, path)).toMatchObject({ name: 'a', enabled: true })
  expect(only(document, path).transport).toEqual(transport)
})

test.each<[string, unknown, object, string?]>([
  ['disabled', mcpServers({ command: 'x', disabled: true }), { enabled: false }],
  ['enabled', mcpServers({ command: 'x', enabled: false }), { enabled: false }],
  [
    'seconds of Cline',
    mcpServers({ command: 'x', timeout: 60 }),
    { requestTimeoutMs: 60_000 },
    'cline_mcp_settings.json',
  ],
  [
    'a long wait of Cline',
    mcpServers({ command: 'x', timeout: 3600 }),
    { requestTimeoutMs: 3_600_000 },
    'cline_mcp_settings.json',
  ],
  ['milliseconds of Gemini', mcpServers({ command: 'x', timeout: 500, trust: true }), { requestTimeoutMs: 500 }],
  [
    'milliseconds of Claude Code',
    mcpServers({ command: 'x', timeout: 500 }),
    { requestTimeoutMs: 500 },
    '/p/.mcp.json',
  ],
  [
    'milliseconds of opencode, to connect',
    { mcp: { a: { type: 'local', command: ['x'], timeout: 5000 } } },
    { connectTimeoutMs: 5000 },
  ],
  [
    'two waits of opencode',
    { mcp: { a: { type: 'local', command: ['x'], timeout: { startup: 1, request: 2 } } } },
    { connectTimeoutMs: 1, requestTimeoutMs: 2 },
  ],
  ['seconds of Crush, to connect', { mcp: { a: { command: 'x', timeout: 15 } } }, { connectTimeoutMs: 15_000 }],
  ['seconds of Goose', { extensions: { a: { cmd: 'x', timeout: 300 } } }, { requestTimeoutMs: 300_000 }],
  [
    'seconds of Codex',
    mcpServers({ command: 'x', startup_timeout_sec: 10, tool_timeout_sec: 1.5 }),
    { connectTimeoutMs: 10_000, requestTimeoutMs: 1500 },
  ],
  [
    'milliseconds of the Inspector',
    mcpServers({ command: 'x', connectionTimeout: 7, requestTimeout: 8 }),
    { connectTimeoutMs: 7, requestTimeoutMs: 8 },
  ],
  ['request_timeout_ms', mcpServers({ command: 'x', request_timeout_ms: 9 }), { requestTimeoutMs: 9 }],
  [
    'tools of Gemini',
    mcpServers({ command: 'x', includeTools: ['a'], excludeTools: ['b'] }),
    { tools: { include: ['a'], exclude: ['b'] } },
  ],
  [
    'tools of Codex',
    mcpServers({ command: 'x', enabled_tools: ['a'], disabled_tools: ['b'] }),
    { tools: { include: ['a'], exclude: ['b'] } },
  ],
  ['tools of Copilot', mcpServers({ command: 'x', tools: ['*'] }), { tools: { include: ['*'] } }],
  ['tools of mcpo', mcpServers({ command: 'x', disabledTools: ['b'] }), { tools: { exclude: ['b'] } }],
])('%s', (_what, document, expected, path) => {
  expect(only(document, path)).toMatchObject(expected)
})

test('a timeout of a tool nobody knows is read by its size, and that is said', () => {
  expect(read(mcpServers({ command: 'x', timeout: 60 })).warnings).toEqual([
    'Read as seconds: tools differ in the unit of "timeout"',
  ])
  expect(only(mcpServers({ command: 'x', timeout: 60 })).requestTimeoutMs).toBe(60_000)
  expect(only(mcpServers({ command: 'x', timeout: 30_000 })).requestTimeoutMs).toBe(30_000)
})

test('keys without a meaning here are ignored, with one warning for the server and none for habits of a client', () => {
  const { warnings } = read(
    mcpServers({ command: 'x', autoApprove: [], trust: true, oauth: {}, sandbox: {}, novel: 1 }),
  )
  expect(warnings).toEqual(['Ignored in the server "a": "oauth", "sandbox", "novel"'])
})

test('the rest of another tool’s settings is ignored, with one warning', () => {
  const { warnings } = read({ theme: 'dark', $schema: 'x', mcpServers: {}, lsp: {} })
  expect(warnings).toEqual(['Only "mcpServers" is read; ignored: "theme", "lsp"', 'No server is configured'])
})

test.each([
  ['websockets', mcpServers({ type: 'ws', url: 'wss://x' }), 'its transport "ws" is not one of stdio, http and sse'],
  [
    'sockets',
    { servers: { a: { type: 'http', url: 'unix:///x.sock#/mcp' } }, inputs: [] },
    'sockets are not supported as transports',
  ],
  [
    'what is built into Goose',
    { extensions: { a: { type: 'builtin', name: 'developer' } } },
    'its transport "builtin" is not one of stdio, http and sse',
  ],
  [
    'what comes with an extension of Zed',
    { context_servers: { a: { settings: {} } } },
    'it comes with an extension of that tool',
  ],
])('%s are left out, and the others stay', (_what, document, reason) => {
  const { servers, warnings } = read(document)
  expect(servers.size).toBe(0)
  expect(warnings).toContain(`The server "a" is left out: ${reason}`)
})

test('any name becomes an allowed one, with the written one as title', () => {
  const { servers, warnings } = read({
    mcpServers: { 'My Files!': { command: 'x' }, 'My-Files': { command: 'y' }, crosspoint: { command: 'z' } },
  })
  expect([...servers].map(([name, { title }]) => [name, title])).toEqual([
    ['My-Files-2', 'My Files!'],
    ['My-Files', undefined],
    ['crosspoint-2', 'crosspoint'],
  ])
  expect(warnings).toEqual([
    'The server "My Files!" is called "My-Files-2" here',
    'The server "crosspoint" is called "crosspoint-2" here',
  ])
})

test('a foreign map may stand beside our own sections, which stay strict', () => {
  const both = {
    listen: { port: 1 },
    servers: { a: { command: 'x' } },
    mcpServers: { b: { command: 'y', disabled: true, foo: 1 } },
  }
  const { servers, warnings } = read(both)
  expect([...servers.keys()]).toEqual(['a', 'b'])
  expect(warnings).toEqual(['Ignored in the server "b": "foo"'])
  expect(() => read({ ...both, veiws: {} })).toThrow('Unknown key "veiws" (did you mean "views"?)')
  expect(() => read({ ...both, mcpServers: { a: { command: 'y' } } })).toThrow(
    'A server named "a" is already configured',
  )
})

test('our own servers are ours, although VS Code uses the same word', () => {
  expect(() => read({ servers: { a: { command: 'x', disabled: true } } }, 'crosspoint.json')).toThrow(
    'here it is "enabled"',
  )
})

test('complaints name the file’s own keys and places', () => {
  const text = '{\n  "mcpServers": {\n    "a": { "httpUrl": "nope", "disabled": "maybe" }\n  }\n}'
  expect(issuesOf(() => read(text))).toEqual([
    'mcp.json:3:12: mcpServers.a.httpUrl: Must be an http:// or https:// URL, or unix:/ and the path of a socket',
    'mcp.json:3:31: mcpServers.a.disabled: Must be true or false',
  ])
})

test.each<[unknown, string, string]>([
  [
    mcpServers({ command: '${NOPE}' }),
    'The environment variable NOPE is not set',
    'set NOPE, or write ${NOPE:-default}',
  ],
  [
    mcpServers({ command: '${input:my-key}' }),
    'This input has no value: nobody is asked here',
    'set the environment variable INPUT_MY_KEY',
  ],
  [
    mcpServers({ command: '${command:pick}' }),
    'Only the tool this file was written for can answer ${command:…}',
    'write ${NAME} instead',
  ],
  [
    mcpServers({ command: '${file:/key}' }),
    'The file of a variable cannot be read: there is no such file',
    'check its path and permissions',
  ],
  [
    mcpServers({ command: 'x', envFile: '.env' }),
    'The environment file cannot be read: there is no such file',
    'its path starts from the folder of the configuration file',
  ],
])('%j is refused with a remedy', (document, message, hint) => {
  const readText = () => {
    throw Object.assign(new Error('ENOENT: /secret/path'), { code: 'ENOENT' })
  }
  expect(issuesOf(() => read(document, 'mcp.json', { readText }))[0]).toContain(`${message} (${hint})`)
})

test('a disabled server may lack its variables and files', () => {
  expect(only(mcpServers({ command: '${NOPE}', envFile: '.env', disabled: true })).enabled).toBe(false)
})

test('files of variables are read from where the configuration is', () => {
  const files: Record<string, string> = { '/p/.env': 'A=1\nB=2', '/p/key': 'k3y\n', '/home/me/key': 'h0me' }
  const readText = (path: string) => files[path] ?? ''
  const document = mcpServers({
    command: 'x',
    envFile: './.env',
    env: { B: '3', K: '${file:key}', H: '${file:~/key}' },
  })
  const { servers } = read(document, 'mcp.json', { readText })
  expect(servers.get('a')?.transport).toMatchObject({ env: { A: '1', B: '3', K: 'k3y', H: 'h0me' } })
})

test.each([
  ['not even a map', { mcpServers: 'x' }, 'mcpServers: Must be a mapping from names to servers'],
  ['a server that is a text', { mcpServers: { a: 'npx' } }, 'mcpServers.a: Must be a mapping with "command" or "url"'],
  ['an empty server', { mcpServers: { a: {} } }, 'mcpServers.a: The server has no "command" or "url"'],
  ['an empty command list', { mcp: { a: { type: 'local', command: [] } } }, 'mcp.a.command: Must not be empty'],
  [
    'a slip',
    { mcpServers: { a: { comand: 'x' } } },
    'mcpServers.a.comand: Unknown key "comand" (did you mean "command"?)',
  ],
  ['a command and a URL', mcpServers({ command: 'x', url: URL_ }), 'A server has either "command" or "url", not both'],
  ['our own address', mcpServers({ url: 'http://localhost:8360/mcp' }), 'This is the address of the gateway itself'],
])('%s is an error', (_what, document, message) => {
  expect(issuesOf(() => read(document)).join('\n')).toContain(message)
})

function issuesOf(run: () => unknown): string[] {
  try {
    run()
  } catch (error) {
    if (error instanceof ConfigError) return error.message.split('\n')
    throw error
  }
  return []
}

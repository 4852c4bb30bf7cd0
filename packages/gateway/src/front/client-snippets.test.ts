import { expect, test } from 'vitest'
import { parseConfig } from '../config/parse.ts'
import { type ClientDoor, type ClientId, toClientSnippets } from './client-snippets.ts'

const DOOR: ClientDoor = {
  url: 'http://127.0.0.1:8360/mcp',
  stdio: {
    command: '/usr/bin/node',
    args: ['/opt/my crosspoint/bin/crosspoint.js', 'stdio', '--config', '/etc/c.yaml'],
  },
}

function snippetOf(client: ClientId, door: ClientDoor = DOOR) {
  const found = toClientSnippets(door).find((snippet) => snippet.client === client)
  if (found === undefined) throw new Error(`No snippet for ${client}`)
  return found
}

/** What Crosspoint itself makes of a snippet's file, read under the name it has at that client. */
function serverIn(client: ClientId, path: string, door: ClientDoor) {
  const { config, warnings } = parseConfig(snippetOf(client, door).file?.text ?? '', { path, baseDir: '/home/me' })
  // That it starts a gateway is true, and the only thing there is to say.
  const others = warnings.filter(({ message }) => message !== 'This is another gateway inside the gateway')
  expect(others).toEqual([])
  return config.servers.get(door.name ?? '')?.transport
}

test('says it the way each client spells it', () => {
  const lines = toClientSnippets(DOOR).map(({ client, command, link }) => ({ client, command, link }))
  expect(lines).toMatchInlineSnapshot(`
    [
      {
        "client": "claude-code",
        "command": "claude mcp add --transport http crosspoint http://127.0.0.1:8360/mcp",
        "link": undefined,
      },
      {
        "client": "claude-desktop",
        "command": undefined,
        "link": undefined,
      },
      {
        "client": "cursor",
        "command": undefined,
        "link": "cursor://anysphere.cursor-deeplink/mcp/install?name=crosspoint&config=eyJ1cmwiOiJodHRwOi8vMTI3LjAuMC4xOjgzNjAvbWNwIn0%3D",
      },
      {
        "client": "vscode",
        "command": "code --add-mcp '{"name":"crosspoint","type":"http","url":"http://127.0.0.1:8360/mcp"}'",
        "link": "vscode:mcp/install?%7B%22name%22%3A%22crosspoint%22%2C%22type%22%3A%22http%22%2C%22url%22%3A%22http%3A%2F%2F127.0.0.1%3A8360%2Fmcp%22%7D",
      },
      {
        "client": "codex",
        "command": "codex mcp add crosspoint --url http://127.0.0.1:8360/mcp",
        "link": undefined,
      },
    ]
  `)
})

test('the files mean what they should to a reader of those formats: us', () => {
  // Another name and port: those of the gateway itself are kept.
  const http = { kind: 'http', url: 'http://127.0.0.1:9999/mcp', headers: {} }
  const door = { ...DOOR, name: 'gate', url: http.url }
  expect(serverIn('claude-code', '/p/.mcp.json', door)).toEqual(http)
  expect(serverIn('cursor', '/home/me/.cursor/mcp.json', door)).toEqual(http)
  expect(serverIn('vscode', '/p/.vscode/mcp.json', door)).toEqual(http)
  expect(serverIn('claude-desktop', 'claude_desktop_config.json', door)).toMatchObject({ kind: 'stdio', ...DOOR.stdio })
})

test('links carry the whole server', () => {
  const config = new URL(snippetOf('cursor').link ?? '').searchParams.get('config') ?? ''
  expect(JSON.parse(atob(config))).toEqual({ url: DOOR.url })
  const query = (snippetOf('vscode').link ?? '').split('?')[1] ?? ''
  expect(JSON.parse(decodeURIComponent(query))).toEqual({ name: 'crosspoint', type: 'http', url: DOOR.url })
})

test('Codex gets TOML with the key it reads', () => {
  expect(snippetOf('codex').file).toEqual({
    path: '~/.codex/config.toml',
    text: '[mcp_servers.crosspoint]\nurl = "http://127.0.0.1:8360/mcp"',
  })
  expect(snippetOf('codex', { ...DOOR, name: 'my view' }).file?.text).toContain('[mcp_servers."my view"]')
})

test('quotes for the shell it is pasted into', () => {
  const odd = { ...DOOR, name: "it's", url: 'http://127.0.0.1:1/mcp?a=1&b=2' }
  expect(snippetOf('claude-code', odd).command).toBe(
    `claude mcp add --transport http 'it'\\''s' 'http://127.0.0.1:1/mcp?a=1&b=2'`,
  )
  expect(snippetOf('vscode', { ...DOOR, shell: 'windows' }).command).toBe(
    String.raw`code --add-mcp "{\"name\":\"crosspoint\",\"type\":\"http\",\"url\":\"http://127.0.0.1:8360/mcp\"}"`,
  )
})

test('names outside ASCII survive the link', () => {
  const link = snippetOf('cursor', { ...DOOR, url: 'http://127.0.0.1:1/mcp/größe' }).link ?? ''
  const bytes = Uint8Array.from(atob(new URL(link).searchParams.get('config') ?? ''), (letter) => letter.charCodeAt(0))
  expect(JSON.parse(new TextDecoder().decode(bytes)).url).toBe('http://127.0.0.1:1/mcp/größe')
})

/** What to paste where, so that a client uses this gateway: pure text, nothing is written or run. */

/** Where the gateway can be reached, as a client is to be told. */
export interface ClientDoor {
  /** What the clients call it. Default `crosspoint`. */
  readonly name?: string
  /** `http://127.0.0.1:8360/mcp`, or that of a view. */
  readonly url: string
  /** The stdio door, for clients that only start programs: absolute paths, since they start in folders of their own. */
  readonly stdio: { readonly command: string; readonly args: readonly string[] }
  /** Whose quoting rules commands follow. Default `posix`. */
  readonly shell?: 'posix' | 'windows'
}

export type ClientId = 'claude-code' | 'claude-desktop' | 'cursor' | 'vscode' | 'codex'

export interface ClientSnippet {
  readonly client: ClientId
  /** The client's name for people. */
  readonly title: string
  /** One line for a terminal. */
  readonly command?: string
  /** A link that opens the client and offers to install. */
  readonly link?: string
  readonly file?: {
    /** Where it is, by system where that differs. */
    readonly path: string
    /** The whole of it when nothing else is in it; otherwise what to merge in. */
    readonly text: string
  }
}

/** The lines for every client we know, the most direct way of each first. */
export function toClientSnippets(door: ClientDoor): readonly ClientSnippet[] {
  return [claudeCode(door), claudeDesktop(door), cursor(door), vsCode(door), codex(door)]
}

function claudeCode({ name = NAME, url, shell }: ClientDoor): ClientSnippet {
  return {
    client: 'claude-code',
    title: 'Claude Code',
    command: toCommand(['claude', 'mcp', 'add', '--transport', 'http', name, url], shell),
    file: { path: '.mcp.json', text: toJson({ mcpServers: { [name]: { type: 'http', url } } }) },
  }
}

/** Its file takes programs only, and replaces no variables. */
function claudeDesktop({ name = NAME, stdio }: ClientDoor): ClientSnippet {
  return {
    client: 'claude-desktop',
    title: 'Claude Desktop',
    file: {
      path: 'claude_desktop_config.json (Settings > Developer > Edit Config)',
      text: toJson({ mcpServers: { [name]: { command: stdio.command, args: stdio.args } } }),
    },
  }
}

function cursor({ name = NAME, url }: ClientDoor): ClientSnippet {
  const config = encodeURIComponent(toBase64(JSON.stringify({ url })))
  return {
    client: 'cursor',
    title: 'Cursor',
    link: `cursor://anysphere.cursor-deeplink/mcp/install?name=${encodeURIComponent(name)}&config=${config}`,
    file: { path: '~/.cursor/mcp.json', text: toJson({ mcpServers: { [name]: { url } } }) },
  }
}

/** Its root key is `servers`, unlike everybody else's. */
function vsCode({ name = NAME, url, shell }: ClientDoor): ClientSnippet {
  const server = { name, type: 'http', url }
  return {
    client: 'vscode',
    title: 'VS Code',
    command: toCommand(['code', '--add-mcp', JSON.stringify(server)], shell),
    link: `vscode:mcp/install?${encodeURIComponent(JSON.stringify(server))}`,
    file: { path: '.vscode/mcp.json', text: toJson({ servers: { [name]: { type: 'http', url } } }) },
  }
}

function codex({ name = NAME, url, shell }: ClientDoor): ClientSnippet {
  return {
    client: 'codex',
    title: 'Codex',
    command: toCommand(['codex', 'mcp', 'add', name, '--url', url], shell),
    file: { path: '~/.codex/config.toml', text: `[mcp_servers.${toTomlKey(name)}]\nurl = ${toTomlText(url)}` },
  }
}

const NAME = 'crosspoint'

function toJson(value: unknown): string {
  return JSON.stringify(value, null, 2)
}

function toCommand(words: readonly string[], shell: ClientDoor['shell'] = 'posix'): string {
  return words.map((word) => (PLAIN_WORD.test(word) ? word : QUOTES[shell](word))).join(' ')
}

const PLAIN_WORD = /^[A-Za-z0-9@%+=:,./_-]+$/

const QUOTES = {
  posix: (word: string) => `'${word.replaceAll("'", `'\\''`)}'`,
  // As programs on Windows take their command line apart: backslashes count double before a quote only.
  windows: (word: string) => `"${word.replaceAll(/(\\*)"/g, '$1$1\\"').replace(/(\\+)$/, '$1$1')}"`,
} as const

function toTomlKey(name: string): string {
  return /^[A-Za-z0-9_-]+$/.test(name) ? name : toTomlText(name)
}

/** JSON's escapes are TOML's, but for DEL. */
function toTomlText(text: string): string {
  return JSON.stringify(text).replaceAll('\x7f', '\\u007f')
}

function toBase64(text: string): string {
  return btoa(String.fromCodePoint(...new TextEncoder().encode(text)))
}

import { nearest } from '@crosspoint/mcp'
import type { Complaints } from './complaints.ts'
import type { Client } from './dialect.ts'
import { quoted } from './quoted.ts'
import { child, type Entry, list, type Scalar, scalar, type Table, type Tree, table, textOf } from './tree.ts'

/**
 * One server as another tool writes it, turned into our spelling. Values keep their places in the file. What has
 * no meaning for a gateway is left out, with one warning for the server.
 */
export function fromForeign(name: string, source: Table, client: Client, complaints: Complaints): Table | undefined {
  const flat = unnest(source)
  const draft = new Draft(flat, client, complaints)
  const ignored: [name: string, entry: Entry][] = []
  for (const [key, entry] of flat.entries) {
    const rule = RULES[key]
    if (rule !== undefined) rule(draft, entry, key)
    else if (!SILENT.has(key)) ignored.push([key, entry])
  }
  if (!draft.own.has('command') && !draft.own.has('url')) complainOfSlips(ignored, complaints)
  if (ignored.length > 0) {
    const keys = ignored.map(([key]) => quoted(key)).join(', ')
    complaints.warning(source.origin, `Ignored in the server ${quoted(name)}: ${keys}`)
  }
  return draft.finish(name)
}

/** A server that cannot be started nor reached: the likeliest reason is a slip in one of these. */
function complainOfSlips(ignored: readonly [name: string, entry: Entry][], complaints: Complaints): void {
  for (const [name, entry] of ignored) {
    const meant = nearest(name, ['command', 'url'])
    if (meant !== undefined) {
      complaints.error(entry.key, `Unknown key ${quoted(name)}`, `did you mean ${quoted(meant)}?`)
    }
  }
}

type Rule = (draft: Draft, entry: Entry, key: string) => void

/** What is being put together for one server. */
class Draft {
  readonly own = new Map<string, Entry>()
  readonly source: Table
  readonly client: Client
  readonly complaints: Complaints
  /** Why the server cannot be used at all. */
  unusable: string | undefined
  readonly #headers = new Map<string, Entry>()

  constructor(source: Table, client: Client, complaints: Complaints) {
    this.source = source
    this.client = client
    this.complaints = complaints
  }

  set(key: string, entry: Entry, value: Tree = entry.value): void {
    this.own.set(key, { key: entry.key, value })
  }

  header(name: string, entry: Entry): void {
    this.#headers.set(name, entry)
  }

  finish(name: string): Table | undefined {
    if (this.unusable !== undefined) {
      this.complaints.warning(this.source.origin, `The server ${quoted(name)} is left out: ${this.unusable}`)
      return undefined
    }
    if (this.#headers.size > 0) {
      this.own.set('headers', { key: this.source.origin, value: table(this.#headers, this.source.origin) })
    }
    this.#settleType()
    return table(this.own, this.source.origin)
  }

  /** With both a command and a URL, `type` says which; a bare URL means what it means to that client. */
  #settleType(): void {
    const type = textOf(this.own.get('type')?.value)
    if (type === 'stdio') for (const key of ['url', 'headers']) this.own.delete(key)
    if (type === 'http' || type === 'sse') for (const key of STDIO_KEYS) this.own.delete(key)
    const url = this.own.get('url')
    const modern = this.source.entries.has('httpUrl') || this.source.entries.has('serverUrl')
    if (type !== undefined || url === undefined || modern) return
    if (this.client !== 'gemini' && this.client !== 'cline') return
    this.own.set('type', { key: url.key, value: scalar('sse', url.value.origin) })
    const other = this.client === 'gemini' ? '"httpUrl"' : '"type": "streamableHttp"'
    this.complaints.warning(
      url.key,
      'A bare "url" means the older SSE transport to this client',
      `write ${other} for Streamable HTTP`,
    )
  }
}

const STDIO_KEYS = ['command', 'args', 'env', 'envFile', 'inheritEnv', 'cwd']

const keep: Rule = (draft, entry, key) => draft.set(key, entry)
const as =
  (own: string): Rule =>
  (draft, entry) =>
    draft.set(own, entry)

/** A key of another tool -> what it becomes. */
const RULES: Readonly<Record<string, Rule>> = Object.assign(Object.create(null), {
  type: typeRule,
  transport: typeRule,
  transportType: typeRule,
  transport_type: typeRule,
  command: commandRule,
  cmd: commandRule,
  args: ((draft, entry) => {
    if (!draft.own.has('args')) draft.set('args', entry)
  }) satisfies Rule,
  env: as('env'),
  envs: as('env'),
  environment: as('env'),
  env_keys: as('inheritEnv'),
  env_vars: as('inheritEnv'),
  inheritEnv: keep,
  envFile: keep,
  cwd: keep,
  url: ((draft, entry) => {
    if (!draft.own.has('url')) urlRule(draft, entry, 'url')
  }) satisfies Rule,
  uri: urlRule,
  serverUrl: urlRule,
  server_url: urlRule,
  httpUrl: urlRule,
  headers: headersRule,
  http_headers: headersRule,
  env_http_headers: envHeadersRule,
  bearer_token_env_var: bearerRule,
  enabled: keep,
  disabled: ((draft, entry) => draft.set('enabled', entry, negated(entry.value))) satisfies Rule,
  title: keep,
  description: keep,
  timeout: timeoutRule,
  timeoutMs: as('requestTimeoutMs'),
  request_timeout_ms: as('requestTimeoutMs'),
  requestTimeout: as('requestTimeoutMs'),
  requestTimeoutMs: keep,
  connectionTimeout: as('connectTimeoutMs'),
  connectTimeoutMs: keep,
  startup_timeout_ms: as('connectTimeoutMs'),
  startup_timeout_sec: secondsRule('connectTimeoutMs'),
  tool_timeout_sec: secondsRule('requestTimeoutMs'),
  tools: toolsRule('include'),
  includeTools: toolsRule('include'),
  enabled_tools: toolsRule('include'),
  allowedTools: toolsRule('include'),
  available_tools: toolsRule('include'),
  excludeTools: toolsRule('exclude'),
  disabled_tools: toolsRule('exclude'),
  disabledTools: toolsRule('exclude'),
} satisfies Record<string, Rule>)

/** Settings of a person's client that say nothing about the server. */
const SILENT: ReadonlySet<string> = new Set([
  'name',
  'source',
  'autoApprove',
  'alwaysAllow',
  'alwaysLoad',
  'trust',
  'dev',
  'gallery',
  'icon',
  'bundled',
  'version',
])

/** `remote` and the like leave it to the client which HTTP transport it is. */
const TYPES: ReadonlyMap<string, 'stdio' | 'http' | 'sse'> = new Map([
  ['stdio', 'stdio'],
  ['local', 'stdio'],
  ['http', 'http'],
  ['remote', 'http'],
  ['streamable-http', 'http'],
  ['streamablehttp', 'http'],
  ['streamable_http', 'http'],
  ['sse', 'sse'],
])

function typeRule(draft: Draft, entry: Entry): void {
  const written = textOf(entry.value)
  const type = TYPES.get(written?.toLowerCase() ?? '')
  if (type !== undefined) draft.set('type', entry, scalar(type, entry.value.origin))
  // What is no text is reported by the schema.
  else if (written === undefined) draft.set('type', entry)
  else draft.unusable ??= `its transport ${quoted(written)} is not one of stdio, http and sse`
}

/** A program, a program with its arguments in one list (opencode), or a table of both (older Zed). */
function commandRule(draft: Draft, entry: Entry): void {
  const { value } = entry
  if (value.kind === 'scalar') {
    draft.set('command', entry)
  } else if (value.kind === 'list') {
    const [program, ...rest] = value.items
    draft.set('command', entry, program ?? scalar('', value.origin))
    if (rest.length > 0) draft.set('args', entry, list(rest, value.origin))
  } else {
    for (const [from, part] of value.entries) {
      if (from === 'path') draft.set('command', part)
      if (from === 'args' || from === 'env') draft.set(from, part)
    }
  }
}

function urlRule(draft: Draft, entry: Entry, key: string): void {
  const written = textOf(entry.value)
  if (written !== undefined && /^(?:unix|pipe|wss?):/i.test(written)) {
    draft.unusable ??= 'sockets are not supported as transports'
  }
  draft.set('url', entry)
  if (key === 'httpUrl') draft.set('type', entry, scalar('http', entry.value.origin))
}

function headersRule(draft: Draft, entry: Entry): void {
  if (entry.value.kind === 'table') for (const [name, header] of entry.value.entries) draft.header(name, header)
  else draft.set('headers', entry)
}

/** Header name -> the variable that holds its value (Codex). */
function envHeadersRule(draft: Draft, entry: Entry): void {
  if (entry.value.kind !== 'table') return
  for (const [name, { key, value }] of entry.value.entries) {
    const variable = textOf(value)
    if (variable !== undefined) draft.header(name, { key, value: scalar(`\${${variable}}`, value.origin) })
  }
}

function bearerRule(draft: Draft, entry: Entry): void {
  const variable = textOf(entry.value)
  if (variable === undefined) return
  draft.header('Authorization', { key: entry.key, value: scalar(`Bearer \${${variable}}`, entry.value.origin) })
}

/** One number, whose unit depends on the client, or opencode's table of two. */
function timeoutRule(draft: Draft, entry: Entry): void {
  const { value } = entry
  if (value.kind === 'table') {
    const startup = value.entries.get('startup')
    const request = value.entries.get('request')
    if (startup !== undefined) draft.set('connectTimeoutMs', startup)
    if (request !== undefined) draft.set('requestTimeoutMs', request)
    return
  }
  const isNumber = value.kind === 'scalar' && typeof value.value === 'number'
  const inSeconds = isNumber && isInSeconds(draft.client, Number(value.value))
  const key = draft.client === 'opencode' || draft.client === 'crush' ? 'connectTimeoutMs' : 'requestTimeoutMs'
  draft.set(key, entry, inSeconds ? inMilliseconds(value) : value)
  if (!isNumber || draft.client !== 'unknown') return
  const message = `Read as ${inSeconds ? 'seconds' : 'milliseconds'}: tools differ in the unit of "timeout"`
  draft.complaints.warning(entry.key, message, 'write "requestTimeoutMs" to be sure')
}

const CLIENTS_IN_SECONDS: ReadonlySet<Client> = new Set(['cline', 'crush', 'goose'])

/** A tool nobody told us about: less than a second is no sensible wait, so a small number counts seconds. */
function isInSeconds(client: Client, timeout: number): boolean {
  return client === 'unknown' ? timeout < 1000 : CLIENTS_IN_SECONDS.has(client)
}

function secondsRule(own: string): Rule {
  return (draft, entry) => {
    const { value } = entry
    draft.set(own, entry, value.kind === 'scalar' ? inMilliseconds(value) : value)
  }
}

function inMilliseconds(value: Scalar): Scalar {
  return typeof value.value === 'number' ? { ...value, value: Math.round(value.value * 1000) } : value
}

/** Lists of tool names. `["*"]` is everything, which an absent list says already. */
function toolsRule(half: 'include' | 'exclude'): Rule {
  return (draft, entry) => {
    if (entry.value.kind === 'table') return draft.set('tools', entry)
    const before = child(table(draft.own, entry.key), 'tools')
    const halves = new Map(before?.kind === 'table' ? before.entries : [])
    halves.set(half, entry)
    draft.set('tools', entry, table(halves, entry.key))
  }
}

function negated(value: Tree): Tree {
  if (value.kind !== 'scalar') return value
  return typeof value.value === 'boolean' ? { ...value, value: !value.value } : value
}

/** `{ transport: { … } }` (Cline's command line) is the same as what is in it. */
function unnest(source: Table): Table {
  const nested = child(source, 'transport')
  if (nested?.kind !== 'table') return source
  const outer = [...source.entries].filter(([key]) => key !== 'transport')
  return table([...nested.entries, ...outer], source.origin)
}

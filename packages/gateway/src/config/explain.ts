import { placeOf } from './complaints.ts'
import { MASK, maskArguments, maskReferences, maskUrl } from './mask.ts'
import type { LoadedConfig } from './parse.ts'
import { locate, type Origin, pathOf, type Tree } from './tree.ts'

/** One value in force, and where it comes from. Secrets are masked. */
export interface ExplainedSetting {
  /** In our own spelling: `listen.port`, `servers.github.env.TOKEN`. */
  readonly path: string
  readonly value: string | number | boolean | readonly string[]
  /** The strongest source that set it: flag over env over file over default. */
  readonly source: Origin['source'] | 'default'
  /** `crosspoint.yaml:4:7`, the environment variable or the flag; for a default, the setting it follows, if any. */
  readonly place?: string
  /** The path in the file, where another tool's spelling was read. */
  readonly writtenAs?: string
}

/** Every value of a configuration in force, in the order of the file, servers and views after the settings. */
export function explainConfig(loaded: LoadedConfig): readonly ExplainedSetting[] {
  const {
    servers,
    views,
    listen,
    auth,
    limits,
    timeouts,
    traffic,
    log,
    audit,
    store,
    cluster,
    admin,
    telemetry,
    secrets,
    vault,
  } = loaded.provenance.effective
  const rows: ExplainedSetting[] = []
  const explanation = new Explanation(loaded, rows)
  explanation.walk(['listen'], listen)
  explanation.walk(['auth'], auth)
  for (const [name, server] of Object.entries(servers)) {
    explanation.walk(['servers', name], server)
    explanation.follow(['servers', name])
  }
  for (const [name, view] of Object.entries(views)) explanation.walk(['views', name], view)
  explanation.walk(['secrets'], secrets)
  explanation.walk(['vault'], vault)
  explanation.walk(['limits'], limits)
  explanation.walk(['timeouts'], timeouts)
  explanation.walk(['traffic'], traffic)
  explanation.walk(['log'], log)
  explanation.walk(['store'], store)
  explanation.walk(['cluster'], cluster)
  explanation.walk(['audit'], audit)
  explanation.walk(['admin'], admin)
  explanation.walk(['telemetry'], telemetry)
  return rows
}

class Explanation {
  readonly #loaded: LoadedConfig
  readonly #rows: ExplainedSetting[]

  constructor(loaded: LoadedConfig, rows: ExplainedSetting[]) {
    this.#loaded = loaded
    this.#rows = rows
  }

  /** A row for each leaf; a list of plain values is one. */
  walk(path: readonly string[], value: unknown): void {
    const isList = Array.isArray(value) && value.every((item) => typeof item !== 'object')
    if (typeof value === 'object' && value !== null && !isList) {
      for (const [key, inner] of Object.entries(value)) this.walk([...path, key], inner)
    } else if (value !== undefined) {
      this.#add(path, value)
    }
  }

  /** What a server takes over from the settings and the place of the file. */
  follow(path: readonly string[]): void {
    const server = this.#loaded.config.servers.get(path[1] ?? '')
    if (server === undefined) return
    const isOwn = (key: string) => locate(this.#loaded.provenance.tree, [...path, key]).found !== undefined
    const add = (key: string, value: string | number, place: string) => {
      if (!isOwn(key)) this.#rows.push({ path: toPath([...path, key]), value, source: 'default', place })
    }
    add('prefix', server.prefix, 'the name of the server')
    if (server.transport.kind === 'stdio') add('cwd', server.transport.cwd, 'the folder of the file')
    add('connectTimeoutMs', server.connectTimeoutMs, 'timeouts.connectMs')
    add('requestTimeoutMs', server.requestTimeoutMs, 'timeouts.requestMs')
    const isCommon = server.maxRequestMs === this.#loaded.config.timeouts.maxRequestMs
    add('maxRequestMs', server.maxRequestMs, isCommon ? 'timeouts.maxRequestMs' : 'requestTimeoutMs')
  }

  #add(path: readonly string[], value: unknown): void {
    const { tree } = this.#loaded.provenance
    const { found } = locate(tree, path)
    const shown = toShown(path, value, found)
    const ownPath = toPath(path)
    if (found === undefined) {
      this.#rows.push({ path: ownPath, value: shown, source: 'default' })
      return
    }
    const { origin } = found
    const { file, line, column } = placeOf(origin, this.#loaded.path)
    this.#rows.push({
      path: ownPath,
      value: shown,
      source: origin.source,
      place: placeName(origin) ?? `${file}:${line}:${column}`,
      ...(origin.source === 'file' && origin.path !== ownPath ? { writtenAs: origin.path } : {}),
    })
  }
}

function placeName(origin: Origin): string | undefined {
  if (origin.source === 'env') return origin.variable
  return origin.source === 'flag' ? origin.flag : undefined
}

function toPath(path: readonly string[]): string {
  return path.reduce((base, step) => pathOf(base, step), '')
}

/** Settings that are a secret, or hold one. */
const SECRETS: ReadonlySet<string> = new Set([
  'store.url',
  'cluster.redis',
  'admin.token',
  'telemetry.metrics.prometheus.token',
  'cluster.secret',
  'cluster.previousSecret',
  'vault.key',
  'vault.previousKeys',
])

/** What the authorization server shows to others, what is shown to it, and what seals what it keeps. */
const AUTH_SECRET = /^auth\.server\.(?:key|upstream\.clientSecret|clients\..*\.secret)$/

/** Keys of a server whose variables are worth seeing replaced: places, not secrets. */
const PLACES: ReadonlySet<string> = new Set(['command', 'cwd', 'envFile'])

function toShown(path: readonly string[], value: unknown, found: Tree | undefined): ExplainedSetting['value'] {
  const [section = '', , key = ''] = path
  const isHeader = section === 'telemetry' && path[2] === 'headers'
  if (isHeader || SECRETS.has(path.join('.'))) return maskedValue(found)
  if (section === 'servers' && (key === 'env' || key === 'headers' || isAuthSecret(path))) return maskedValue(found)
  if (section === 'auth' && AUTH_SECRET.test(path.join('.'))) return maskedValue(found)
  if (Array.isArray(value)) {
    const texts = value.map((item, index) =>
      textShown(toText(item), found?.kind === 'list' ? found.items[index] : undefined),
    )
    if (key === 'urls') return texts.map(maskUrl)
    return key === 'args' ? maskArguments(texts) : texts
  }
  if (typeof value === 'number' || typeof value === 'boolean') return value
  const text = String(value)
  if (!MAY_HOLD_VARIABLES.has(section)) return text
  if (PLACES.has(key)) return text
  if (key === 'url' || key === 'urls') return maskUrl(textShown(text, found))
  return textShown(text, found)
}

/** Of `auth` of a server what shows who we are. */
function isAuthSecret([, , key, inner = '']: readonly string[]): boolean {
  return key === 'auth' && (inner === 'clientSecret' || inner === 'privateKey' || inner === 'discovery')
}

/** Sections whose texts are shown with the variables in them. */
const MAY_HOLD_VARIABLES: ReadonlySet<string> = new Set(['auth', 'servers', 'secrets', 'vault', 'views'])

/** Of a list of mappings each is one text. */
function toText(item: unknown): string {
  return typeof item === 'object' ? JSON.stringify(item) : String(item)
}

/** The variables themselves where there are any: what they stand for may be a secret. */
function textShown(text: string, found: Tree | undefined): string {
  const written = found?.kind === 'scalar' ? found.written : undefined
  return written === undefined ? text : maskReferences(written)
}

/** A secret by its place: only the names of variables are shown, the text around them may be a part of it. */
function maskedValue(found: Tree | undefined): string {
  const text = found?.kind === 'scalar' ? String(found.written ?? found.value) : ''
  const names = [...text.matchAll(/(?<!\$)\$\{((?:env:|input:|secret:)?[A-Za-z_][\w.-]*)(?::-[^{}]*)?\}/g)].map(
    ([, name]) => `\${${name}}`,
  )
  return names.length === 0 ? MASK : `${MASK} (${names.join(', ')})`
}

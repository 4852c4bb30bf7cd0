import { CALLER_LIMITS, REVISIONS, UPSTREAM_LIMITS } from '@crosspoint/mcp'
import { z } from 'zod'
import { NAME_PATTERN, NAME_RULE, PREFIX_PATTERN, PREFIX_RULE, TOOL_NAME_PATTERN, TOOL_NAME_RULE } from './names.ts'

/**
 * `crosspoint.yaml` as people write it. The one place where keys, defaults and bounds are declared: parsing, the
 * JSON Schema for editors and `crosspoint config explain` all come from it.
 */

const HOUR_MS = 3_600_000
const KIB = 1024
const MIB = 1024 * 1024

const text = z.string({ error: 'Must be a text' }).min(1, 'Must not be empty')
const texts = z.array(text, { error: 'Must be a list of texts' })

/**
 * A variable may stand for a number or a truth value, and always gives a text. Their defaults are `prefault`s: as
 * the value is transformed, only so does the JSON Schema show them.
 */
function whole(min: number, max: number) {
  const error = `Must be a whole number from ${min} to ${max}`
  const number = z.int({ error }).min(min, error).max(max, error)
  const written = z
    .string({ error })
    .regex(/^(?:\d{1,15}|\$\{.+\})$/, error)
    .transform(Number)
    .pipe(number)
  return z.union([number, written], { error })
}

function truth() {
  const error = 'Must be true or false'
  const written = z.string().regex(/^(?:true|false|\$\{.+\})$/)
  return z.union([z.boolean(), written.transform((value) => value === 'true')], { error })
}

/** A text that may be written as a number or truth value, as YAML makes of `PORT: 3000`. */
const loose = z.union([z.string(), z.number(), z.boolean()], { error: 'Must be a text' }).transform(String)

const selection = z.strictObject(
  {
    include: texts.describe('Names that are offered; `*` stands for any run of characters. Default: all.').optional(),
    exclude: texts.describe('Names that are not offered, whatever `include` says.').optional(),
  },
  { error: 'Must be a mapping with "include" and "exclude"' },
)

const listen = section(
  {
    host: text
      .regex(/^(?:[\w.:%-]+|\$\{.+\})$/, 'Must be a host name or an IP address, without brackets or port')
      .default('127.0.0.1')
      .describe('Address to bind.'),
    port: whole(0, 65_535).prefault(8360).describe('Port to bind; 0 takes any free one.'),
    allowedHosts: z
      .array(text.regex(/^[^\s/@]+$/, 'Must be a host name, with or without a port'), {
        error: 'Must be a list of host names',
      })
      .default([])
      .describe('`Host` header values accepted besides the loopback names, as `name` (any port) or `name:port`.'),
    allowedOrigins: z
      .array(
        text.regex(
          /^[a-z][a-z0-9+.-]*:\/\/[^\s/?#]+$|\$\{/i,
          'Must be an origin such as "https://example.com", without a path',
        ),
        {
          error: 'Must be a list of origins',
        },
      )
      .default([])
      .describe('`Origin` header values accepted besides our own on loopback, such as `https://example.com`.'),
    maxConnections: whole(1, 1_000_000)
      .prefault(20_000)
      .describe('Most connections open at once; a client that listens has one for that alone.'),
  },
  'Where the gateway listens.',
)

/** Whose calls share a session with a server that keeps one. */
export const SESSION_MODES = ['per-principal', 'per-session', 'per-request', 'shared'] as const

const restart = section(
  {
    minDelayMs: whole(10, HOUR_MS)
      .prefault(500)
      .describe('First wait before a lost server is started again, in milliseconds.'),
    maxDelayMs: whole(10, HOUR_MS)
      .prefault(60_000)
      .describe('Longest such wait, in milliseconds; waits double up to it.'),
    resetAfterMs: whole(0, 24 * HOUR_MS)
      .prefault(60_000)
      .describe('A server that stayed up this long starts again at the first wait, in milliseconds.'),
  },
  'How a lost server is brought back.',
)

const server = z
  .strictObject(
    {
      type: z
        .enum(['stdio', 'http', 'sse'], { error: 'Must be stdio, http or sse' })
        .describe(
          'Transport. Default: stdio with `command`; http with `url`, and sse for a server that has nothing newer.',
        )
        .optional(),
      command: text.describe('Program to start; talked to over its stdin and stdout, without a shell.').optional(),
      args: z
        .array(loose, { error: 'Must be a list of texts' })
        .describe('Arguments of the program, each a text of its own.')
        .optional(),
      env: z
        .record(z.string().regex(/^[^=\0]+$/, 'A variable name has no "="'), loose, {
          error: 'Must be a mapping of texts',
        })
        .describe('Environment variables of the program, over what it inherits.')
        .optional(),
      envFile: text
        .describe('A file of NAME=value lines for `env`, which wins over it. Relative to this file.')
        .optional(),
      inheritEnv: texts
        .describe('Names of environment variables the program inherits besides PATH, HOME and the like.')
        .optional(),
      cwd: text
        .describe('Working folder of the program. Relative to this file. Default: the folder of this file.')
        .optional(),
      url: text
        .regex(/^https?:\/\/|^unix:\/|\$\{/i, 'Must be an http:// or https:// URL, or unix:/ and the path of a socket')
        .describe(
          'Endpoint of a remote server, or `unix:/run/x.sock` for one on a socket (`unix:/run/x.sock:/mcp` with its path).',
        )
        .optional(),
      headers: z
        .record(z.string().regex(/^[\w!#$%&'*+.^`|~-]+$/, 'This is not a header name'), loose, {
          error: 'Must be a mapping of texts',
        })
        .describe('HTTP headers sent with every request to a remote server.')
        .optional(),
      enabled: truth().prefault(true).describe('A disabled server is listed and never started.'),
      prefix: z
        .string({ error: PREFIX_RULE })
        .regex(PREFIX_PATTERN, PREFIX_RULE)
        .describe(
          "What stands before `__` in the names of its tools and prompts. Default: the server's name; `''` keeps the names the server gives them.",
        )
        .optional(),
      title: text.describe('Name for people.').optional(),
      description: text.describe('What the server is for.').optional(),
      revision: z
        .enum(
          REVISIONS.map((revision) => revision.name),
          { error: `Must be one of ${REVISIONS.map((revision) => revision.name).join(', ')}` },
        )
        .describe('Speak this revision of the protocol and no other. Default: the newest both sides have.')
        .optional(),
      connectTimeoutMs: whole(1, HOUR_MS)
        .describe('Longest wait until the server is connected, in milliseconds. Default: `timeouts.connectMs`.')
        .optional(),
      requestTimeoutMs: whole(1, 24 * HOUR_MS)
        .describe('Longest wait for an answer without progress, in milliseconds. Default: `timeouts.requestMs`.')
        .optional(),
      maxRequestMs: whole(1, 24 * HOUR_MS)
        .describe(
          'Longest wait for an answer whatever progress is made, in milliseconds. Default: `timeouts.maxRequestMs`, or `requestTimeoutMs` where that is longer.',
        )
        .optional(),
      sessions: z
        .enum(SESSION_MODES, { error: `Must be one of ${SESSION_MODES.join(', ')}` })
        .default('per-principal')
        .describe(
          'Whose calls share a session with a server that keeps one: those of one caller who declares the same (`per-principal`), of one session of it (`per-session`), none (`per-request`), or all (`shared`: only where all callers are one person).',
        ),
      roots: z
        .array(text.regex(/^file:\/\/|\$\{/, 'Must be a file:// URI'), { error: 'Must be a list of file:// URIs' })
        .describe('Folders the server may work in, told to it where it asks outside of any call.')
        .optional(),
      restart,
      tools: selection.prefault({}).describe("Which of the server's own tool names are offered."),
    },
    { error: 'Must be a mapping with "command" or "url"' },
  )
  .describe('An MCP server: `command` for one that is started here, `url` for a remote one.')

const view = z
  .strictObject(
    {
      title: text.describe('Name for people.').optional(),
      description: text.describe('What the view is for; told to clients as instructions.').optional(),
      servers: texts.describe('Names of the servers the view draws from. Default: all.').optional(),
      tools: selection.prefault({}).describe('Which tools, by merged name (`<server>__<tool>`).'),
      prompts: selection.prefault({}).describe('Which prompts, by merged name (`<server>__<prompt>`).'),
      resources: selection.prefault({}).describe('Which resources and templates, by URI.'),
      rename: z
        .record(text, z.string({ error: TOOL_NAME_RULE }).regex(TOOL_NAME_PATTERN, TOOL_NAME_RULE), {
          error: 'Must be a mapping from tool names to tool names',
        })
        .default({})
        .describe('New tool names: merged name to name in this view.'),
      describe: z
        .record(text, text, { error: 'Must be a mapping from tool names to descriptions' })
        .default({})
        .describe('New tool descriptions: merged name to description in this view.'),
    },
    { error: 'Must be a mapping' },
  )
  .describe('Some of what the servers offer, served at `/mcp/<name>`.')

const limits = section(
  {
    maxRequestBytes: whole(KIB, 256 * MIB)
      .prefault(CALLER_LIMITS.maxBytes)
      .describe('Longest message from a caller, in bytes.'),
    maxResponseBytes: whole(KIB, 512 * MIB)
      .prefault(UPSTREAM_LIMITS.maxBytes)
      .describe('Longest message from a server, in bytes.'),
    maxDepth: whole(8, 512).prefault(CALLER_LIMITS.maxDepth).describe('Deepest nesting of a message.'),
    maxBatch: whole(1, 1000).prefault(CALLER_LIMITS.maxBatch).describe('Most members of a batch.'),
    maxConcurrent: whole(1, 10_000).prefault(64).describe('Most requests of one session at work at once.'),
    maxSessions: whole(1, 1_000_000)
      .prefault(10_000)
      .describe('Most sessions alive; beyond it one never used makes room, or new ones are refused.'),
    maxStreamBytes: whole(KIB, 256 * MIB)
      .prefault(4 * MIB)
      .describe('Most bytes waiting on one stream for a caller who does not read.'),
    maxUpstreamSessions: whole(1, 100_000)
      .prefault(256)
      .describe(
        'Most sessions with one server on behalf of callers; beyond it one nobody uses makes room, or calls are refused.',
      ),
    maxParked: whole(1, 100_000)
      .prefault(1_000)
      .describe('Most calls kept open while their callers answer a question of the server between two requests.'),
    maxParkedPerPrincipal: whole(1, 100_000).prefault(250).describe('Most such calls of one caller.'),
    maxParkedBytes: whole(KIB, 8 * 1024 * MIB)
      .prefault(128 * MIB)
      .describe('Most bytes of such calls, their answers and outcomes.'),
    maxIcons: whole(0, 10_000)
      .prefault(64)
      .describe(
        'Most icons of one server that are fetched from its own origin and put into its lists; 0 passes addresses on.',
      ),
    maxIconBytes: whole(KIB, MIB)
      .prefault(64 * KIB)
      .describe('Largest icon of these, in bytes. All of one server add up to no more than `maxIcons` of this size.'),
    pageSize: whole(1, 10_000).prefault(1_000).describe('Things on one page of a list.'),
  },
  'Bounds.',
)

const timeouts = section(
  {
    connectMs: whole(1, HOUR_MS)
      .prefault(30_000)
      .describe('Longest wait until a server is connected, in milliseconds.'),
    probeMs: whole(1, HOUR_MS)
      .prefault(5_000)
      .describe('How long a started server may stay silent when asked for its revision, in milliseconds.'),
    requestMs: whole(1, 24 * HOUR_MS)
      .prefault(60_000)
      .describe('Longest wait for an answer without progress, in milliseconds.'),
    maxRequestMs: whole(1, 24 * HOUR_MS)
      .prefault(HOUR_MS / 4)
      .describe('Longest wait for an answer whatever progress is made, in milliseconds.'),
    sessionIdleMs: whole(1_000, 7 * 24 * HOUR_MS)
      .prefault(HOUR_MS / 2)
      .describe('A session nobody uses ends after this, in milliseconds.'),
    upstreamIdleMs: whole(1_000, 7 * 24 * HOUR_MS)
      .prefault(HOUR_MS / 6)
      .describe('A session with a server on behalf of callers that nobody uses ends after this, in milliseconds.'),
    relistMs: whole(10_000, 24 * HOUR_MS)
      .prefault(HOUR_MS / 12)
      .describe(
        'How often a server is asked for its lists again that does not tell of changes, nor how long its lists hold, in milliseconds.',
      ),
    inputMs: whole(1_000, 24 * HOUR_MS)
      .prefault(HOUR_MS / 6)
      .describe('How long a caller may take to bring answers to a question of the server, in milliseconds.'),
    iconMs: whole(1, 10 * 60_000)
      .prefault(10_000)
      .describe('How long an icon may take to be fetched, in milliseconds; lists do not wait for it.'),
    drainMs: whole(0, HOUR_MS)
      .prefault(25_000)
      .describe('On shutdown, how long open calls may still finish, in milliseconds.'),
    killGraceMs: whole(0, 10 * 60_000)
      .prefault(2_000)
      .describe('How long a started server may take to exit once its stdin is closed, and again once asked by signal.'),
  },
  'Waits.',
)

const log = section(
  {
    level: z
      .enum(['debug', 'info', 'warn', 'error', 'silent'], { error: 'Must be debug, info, warn, error or silent' })
      .default('info')
      .describe('Least severe line that is written, to stderr.'),
  },
  'The log.',
)

export const configSchema = z
  .strictObject(
    {
      $schema: z.string().describe('JSON Schema of this file, for editors.').optional(),
      listen,
      servers: z
        .record(z.string().regex(NAME_PATTERN, NAME_RULE), server, { error: 'Must be a mapping from names to servers' })
        .default({})
        .describe('The servers behind the gateway, by name.'),
      mcpServers: z
        .record(z.string(), z.looseObject({}))
        .describe('More servers, in the spellings of other tools.')
        .optional(),
      views: z
        .record(z.string().regex(NAME_PATTERN, NAME_RULE), view, { error: 'Must be a mapping from names to views' })
        .default({})
        .describe('Virtual servers, by name.'),
      limits,
      timeouts,
      log,
    },
    { error: 'A configuration is a mapping' },
  )
  .describe('Configuration of the Crosspoint gateway')

/** A valid configuration with the schema's defaults, in the shape it is written in. */
export type WrittenConfig = z.output<typeof configSchema>
export type WrittenServer = WrittenConfig['servers'][string]
export type WrittenView = WrittenConfig['views'][string]

/** Sections of plain settings: each key can also be set by the environment or a flag. */
export const SETTING_SECTIONS = ['listen', 'limits', 'timeouts', 'log'] as const

/** Keys of the mapping at a path of the schema, in their order; empty where there is none. */
export function knownKeys(path: readonly PropertyKey[]): readonly string[] {
  let type: z.core.$ZodType | undefined = configSchema
  for (const step of path) {
    const open: z.core.$ZodType | undefined = unwrap(type)
    if (open instanceof z.ZodObject) type = open.shape[String(step)]
    else if (open instanceof z.ZodRecord) type = open.valueType
    else return []
  }
  const open = unwrap(type)
  return open instanceof z.ZodObject ? Object.keys(open.shape) : []
}

function section<Shape extends z.core.$ZodLooseShape>(shape: Shape, about: string) {
  const mapping = z.strictObject(shape, { error: 'Must be a mapping' })
  // An absent section is an empty one: its own defaults then apply.
  return mapping.prefault({} as never).describe(about)
}

function unwrap(type: z.core.$ZodType | undefined): z.core.$ZodType | undefined {
  if (type instanceof z.ZodOptional || type instanceof z.ZodDefault || type instanceof z.ZodPrefault) {
    return unwrap(type.def.innerType)
  }
  return type
}

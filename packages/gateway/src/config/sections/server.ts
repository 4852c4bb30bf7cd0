import { REVISIONS } from '@crosspoint/mcp'
import { z } from 'zod'
import { PREFIX_PATTERN, PREFIX_RULE } from '../names.ts'
import { replicas, urls } from './replicas.ts'
import { serverAuth } from './server-auth.ts'
import { HOUR_MS, loose, section, selection, text, texts, truth, whole } from './shapes.ts'

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

export const server = z
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
      urls: urls
        .describe('Several endpoints of one remote server, in place of `url`; each with a `weight` where it differs.')
        .optional(),
      instances: whole(1, 64)
        .describe(
          'How many processes of the program share the calls of all, where calls share one: those of the newest revision, and with `sessions: shared`.',
        )
        .optional(),
      replicas,
      headers: z
        .record(z.string().regex(/^[\w!#$%&'*+.^`|~-]+$/, 'This is not a header name'), loose, {
          error: 'Must be a mapping of texts',
        })
        .describe('HTTP headers sent with every request to a remote server.')
        .optional(),
      auth: serverAuth.optional(),
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

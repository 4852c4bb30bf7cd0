import { z } from 'zod'
import { NAME_PATTERN, NAME_RULE, TOOL_NAME_PATTERN, TOOL_NAME_RULE } from './names.ts'
import { admin } from './sections/admin.ts'
import { audit } from './sections/audit.ts'
import { auth } from './sections/auth.ts'
import { cluster } from './sections/cluster.ts'
import { limits } from './sections/limits.ts'
import { listen } from './sections/listen.ts'
import { log } from './sections/log.ts'
import { policy, roles, scopes } from './sections/policy.ts'
import { route } from './sections/route.ts'
import { secrets, vault } from './sections/secrets.ts'
import { server } from './sections/server.ts'
import { store } from './sections/store.ts'
import { telemetry } from './sections/telemetry.ts'
import { timeouts } from './sections/timeouts.ts'
import { traffic } from './sections/traffic.ts'
import { view } from './sections/view.ts'

/**
 * `crosspoint.yaml` as people write it: a section a file. The one place where keys, defaults and bounds are declared:
 * parsing, the JSON Schema for editors and `crosspoint config explain` all come from it.
 */

export const configSchema = z
  .strictObject(
    {
      $schema: z.string().describe('JSON Schema of this file, for editors.').optional(),
      listen,
      auth: auth.optional(),
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
      routes: z
        .record(z.string().regex(TOOL_NAME_PATTERN, TOOL_NAME_RULE), route, {
          error: 'Must be a mapping from names to routes',
        })
        .default({})
        .describe('Tools that several servers offer, by the name they have together.'),
      secrets,
      vault,
      scopes,
      roles,
      policy,
      limits,
      timeouts,
      traffic,
      log,
      store,
      cluster,
      audit: audit.optional(),
      admin,
      telemetry,
    },
    { error: 'A configuration is a mapping' },
  )
  .describe('Configuration of the Crosspoint gateway')

/** A valid configuration with the schema's defaults, in the shape it is written in. */
export type WrittenConfig = z.output<typeof configSchema>
export type WrittenServer = WrittenConfig['servers'][string]
export type WrittenAuth = NonNullable<WrittenConfig['auth']>
export type WrittenView = WrittenConfig['views'][string]

/** Sections of plain settings: each key can also be set by the environment or a flag. */
export const SETTING_SECTIONS = ['listen', 'limits', 'timeouts', 'log', 'store', 'cluster', 'admin'] as const

/** Keys of the mapping at a path of the schema, in their order; empty where there is none. */
export function knownKeys(path: readonly PropertyKey[]): readonly string[] {
  let type: z.core.$ZodType | undefined = configSchema
  for (const step of path) {
    const open: z.core.$ZodType | undefined = unwrap(type)
    if (open instanceof z.ZodObject) type = open.shape[String(step)]
    else if (open instanceof z.ZodRecord) type = open.valueType
    else if (open instanceof z.ZodArray) type = open.element
    else return []
  }
  const open = unwrap(type)
  return open instanceof z.ZodObject ? Object.keys(open.shape) : []
}

function unwrap(type: z.core.$ZodType | undefined): z.core.$ZodType | undefined {
  if (type instanceof z.ZodOptional || type instanceof z.ZodDefault || type instanceof z.ZodPrefault) {
    return unwrap(type.def.innerType)
  }
  return type
}

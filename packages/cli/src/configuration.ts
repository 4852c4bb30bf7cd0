import {
  ConfigError,
  type ConfigFlag,
  type ConfigIssue,
  findConfig,
  type LoadedConfig,
  loadConfig,
} from '@crosspoint/gateway/config'
import { CliError } from './exit.ts'
import type { Io } from './io.ts'
import type { CommonOptions } from './options.ts'
import { visible } from './print/visible.ts'

/**
 * The file to use: the one named, else the one found, else the fallback.
 * @throws {CliError} that says how to write one
 */
export async function locateConfig(io: Io, { config }: CommonOptions, fallback?: string): Promise<string> {
  const path = config ?? (await findConfig(io.cwd, io.env)) ?? fallback
  if (path !== undefined) return path
  throw new CliError('usage', 'No configuration was found here or in your configuration folder', { hint: FIRST_CONFIG })
}

const FIRST_CONFIG = `Write crosspoint.yaml, for example
  servers:
    memory:
      command: npx
      args: [-y, "@modelcontextprotocol/server-memory"]
or name a file with --config; a file with "mcpServers", as other tools write it, works as it is.`

/** Reads a configuration, tells what is odd about it, and turns what is wrong into the error to end with. */
export function readConfig(io: Io, path: string, flags: readonly ConfigFlag[] = []): LoadedConfig {
  const loaded = readQuietly(io, path, flags)
  const severity = io.terminal.err.yellow('warning')
  for (const warning of loaded.warnings) io.terminal.say(describeIssue(warning, severity))
  return loaded
}

/** As {@link readConfig}, leaving warnings to the caller. */
export function readQuietly(io: Io, path: string, flags: readonly ConfigFlag[] = []): LoadedConfig {
  try {
    return loadConfig(path, { env: io.env, flags })
  } catch (error) {
    throw toConfigFault(error)
  }
}

export function toConfigFault(error: unknown): unknown {
  if (!(error instanceof ConfigError)) return error
  const places = error.issues.map((issue) => describeIssue(issue, 'error'))
  return new CliError('usage', `The configuration cannot be used\n${places.join('\n')}`, {
    code: 'config',
    details: error.issues,
    cause: error.cause,
  })
}

/** `file:line:column: severity: setting: message (remedy)`: what editors and CI read as a problem. */
export function describeIssue(issue: ConfigIssue, severity: string): string {
  const place = issue.line > 0 ? `${issue.file}:${issue.line}:${issue.column}` : issue.file
  const about = issue.path === '' ? '' : `${issue.path}: `
  const remedy = issue.hint === undefined ? '' : ` (${issue.hint})`
  return `${visible(place)}: ${severity}: ${visible(`${about}${issue.message}${remedy}`)}`
}

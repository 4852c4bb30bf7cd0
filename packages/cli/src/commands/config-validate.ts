import { ConfigError, type ConfigIssue, loadConfig } from '@crosspoint/gateway/config'
import { describeIssue, locateConfig } from '../configuration.ts'
import type { ExitKind } from '../exit.ts'
import type { Io } from '../io.ts'
import type { CommonOptions } from '../options.ts'
import { visible } from '../print/visible.ts'

/** Says whether a configuration can be used. The report is data, good or bad; nothing is started. */
export async function configValidate(io: Io, file: string | undefined, options: CommonOptions): Promise<ExitKind> {
  const path = file ?? (await locateConfig(io, options))
  const { errors, warnings, servers, views } = examine(io, path)
  const valid = errors.length === 0
  const { terminal } = io
  if (terminal.json) terminal.value({ valid, file: path, servers, views, errors, warnings })
  else {
    for (const issue of errors) terminal.data(describeIssue(issue, terminal.out.red('error')))
    for (const issue of warnings) terminal.data(describeIssue(issue, terminal.out.yellow('warning')))
    terminal.say(
      valid
        ? `${terminal.err.green('valid')} ${visible(path)}: ${count(servers.length, 'server')}, ${count(views.length, 'view')}`
        : `${terminal.err.red('not usable')} ${visible(path)}: ${count(errors.length, 'error')}`,
    )
  }
  return valid ? 'ok' : 'usage'
}

interface Examined {
  readonly errors: readonly ConfigIssue[]
  readonly warnings: readonly ConfigIssue[]
  readonly servers: readonly string[]
  readonly views: readonly string[]
}

function examine(io: Io, path: string): Examined {
  try {
    const { config, warnings } = loadConfig(path, { env: io.env })
    return { errors: [], warnings, servers: [...config.servers.keys()], views: [...config.views.keys()] }
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error
    return { errors: error.issues, warnings: [], servers: [], views: [] }
  }
}

function count(number: number, what: string): string {
  return `${number} ${what}${number === 1 ? '' : 's'}`
}

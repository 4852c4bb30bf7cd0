import type { Complaints } from './complaints.ts'
import { parseEnvFile } from './env-file.ts'
import { codeOf } from './foreign-variables.ts'
import { joinPath } from './join-path.ts'
import { child, type Entry, scalar, type Table, type Tree, table, textOf } from './tree.ts'

export interface EnvFileContext {
  readonly baseDir: string
  readonly readText: (path: string) => string
  readonly complaints: Complaints
}

/** Most variables of one environment file. */
const MAX_VARIABLES = 1000

/** Reads each enabled server's `envFile` and lays its variables under `env`. */
export function addEnvFiles(root: Table, context: EnvFileContext): Table {
  const servers = root.entries.get('servers')
  if (servers?.value.kind !== 'table') return root
  const entries = [...servers.value.entries].map(([name, entry]) => {
    const value = entry.value.kind === 'table' ? addEnvFile(entry.value, context) : entry.value
    return [name, { ...entry, value }] as const
  })
  const changed: Entry = { key: servers.key, value: table(entries, servers.value.origin) }
  return table([...root.entries, ['servers', changed]], root.origin)
}

function addEnvFile(server: Table, context: EnvFileContext): Table {
  const file = server.entries.get('envFile')
  const env = server.entries.get('env')
  const enabled = child(server, 'enabled')
  if (file === undefined || (enabled?.kind === 'scalar' && enabled.value === false)) return server
  if (env !== undefined && env.value.kind !== 'table') return server
  const { origin } = file.value
  const values = [...readValues(file.value, context)]
  const below = values.map(([name, value]) => [name, { key: file.key, value: scalar(value, origin) }] as const)
  const above = env?.value.kind === 'table' ? env.value.entries : []
  const merged: Entry = { key: env?.key ?? file.key, value: table([...below, ...above], env?.value.origin ?? origin) }
  return table([...server.entries, ['env', merged]], server.origin)
}

function readValues(file: Tree, { baseDir, readText, complaints }: EnvFileContext): Map<string, string> {
  const path = textOf(file)
  // What is no text is reported by the schema.
  if (path === undefined) return new Map()
  let text: string
  try {
    text = readText(joinPath(baseDir, path))
  } catch (error) {
    const hint = 'its path starts from the folder of the configuration file'
    complaints.error(file.origin, `The environment file cannot be read: ${codeOf(error)}`, hint)
    return new Map()
  }
  const bad: number[] = []
  const values = parseEnvFile(text, (line) => bad.push(line))
  if (bad.length > 0) {
    complaints.error(file.origin, `Not NAME=value in the environment file, line ${bad.slice(0, 10).join(', ')}`)
  }
  if (values.size > MAX_VARIABLES) {
    complaints.error(file.origin, `The environment file sets more than ${MAX_VARIABLES} variables`)
  }
  return values
}

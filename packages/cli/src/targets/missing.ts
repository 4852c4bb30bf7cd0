import type { JsonObject, Tool } from '@crosspoint/mcp'
import { CliError } from '../exit.ts'
import { toWord } from '../print/servers.ts'
import { didYouMean } from '../suggest.ts'
import type { Peer } from './peer.ts'

/**
 * The error for a name nothing has: the nearest that something has, or the server that would have it and is away.
 * @param what `tool`, `prompt` or `resource`
 */
export function notFound(what: string, name: string, peer: Peer, names: readonly string[]): CliError {
  const away = peer.away?.find((server) => server.prefix !== '' && name.startsWith(`${server.prefix}__`))
  if (away !== undefined) {
    const reason = away.reason === undefined ? '' : `: ${away.reason}`
    return new CliError(
      away.state === 'needs-sign-in' ? 'auth' : 'unreachable',
      `No ${what} "${name}" for now: the server "${away.name}" is ${toWord(away.state)}${reason}`,
      {
        hint: away.remedy,
      },
    )
  }
  const list =
    names.length === 0 ? `It has no ${what}s` : `See what there is: crosspoint ls ${what}s${peer.words ?? ''}`
  if (peer.servers?.includes(name)) {
    const hint = `"${name}" is a server. See what it has: crosspoint ls ${what}s ${name}`
    return new CliError('usage', `No ${what} is named`, { hint })
  }
  return new CliError('usage', `No ${what} "${name}" at ${peer.title}`, { hint: didYouMean(name, names) ?? list })
}

/** Text given for what the tool's schema says is no text: the likeliest reason why a call failed. */
export function hintForTypes(tool: Tool, args: JsonObject): string | undefined {
  const properties = tool.inputSchema?.properties
  if (typeof properties !== 'object' || properties === null) return undefined
  const wrong = Object.keys(args).filter((key) => {
    if (typeof args[key] !== 'string' || !Object.hasOwn(properties, key)) return false
    const type = ((properties as JsonObject)[key] as JsonObject | null)?.type
    return typeof type === 'string' && NOT_TEXT.has(type)
  })
  if (wrong.length === 0) return undefined
  return `The tool wants ${wrong.map((key) => `"${key}"`).join(', ')} as JSON: write ${wrong[0]}:=…`
}

const NOT_TEXT: ReadonlySet<string> = new Set(['number', 'integer', 'boolean', 'object', 'array', 'null'])

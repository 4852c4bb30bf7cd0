import { type ClientDoor, type ClientSnippet, toClientSnippets, type UpstreamStatus } from '@crosspoint/gateway'
import type { Io } from '../io.ts'
import { describeServers } from './servers.ts'
import type { Style } from './style.ts'
import { visible } from './visible.ts'

/** What `up` says once it serves. Its JSON form is stable. */
export interface Announced {
  readonly url: string
  /** Where the admin API is, and how to get in; undefined: there is none. */
  readonly admin: AnnouncedAdmin | undefined
  /** By name. */
  readonly views: Readonly<Record<string, string>>
  /** The file. */
  readonly config: string
  readonly isFallback: boolean
  readonly servers: readonly UpstreamStatus[]
  /** Where Prometheus can ask, where that is configured. */
  readonly metrics?: string | undefined
}

export interface AnnouncedAdmin {
  readonly url: string
  readonly token: string | undefined
  /** The file that commands on this machine find it by. */
  readonly pass: string | undefined
  /** Why it is elsewhere than by default. */
  readonly moved: string | undefined
}

/** For programs one JSON object on one line of standard output; for people, on standard error, what they need next. */
export function announce({ terminal }: Io, announced: Announced, stdio: ClientDoor['stdio']): void {
  const { url, admin, views, config, isFallback, servers, metrics } = announced
  if (terminal.json) {
    terminal.value({
      url,
      ...(admin === undefined ? {} : { admin: admin.url }),
      ...(metrics === undefined ? {} : { metrics }),
      views,
      config,
      servers,
    })
    return
  }
  const { bold, cyan, dim } = terminal.err
  const lines = [
    '',
    `${bold('Crosspoint')} serves ${count(servers.length)} of ${visible(config)} at`,
    '',
    `  ${cyan(url)}`,
    ...Object.entries(views).map(([name, at]) => `  ${cyan(visible(at))}  ${dim(`view ${visible(name)}`)}`),
    ...(metrics === undefined ? [] : [`  ${cyan(metrics)}  ${dim('metrics')}`]),
    '',
    ...(admin === undefined ? [] : describeAdmin(admin, terminal)),
    describeServers(servers, terminal.err),
    '',
  ]
  const shell = process.platform === 'win32' ? 'windows' : 'posix'
  lines.push(bold('Paste into your client'), '')
  for (const snippet of toClientSnippets({ url, stdio, shell })) lines.push(...describeSnippet(snippet, terminal.err))
  lines.push('')
  if (isFallback) lines.push(dim('This is the example; write a crosspoint.yaml of your own to serve your servers.'), '')
  lines.push(dim('Ctrl-C stops everything.'), '')
  terminal.say(lines.join('\n'))
}

/** A token goes to a screen that somebody watches, and into no log. */
function describeAdmin(
  { url, token, pass, moved }: AnnouncedAdmin,
  { isWatched, err }: Io['terminal'],
): readonly string[] {
  const shown = isWatched && token !== undefined ? `${url}/#token=${token}` : url
  const hints = [
    ...(moved === undefined ? [] : [moved]),
    ...(pass === undefined ? [] : ['"crosspoint status" asks it']),
  ].map((hint) => err.dim(visible(hint)))
  return [`Admin API  ${[err.cyan(visible(shown)), ...hints].join('  ')}`, '']
}

function count(servers: number): string {
  return servers === 1 ? 'the one server' : `the ${servers} servers`
}

/** One line where a command does it; otherwise the file, and what belongs into it. */
function describeSnippet({ title, command, file }: ClientSnippet, { dim }: Style): readonly string[] {
  const label = `  ${title.padEnd(15)} `
  if (command !== undefined) return [label + command]
  if (file === undefined) return []
  return [`${label}${dim(file.path)}`, ...file.text.split('\n').map((line) => `    ${line}`)]
}

import { isAway, type UpstreamStatus } from '@crosspoint/gateway'
import type { Style } from './style.ts'
import { type Cell, toTable } from './table.ts'
import { visible } from './visible.ts'

/** A row per server: what it offers, or why it does not; below, what can be done. Nothing is cut: the reason is what counts. */
export function describeServers(servers: readonly UpstreamStatus[], style: Style): string {
  const rows = servers.flatMap((server): Cell[][] => [
    [
      { text: server.name, paint: style.bold },
      toStateCell(server, style),
      { text: server.revision ?? '', paint: style.dim },
      { text: isAway(server) ? (server.reason ?? '') : describeCounts(server) },
    ],
    ...(server.replicas ?? []).map((replica) => [
      { text: `  ${replica.name}` },
      toStateCell(replica, style),
      { text: '' },
      { text: describeReplica(replica) },
    ]),
  ])
  const remedies = servers.flatMap(({ name, remedy, state }) =>
    remedy === undefined || state === 'disabled' ? [] : [`  ${style.yellow(visible(name))}: ${visible(remedy)}`],
  )
  return [toTable(rows, undefined), ...remedies].join('\n')
}

/** What keeps whoever waits for all of them; undefined when nothing does. */
export function describeStarting(servers: readonly UpstreamStatus[]): string | undefined {
  const names = servers.filter(({ state }) => state === 'starting').map(({ name }) => visible(name))
  return names.length === 0 ? undefined : `Waiting for ${names.join(', ')}`
}

/** A state as people say it. */
export function toWord(state: string): string {
  if (state === 'backing-off') return 'down'
  return state === 'needs-sign-in' ? 'needs sign-in' : state
}

/** What keeps calls away from one of several addresses of a server, and how many it had. */
function describeReplica({
  isLeftAlone,
  calls,
  failures,
  reason,
}: NonNullable<UpstreamStatus['replicas']>[number]): string {
  const had = calls === 0 ? '' : failures === 0 ? plural(calls, 'call') : `${plural(calls, 'call')}, ${failures} failed`
  return [isLeftAlone ? 'left alone for a while' : '', reason ?? '', had].filter((part) => part !== '').join('; ')
}

function toStateCell({ state }: Pick<UpstreamStatus, 'state'>, style: Style): Cell {
  const text = toWord(state)
  if (state === 'ready') return { text, paint: style.green }
  if (state === 'disabled') return { text, paint: style.dim }
  return { text, paint: state === 'degraded' || state === 'starting' ? style.yellow : style.red }
}

/** `12 tools, 3 resources`; what there is none of is left out. */
export function describeCounts({ counts, state, reason }: Pick<UpstreamStatus, 'counts' | 'state' | 'reason'>): string {
  if (counts === undefined) return ''
  const { tools, resources, templates, prompts } = counts
  const parts = [
    plural(tools, 'tool'),
    plural(resources, 'resource'),
    plural(templates, 'template'),
    plural(prompts, 'prompt'),
  ].filter((part) => part !== '')
  const offered = parts.length === 0 ? 'offers nothing' : parts.join(', ')
  return state === 'degraded' && reason !== undefined ? `${offered}; ${reason}` : offered
}

function plural(count: number, what: string): string {
  return count === 0 ? '' : `${count} ${what}${count === 1 ? '' : 's'}`
}

import type { AdminAnswer, AdminClient } from '@crosspoint/gateway/admin'
import { CliError, type ExitKind } from '../exit.ts'
import type { Io } from '../io.ts'
import type { RunningOptions } from '../options.ts'
import { describeServers } from '../print/servers.ts'
import type { Style } from '../print/style.ts'
import { toTable } from '../print/table.ts'
import { visible } from '../print/visible.ts'
import { asking, findRunning } from '../running.ts'

/** Says how a gateway that runs is: its servers, who calls, what was limited, what is wrong and what to do about it. */
export async function status(io: Io, options: RunningOptions): Promise<ExitKind> {
  const client = await findRunning(io, options)
  if (client === undefined) {
    throw new CliError('unreachable', 'No gateway runs on this configuration', {
      hint: 'Start it with "crosspoint up"; one elsewhere is asked with --admin <url>, and its token in CROSSPOINT_ADMIN_TOKEN',
    })
  }
  return asking(async () => {
    const found = await ask(client)
    const { terminal } = io
    if (terminal.json) terminal.value(found)
    else terminal.data(describe(found, terminal.out))
    return 'ok'
  })
}

/** Its JSON form is stable. */
interface Found {
  readonly gateway: AdminAnswer<'status'>
  readonly limits: AdminAnswer<'listLimits'>
  readonly callers: AdminAnswer<'listPrincipals'>['principals']
}

async function ask(client: AdminClient): Promise<Found> {
  const [gateway, limits, { principals }] = await Promise.all([
    client.status(),
    client.listLimits(),
    client.listPrincipals(),
  ])
  return { gateway, limits, callers: principals }
}

function describe({ gateway, limits, callers }: Found, style: Style): string {
  const parts = [
    describeGateway(gateway, style),
    gateway.servers.length === 0 ? 'No server is configured' : describeServers(gateway.servers, style),
    describeLimits(limits, style),
    describeCallers(callers, style),
  ]
  return parts.filter((part) => part !== '').join('\n\n')
}

function describeGateway(
  { version, url = '', startedAt, pid, host, auth, audit, memory }: Found['gateway'],
  style: Style,
) {
  const asks = [...(auth.keys ? ['keys'] : []), ...auth.issuers.map((issuer) => `tokens of ${visible(issuer)}`)]
  return [
    `${style.bold('Crosspoint')} ${visible(version)} serves ${style.cyan(visible(url))}`,
    style.dim(
      `since ${toMinute(startedAt)}, process ${pid} on ${visible(host)}, ${Math.round(memory.rssBytes / MIB)} MiB`,
    ),
    `Callers are ${auth.asks ? `asked for ${asks.join(', ')}` : 'not asked who they are'}; evidence is ${audit.kept ? '' : 'not '}kept`,
  ].join('\n')
}

function describeLimits({ limits, concurrency, breakers }: Found['limits'], { bold, dim, yellow, red }: Style): string {
  const refused = (count: number) => ({ text: `${count} refused`, paint: count > 0 ? yellow : dim })
  const rows = [
    ...limits.map(({ kind, name, passed, refused: no }) => [
      kind,
      { text: name, paint: bold },
      `${passed} passed`,
      refused(no),
    ]),
    ...concurrency.map(({ name, inside, max, waiting, shed }) => [
      'line',
      { text: name, paint: bold },
      `${inside} at work (${max} for each at most), ${waiting} waiting`,
      refused(shed),
    ]),
    ...breakers
      .filter(({ open }) => open)
      .map(({ server, refused: no }) => [
        'breaker',
        { text: server, paint: bold },
        { text: 'open', paint: red },
        refused(no),
      ]),
  ]
  return rows.length === 0 ? '' : toTable(rows, undefined)
}

function describeCallers(callers: Found['callers'], { bold, dim }: Style): string {
  if (callers.length === 0) return ''
  const rows = callers
    .slice(0, MAX_CALLERS)
    .map(({ tenant, id, credential, roles, seenAt }) => [
      { text: id, paint: bold },
      tenant,
      credential,
      roles.join(' '),
      { text: toMinute(seenAt), paint: dim },
    ])
  const heads = ['caller', 'tenant', 'by', 'roles', 'seen'].map((text) => ({ text, paint: dim }))
  const more = callers.length > MAX_CALLERS ? dim(`\nand ${callers.length - MAX_CALLERS} more`) : ''
  return toTable([heads, ...rows], undefined) + more
}

function toMinute(at: string): string {
  return at.slice(0, 16).replace('T', ' ')
}

const MAX_CALLERS = 20
const MIB = 1024 * 1024

import { listAgreed, revokeAgreed, rotateTokenKeys } from '@crosspoint/gateway'
import { CliError, type ExitKind } from '../exit.ts'
import type { Io } from '../io.ts'
import type { CommonOptions, TokensRevokeOptions } from '../options.ts'
import { toTable } from '../print/table.ts'
import { toAuditKeyFault, withStore } from '../store.ts'

/** Prints what people allowed clients. */
export async function tokensList(io: Io, options: CommonOptions): Promise<ExitKind> {
  return withStore(io, options, async ({ grants }) => {
    const found = await listAgreed(grants, Date.now())
    const { terminal } = io
    if (terminal.json) {
      const shown = found.map(({ since, until, ...rest }) => ({
        ...rest,
        since: new Date(since).toISOString(),
        ...(until === undefined ? {} : { until: new Date(until).toISOString() }),
      }))
      terminal.value({ tokens: shown })
    } else if (found.length === 0) {
      terminal.say('Nobody has allowed anything')
    } else {
      const { bold, dim } = terminal.out
      const heads = ['id', 'account', 'client', 'since', 'until'].map((text) => ({ text, paint: dim }))
      const rows = found.map(({ id, account, client, since, until }) => [
        { text: id, paint: bold },
        account ?? '(elsewhere)',
        client,
        toDay(since),
        until === undefined ? '' : toDay(until),
      ])
      terminal.data(toTable([heads, ...rows], terminal.width))
    }
    return 'ok'
  })
}

/** Takes back one agreement, or all of an account or a client. */
export async function tokensRevoke(io: Io, id: string | undefined, options: TokensRevokeOptions): Promise<ExitKind> {
  const { account, client } = options
  const given = [
    ...(id === undefined ? [] : [{ grant: id }]),
    ...(account === undefined ? [] : [{ account }]),
    ...(client === undefined ? [] : [{ client }]),
  ]
  const [of] = given
  if (of === undefined || given.length > 1) {
    throw new CliError('usage', 'Say what to take back: an id, --account or --client', { hint: LIST })
  }
  return withStore(io, options, async ({ grants }) => {
    if (!(await revokeAgreed(grants, of))) throw new CliError('usage', 'There is nothing of that', { hint: LIST })
    io.terminal.say('Taken back: its tokens end within two seconds')
    return 'ok'
  })
}

export async function tokensRotateKeys(io: Io, options: CommonOptions): Promise<ExitKind> {
  return withStore(io, options, async ({ grants }, { auth }) => {
    if (auth?.server === undefined) {
      throw new CliError('usage', 'No tokens are given here: there is no "auth.server" in the configuration')
    }
    await rotateTokenKeys(grants, auth.server, io.env).catch((error: unknown) => {
      throw toAuditKeyFault(error)
    })
    io.terminal.say('Tokens are signed with another key in two minutes')
    return 'ok'
  })
}

function toDay(at: number): string {
  return new Date(at).toISOString().slice(0, 10)
}

const LIST = 'See what there is: crosspoint tokens list'

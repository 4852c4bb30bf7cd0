import { readFile } from 'node:fs/promises'
import {
  type ChainReport,
  defaultKeyFile,
  openAuditKey,
  parseAnchor,
  toVerifiers,
  verifyAudit,
} from '@crosspoint/gateway'
import type { GatewayConfig } from '@crosspoint/gateway/config'
import { locateConfig, readConfig } from '../configuration.ts'
import { CliError, type ExitKind } from '../exit.ts'
import type { Io } from '../io.ts'
import type { AuditVerifyOptions, CommonOptions } from '../options.ts'
import { toTable } from '../print/table.ts'
import { visible } from '../print/visible.ts'
import { asking, findRunning } from '../running.ts'
import { toAuditKeyFault, withStore } from '../store.ts'

/** Holds all evidence against what it says of itself, and says what is wrong first in each chain. */
export async function auditVerify(io: Io, options: AuditVerifyOptions): Promise<ExitKind> {
  const { admin, chain, anchor = [], key = [] } = options
  // Whoever can look for themselves does not ask the one who wrote it.
  const client = admin === undefined ? undefined : await findRunning(io, options)
  if (client === undefined) return verifyStore(io, options)
  if (anchor.length + key.length > 0) {
    throw new CliError('usage', 'A gateway elsewhere holds its evidence against its own key, and knows of no anchor', {
      hint: 'Leave out --admin, where the store can be reached',
    })
  }
  return asking(async () => {
    const { whole, chains } = await client.verifyAudit({ chain }, { timeoutMs: VERIFY_MS })
    tell(
      io,
      chains.map(({ finding, ...report }) => ({ ...report, finding })),
      whole,
    )
    return whole ? 'ok' : 'tampered'
  })
}

async function verifyStore(io: Io, options: AuditVerifyOptions): Promise<ExitKind> {
  return withStore(io, options, async ({ audit }, config) => {
    const { checkpoints, damaged } = await readAnchors(options.anchor ?? [])
    const verifiers = readVerifiers(await readKeys(io, options.key ?? [], config))
    const reports = await verifyAudit(audit, {
      verifiers,
      anchors: checkpoints,
      ...(options.chain === undefined ? {} : { chain: options.chain }),
    })
    const isWhole = damaged === 0 && reports.every(({ finding }) => finding === undefined)
    tell(io, reports, isWhole)
    if (damaged > 0) io.terminal.tell(`${damaged} lines of the anchor are damaged`)
    return isWhole ? 'ok' : 'tampered'
  })
}

/** Prints the public key that checkpoints are held against; makes the key where there is none. */
export async function auditKey(io: Io, options: CommonOptions): Promise<ExitKind> {
  const { config } = readConfig(io, await locateConfig(io, options))
  const { id, publicKey } = openKey(io, config)
  if (io.terminal.json) io.terminal.value({ id, publicKey })
  else io.terminal.data(publicKey.trimEnd())
  return 'ok'
}

function tell({ terminal }: Io, reports: readonly ChainReport[], isWhole: boolean): void {
  if (terminal.json) {
    terminal.value({ whole: isWhole, chains: reports })
    return
  }
  const { bold, dim, green, red, yellow } = terminal.out
  const heads = ['chain', 'rows', 'signed to', 'end', ''].map((text) => ({ text, paint: dim }))
  const rows = reports.map(({ chain, first, last, signed, end, finding }) => [
    { text: chain, paint: bold },
    last === 0 ? 'none' : `${first}–${last}`,
    String(signed),
    { text: end, paint: end === 'stopped' ? green : yellow },
    finding === undefined
      ? { text: 'as written', paint: green }
      : { text: `${finding.what} at ${finding.seq}: ${finding.why}`, paint: red },
  ])
  if (rows.length > 0) terminal.data(toTable([heads, ...rows], terminal.width))
  terminal.say(isWhole ? terminal.err.green('Nothing is wrong') : terminal.err.red('This is not what was written'))
  if (isWhole && reports.some(({ end }) => end === 'open')) {
    terminal.say(
      'A chain that is open belongs to a gateway that runs or was killed; only an anchor or a later chain can show that its end was cut off',
    )
  }
}

async function readAnchors(paths: readonly string[]) {
  const read = await Promise.all(paths.map(async (path) => parseAnchor(await readText(path))))
  return {
    checkpoints: read.flatMap(({ checkpoints }) => checkpoints),
    damaged: read.reduce((sum, { damaged }) => sum + damaged.length, 0),
  }
}

/** Those that are named; else our own. */
async function readKeys(io: Io, paths: readonly string[], config: GatewayConfig): Promise<readonly string[]> {
  return paths.length > 0 ? Promise.all(paths.map(readText)) : [openKey(io, config).publicKey]
}

function readVerifiers(keys: readonly string[]) {
  try {
    return toVerifiers(keys)
  } catch (error) {
    throw toAuditKeyFault(error)
  }
}

function openKey(io: Io, { audit }: GatewayConfig) {
  try {
    return openAuditKey(audit?.keyFile ?? defaultKeyFile(io.env))
  } catch (error) {
    throw toAuditKeyFault(error)
  }
}

async function readText(path: string): Promise<string> {
  try {
    return await readFile(path, 'utf8')
  } catch (cause) {
    throw new CliError('usage', `Cannot read ${visible(path)}`, { cause })
  }
}

/** Every record is read before it answers. */
const VERIFY_MS = 290_000

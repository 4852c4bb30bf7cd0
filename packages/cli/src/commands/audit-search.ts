import { open } from 'node:fs/promises'
import { type AuditRow, toJsonLine, toOtlpLogs } from '@crosspoint/gateway'
import { CliError, type ExitKind } from '../exit.ts'
import type { Io } from '../io.ts'
import type { AuditExportOptions, AuditSearchOptions } from '../options.ts'
import { toTable } from '../print/table.ts'
import { visible } from '../print/visible.ts'
import { withEvidence } from './evidence.ts'

/** Prints records, newest first. */
export async function auditSearch(io: Io, options: AuditSearchOptions): Promise<ExitKind> {
  return withEvidence(io, options, async (evidence) => {
    const rows: AuditRow[] = []
    for await (const page of evidence.pages(options.limit)) rows.push(...page)
    const { terminal } = io
    if (terminal.json) {
      // JSON of our own, which a store gave back.
      terminal.value({ rows: rows.map(({ record, index: _, ...row }) => ({ ...row, record: JSON.parse(record) })) })
      return 'ok'
    }
    if (rows.length === 0) terminal.say('There are no such records')
    const heads = ['at', 'tenant', 'principal', 'method', 'target', 'upstream', 'outcome', 'trace']
    const lines = rows.map(({ at, index }) => [
      new Date(at).toISOString(),
      index.tenant,
      index.principal,
      { text: index.method, paint: terminal.out.bold },
      index.target ?? '',
      index.upstream ?? '',
      { text: index.outcome, paint: index.outcome === 'complete' ? terminal.out.green : terminal.out.yellow },
      index.trace ?? '',
    ])
    if (rows.length > 0) {
      terminal.data(toTable([heads.map((text) => ({ text, paint: terminal.out.dim })), ...lines], terminal.width))
    }
    return 'ok'
  })
}

/** Writes records out, newest first: to standard output, a file, or, as OpenTelemetry log records, to a collector. */
export async function auditExport(io: Io, options: AuditExportOptions): Promise<ExitKind> {
  const { format, to } = options
  const isUrl = to !== undefined && /^https?:\/\//.test(to)
  if (isUrl && format !== 'otlp') throw new CliError('usage', 'Only --format otlp can be sent to a URL')
  return withEvidence(io, options, async (evidence) => {
    const sink = await openSink(io, to, isUrl)
    let count = 0
    try {
      for await (const rows of evidence.pages()) {
        count += rows.length
        const lines = format === 'otlp' ? [JSON.stringify(toOtlpLogs(rows, io.version))] : rows.map(toJsonLine)
        await sink.write(lines)
      }
    } finally {
      await sink.close()
    }
    io.terminal.say(`${count} record${count === 1 ? '' : 's'} written`)
    return 'ok'
  })
}

interface Sink {
  write(lines: readonly string[]): Promise<unknown>
  close(): Promise<void>
}

async function openSink(io: Io, to: string | undefined, isUrl: boolean): Promise<Sink> {
  if (to === undefined) {
    const write = async (lines: readonly string[]) => {
      io.terminal.bytes(new TextEncoder().encode(`${lines.join('\n')}\n`))
      await io.terminal.flushed()
    }
    return { write, close: async () => {} }
  }
  if (isUrl) return { write: (lines) => Promise.all(lines.map((line) => post(to, line))), close: async () => {} }
  const file = await open(to, 'w', 0o600).catch((cause: unknown) => {
    throw new CliError('usage', `Cannot write ${visible(to)}`, { cause })
  })
  return { write: (lines) => file.write(`${lines.join('\n')}\n`), close: () => file.close() }
}

async function post(url: string, body: string): Promise<void> {
  const signal = AbortSignal.timeout(POST_MS)
  const request = { method: 'POST', headers: { 'content-type': 'application/json' }, body, signal }
  const answer = await fetch(url, request).catch((cause: unknown) => {
    throw new CliError('unreachable', 'The collector cannot be reached', { cause })
  })
  await answer.body?.cancel()
  if (!answer.ok) throw new CliError('refused', `The collector answered ${answer.status}`)
}

const POST_MS = 30_000

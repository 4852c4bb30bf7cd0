import { type Command, Option } from 'commander'
import { CliError } from '../exit.ts'
import type { AuditExportOptions, AuditSearchOptions, AuditVerifyOptions, CommonOptions } from '../options.ts'
import { withAdmin } from './admin-option.ts'
import { examples } from './help.ts'
import { toMoment } from './moment.ts'
import type { Run } from './run.ts'
import { append } from './values.ts'

/** `crosspoint audit`, and what is under it. */
export function addAudit(program: Command, run: Run): void {
  const audit = program
    .command('audit')
    .summary('check, search and export the evidence of what happened')
    .description(
      'Check, search and export the evidence of what happened: of the gateway that runs on the configuration, else in its store.',
    )
  addVerify(audit, run)
  addSearch(audit, run)
  addExport(audit, run)
  audit
    .command('key')
    .summary('print the public key that checkpoints are signed with')
    .description('Print the public key that checkpoints are signed with, as PEM. Keep it where the store is not.')
    .addHelpText('after', examples(['crosspoint audit key > audit.pem', 'for "crosspoint audit verify --key"']))
    .action((_: unknown, command: Command) => {
      const options = command.optsWithGlobals<CommonOptions>()
      return run(options, async (io) => (await import('../commands/audit.ts')).auditKey(io, options))
    })
}

function addVerify(audit: Command, run: Run): void {
  withAdmin(audit.command('verify'))
    .summary('say whether the evidence is as it was written')
    .description(
      'Read every record and say whether one was changed, removed, put elsewhere or cut off, and which is the first.\n' +
        'Ends with 7 where something is wrong. What was cut off at the end with its checkpoints needs an anchor to show.',
    )
    .option('--chain <id>', 'only this chain, by itself')
    .option('--anchor <file>', 'checkpoints that were kept elsewhere; may be repeated', append)
    .option('--key <file>', 'public key as PEM (default: that of this machine); may be repeated', append)
    .addHelpText(
      'after',
      examples(
        ['crosspoint audit verify', 'all of it, with the key of this machine'],
        ['crosspoint audit verify --anchor checkpoints --key audit.pem', 'against what was kept elsewhere'],
      ),
    )
    .action((_: unknown, command: Command) => {
      const options = command.optsWithGlobals<AuditVerifyOptions>()
      return run(options, async (io) => (await import('../commands/audit.ts')).auditVerify(io, options))
    })
}

function addSearch(audit: Command, run: Run): void {
  withFilters(audit.command('search'))
    .summary('print records, newest first')
    .description('Print records, newest first.')
    .option('--limit <number>', 'so many at most', toCount, 100)
    .addHelpText(
      'after',
      examples(
        ['crosspoint audit search --principal alice --since 24h', 'what alice did since yesterday'],
        ['crosspoint audit search --method tools/call --target github__create_issue', 'who called a tool'],
        ['crosspoint audit search --trace 0af7651916cd43dd8448eb211c80319c --json', 'one trace, whole records'],
      ),
    )
    .action((_: unknown, command: Command) => {
      const options = command.optsWithGlobals<AuditSearchOptions>()
      return run(options, async (io) => (await import('../commands/audit-search.ts')).auditSearch(io, options))
    })
}

function addExport(audit: Command, run: Run): void {
  withFilters(audit.command('export'))
    .summary('write records out, newest first')
    .description('Write records out, newest first: one a line, or as OpenTelemetry log records in JSON.')
    .addOption(new Option('--format <format>', 'jsonl or otlp').choices(['jsonl', 'otlp']).default('jsonl'))
    .option(
      '--to <place>',
      'a file, or, for otlp, a URL such as http://127.0.0.1:4318/v1/logs (default: standard output)',
    )
    .addHelpText(
      'after',
      examples(
        ['crosspoint audit export --since 7d > week.jsonl', 'the last week'],
        ['crosspoint audit export --format otlp --to http://127.0.0.1:4318/v1/logs', 'to a collector'],
      ),
    )
    .action((_: unknown, command: Command) => {
      const options = command.optsWithGlobals<AuditExportOptions>()
      return run(options, async (io) => (await import('../commands/audit-search.ts')).auditExport(io, options))
    })
}

function withFilters(command: Command): Command {
  return withAdmin(command)
    .option('--tenant <name>', 'of this tenant')
    .option('--principal <name>', 'of this caller')
    .option('--method <name>', 'of this method, such as tools/call, or event, such as config.applied')
    .option('--target <name>', 'of this tool, prompt, resource or thing')
    .option('--upstream <name>', 'that went to this server')
    .option('--outcome <outcome>', 'that ended so: complete, tool-error, the code of an error')
    .option('--trace <id>', 'of this trace')
    .option('--since <time>', 'from then on: 2026-11-21T12:00Z, or 24h for so long ago', (text) => toMoment(text))
    .option('--until <time>', 'before then', (text) => toMoment(text))
}

function toCount(text: string): number {
  const count = Number(text)
  if (Number.isInteger(count) && count > 0 && count <= 10_000) return count
  throw new CliError('usage', `"${text}" is not a number of records`, { hint: 'Write a whole number from 1 to 10000' })
}

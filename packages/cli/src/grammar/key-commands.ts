import type { Command } from 'commander'
import type { KeysCreateOptions, KeysListOptions, KeysRotateOptions, RunningOptions } from '../options.ts'
import { withAdmin } from './admin-option.ts'
import { examples } from './help.ts'
import type { Run } from './run.ts'
import { append, toDurationMs } from './values.ts'

/** `crosspoint keys`, and what is under it. */
export function addKeys(program: Command, run: Run): void {
  const keys = program
    .command('keys')
    .summary('make, list, replace and take back API keys')
    .description(
      'Make, list, replace and take back API keys: of the gateway that runs on the configuration, else in its store.',
    )
  withAdmin(keys.command('create'))
    .summary('make a key and print it, this once')
    .description(
      'Make a key for somebody who calls the gateway, and print it. It is shown this once: only a digest is kept.',
    )
    .requiredOption('--principal <name>', 'who calls with it')
    .option('--tenant <name>', 'in which tenant', 'default')
    .option('--role <name>', 'a role of whoever calls with it; may be repeated', append)
    .option('--scope <name>', 'what it is good for (default: all that its roles are); may be repeated', append)
    .option('--expires <time>', 'ends after this time, such as 90d (default: it does not)', toDurationMs)
    .option('--label <text>', 'for people')
    .addHelpText(
      'after',
      examples(
        ['crosspoint keys create --principal alice', 'a key that does not expire'],
        ['crosspoint keys create --principal ci --role builder --expires 90d', 'one for a job, for a while'],
        ['crosspoint keys create --principal alice --json', 'with what is kept of it, for programs'],
      ),
    )
    .action((_: unknown, command: Command) => {
      const options = command.optsWithGlobals<KeysCreateOptions>()
      return run(options, async (io) => (await import('../commands/keys.ts')).keysCreate(io, options))
    })
  withAdmin(keys.command('list'))
    .summary('print all keys, without what makes them keys')
    .description('Print all keys: whose they are, what they are good for, how long, and when they were last used.')
    .option('--tenant <name>', 'those of one tenant')
    .addHelpText('after', examples(['crosspoint keys list', 'all of them']))
    .action((_: unknown, command: Command) => {
      const options = command.optsWithGlobals<KeysListOptions>()
      return run(options, async (io) => (await import('../commands/keys.ts')).keysList(io, options))
    })
  withAdmin(keys.command('revoke <id>'))
    .summary('take a key back')
    .description(
      'Take a key back, by its id or by the key itself. Gateways that run refuse it within "auth.keys.cacheMs", ten seconds.',
    )
    .addHelpText('after', examples(['crosspoint keys revoke x1Y2z3A4b5C6', 'the key with this id']))
    .action((id: string, _: unknown, command: Command) => {
      const options = command.optsWithGlobals<RunningOptions>()
      return run(options, async (io) => (await import('../commands/keys.ts')).keysRevoke(io, id, options))
    })
  withAdmin(keys.command('rotate <id>'))
    .summary('make another key for the same caller')
    .description('Make another key for the same caller and print it, this once. The old one goes on for a while.')
    .option('--grace <time>', 'how long the old one goes on (default: 24h)', toDurationMs, DAY_MS)
    .addHelpText(
      'after',
      examples(
        ['crosspoint keys rotate x1Y2z3A4b5C6', 'the old one goes on for a day'],
        ['crosspoint keys rotate x1Y2z3A4b5C6 --grace 0s', 'the old one ends at once'],
      ),
    )
    .action((id: string, _: unknown, command: Command) => {
      const options = command.optsWithGlobals<KeysRotateOptions>()
      return run(options, async (io) => (await import('../commands/keys.ts')).keysRotate(io, id, options))
    })
}

const DAY_MS = 86_400_000

import { type Command, Option } from 'commander'
import type { CommonOptions, PolicyExplainOptions } from '../options.ts'
import { withAdmin } from './admin-option.ts'
import { ARGUMENT_HELP, examples } from './help.ts'
import type { Run } from './run.ts'
import { append } from './values.ts'

/** `crosspoint policy`, and what is under it. */
export function addPolicy(program: Command, run: Run): void {
  const policy = program
    .command('policy')
    .summary('explain and test who may use what')
    .description('Explain and test who may use what.')
  withAdmin(policy.command('explain <name> [arguments...]'))
    .summary('say why a caller may use something, or may not')
    .description(
      'Say whether a caller may use a tool, prompt or resource, which rule decided, and how it stands with every rule that ' +
        'is about it. Without a gateway that runs, the configured servers are started for it; nothing is called.\n' +
        ARGUMENT_HELP,
    )
    .requiredOption('--as <id>', 'the caller')
    .option('--tenant <tenant>', 'its tenant', 'default')
    .option('--role <name>', 'a role it brings; may be repeated', append)
    .option('--scope <name>', 'a scope it brings; may be repeated', append)
    .option('--claims <json>', 'claims of its token')
    .option('--view <view>', 'in this view')
    .addOption(
      new Option('--kind <kind>', 'what the name is of').choices(['tool', 'prompt', 'resource']).default('tool'),
    )
    .addHelpText(
      'after',
      examples(
        ['crosspoint policy explain files__delete --as alice --role dev', 'a tool, in lists and without arguments'],
        ['crosspoint policy explain files__write path=/etc/passwd --as bob', 'a call'],
        ['crosspoint policy explain file:///srv/a.txt --kind resource --as bob --scope read:file', 'a resource'],
      ),
    )
    .action((name: string, words: string[], _: unknown, command: Command) => {
      const options = command.optsWithGlobals<PolicyExplainOptions>()
      return run(options, async (io) =>
        (await import('../commands/policy-explain.ts')).policyExplain(io, name, words, options),
      )
    })
  policy
    .command('test [file]')
    .summary('hold the rules against what is expected of them')
    .description(
      'Hold the rules against a file of who may use what, and who may not (default: crosspoint.tests.yaml beside ' +
        'crosspoint.yaml). The configured servers are started for what they list; nothing is called.',
    )
    .addHelpText(
      'after',
      examples(['crosspoint policy test rules.tests.yaml', 'before a change of the rules is merged']),
    )
    .action((file: string | undefined, _: unknown, command: Command) => {
      const options = command.optsWithGlobals<CommonOptions>()
      return run(options, async (io) => (await import('../commands/policy-test.ts')).policyTest(io, file, options))
    })
}

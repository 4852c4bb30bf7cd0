import type { Command } from 'commander'
import type { AccountsAddOptions, CommonOptions, TokensRevokeOptions } from '../options.ts'
import { examples } from './help.ts'
import type { Run } from './run.ts'
import { append } from './values.ts'

/** Commands about the authorization server of the gateway: who signs in, and what they agreed to. */
export function addIdentity(program: Command, run: Run): void {
  addAccounts(program, run)
  addTokens(program, run)
}

function addAccounts(program: Command, run: Run): void {
  const accounts = program
    .command('accounts')
    .summary('make, list and remove accounts of people who sign in')
    .description(
      'Make, list and remove accounts with which people sign in ("auth.server"), in the store of the configuration.',
    )
  accounts
    .command('add <name>')
    .summary('make an account')
    .description('Make an account. The password is asked for, or read from standard input; it is never an argument.')
    .option('--tenant <name>', 'in which tenant', 'default')
    .option('--role <name>', 'a role of theirs; may be repeated', append)
    .addHelpText(
      'after',
      examples(
        ['crosspoint accounts add alice --role dev', 'asks for a password, twice'],
        ['crosspoint accounts add alice < password.txt', 'the first line of a file'],
      ),
    )
    .action((name: string, _: unknown, command: Command) => {
      const options = command.optsWithGlobals<AccountsAddOptions>()
      return run(options, async (io) => (await import('../commands/accounts.ts')).accountsAdd(io, name, options))
    })
  accounts
    .command('list')
    .summary('print all accounts')
    .description('Print all accounts: in which tenant, with which roles, and since when.')
    .addHelpText('after', examples(['crosspoint accounts list', 'all of them']))
    .action((_: unknown, command: Command) => {
      const options = command.optsWithGlobals<CommonOptions>()
      return run(options, async (io) => (await import('../commands/accounts.ts')).accountsList(io, options))
    })
  accounts
    .command('passwd <name>')
    .summary('give an account another password')
    .description(
      'Give an account another password. What they allowed clients under the old one ends within two seconds.',
    )
    .addHelpText('after', examples(['crosspoint accounts passwd alice', 'asks for it, twice']))
    .action((name: string, _: unknown, command: Command) => {
      const options = command.optsWithGlobals<CommonOptions>()
      return run(options, async (io) => (await import('../commands/accounts.ts')).accountsPasswd(io, name, options))
    })
  accounts
    .command('remove <name>')
    .summary('remove an account')
    .description('Remove an account. What they allowed clients ends within two seconds.')
    .addHelpText('after', examples(['crosspoint accounts remove alice', 'nobody signs in as alice any more']))
    .action((name: string, _: unknown, command: Command) => {
      const options = command.optsWithGlobals<CommonOptions>()
      return run(options, async (io) => (await import('../commands/accounts.ts')).accountsRemove(io, name, options))
    })
}

function addTokens(program: Command, run: Run): void {
  const tokens = program
    .command('tokens')
    .summary('list and take back what people allowed clients')
    .description('List and take back what people who signed in allowed clients ("auth.server").')
  tokens
    .command('list')
    .summary('print what was allowed, and holds')
    .description('Print what was allowed, and holds: by whom, to which client, since when and until when.')
    .addHelpText('after', examples(['crosspoint tokens list', 'all of it']))
    .action((_: unknown, command: Command) => {
      const options = command.optsWithGlobals<CommonOptions>()
      return run(options, async (io) => (await import('../commands/tokens.ts')).tokensList(io, options))
    })
  tokens
    .command('revoke [id]')
    .summary('take back what was allowed')
    .description(
      'Take back what was allowed, by its id, or all of an account or a client. Tokens end within two seconds.',
    )
    .option('--account <name>', 'all that somebody allowed')
    .option('--client <id>', 'all that a client was allowed')
    .addHelpText(
      'after',
      examples(
        ['crosspoint tokens revoke x1Y2z3', 'as "crosspoint tokens list" prints it'],
        ['crosspoint tokens revoke --account alice', 'alice has to allow everything again'],
      ),
    )
    .action((id: string | undefined, _: unknown, command: Command) => {
      const options = command.optsWithGlobals<TokensRevokeOptions>()
      return run(options, async (io) => (await import('../commands/tokens.ts')).tokensRevoke(io, id, options))
    })
  tokens
    .command('rotate-keys')
    .summary('sign tokens with another key')
    .description(
      'Sign tokens with another key from two minutes on. Those that were signed before are good until they end.',
    )
    .addHelpText('after', examples(['crosspoint tokens rotate-keys', 'now and then, or where a key leaked']))
    .action((_: unknown, command: Command) => {
      const options = command.optsWithGlobals<CommonOptions>()
      return run(options, async (io) => (await import('../commands/tokens.ts')).tokensRotateKeys(io, options))
    })
}

import type { Command } from 'commander'
import type { CommonOptions, ConnectOptions, OwnerOptions } from '../options.ts'
import { examples } from './help.ts'
import type { Run } from './run.ts'

/** `crosspoint secrets`, `connect` and `connections`: what the gateway shows to servers. */
export function addCredentials(program: Command, run: Run): void {
  addSecrets(program, run)
  addConnect(program, run)
  addConnections(program, run)
}

function addSecrets(program: Command, run: Run): void {
  const secrets = program
    .command('secrets')
    .summary('keep secrets for servers in the vault')
    .description(
      'Keep secrets for servers in the vault: encrypted in the store of the configuration, and never printed.',
    )
  secrets
    .command('set <name>')
    .summary('keep a secret, typed or from standard input')
    .description('Keep a secret under a name. Its value is typed, without being shown, or comes from standard input.')
    .addHelpText(
      'after',
      examples(
        ['crosspoint secrets set crm', 'asks for the value'],
        ['crosspoint secrets set crm < crm.key', 'from a file; a line break at its end is no part of it'],
      ),
    )
    .action((name: string, _: unknown, command: Command) => {
      const options = command.optsWithGlobals<CommonOptions>()
      return run(options, async (io) => (await import('../commands/secrets.ts')).secretsSet(io, name, options))
    })
  secrets
    .command('list')
    .summary('print the names of all secrets')
    .description('Print the names of all secrets in the vault, with the key that each was closed with.')
    .addHelpText('after', examples(['crosspoint secrets list', 'all of them']))
    .action((_: unknown, command: Command) => {
      const options = command.optsWithGlobals<CommonOptions>()
      return run(options, async (io) => (await import('../commands/secrets.ts')).secretsList(io, options))
    })
  secrets
    .command('remove <name>')
    .summary('take a secret out of the vault')
    .description(
      'Take a secret out of the vault. Servers that are connected go on with it until they are connected anew.',
    )
    .addHelpText('after', examples(['crosspoint secrets remove crm', 'the one named "crm"']))
    .action((name: string, _: unknown, command: Command) => {
      const options = command.optsWithGlobals<CommonOptions>()
      return run(options, async (io) => (await import('../commands/secrets.ts')).secretsRemove(io, name, options))
    })
  secrets
    .command('rotate-key')
    .summary('close everything with the key that is in force')
    .description(
      'Close everything in the vault with the key that is in force, after "vault.key" or "vault.keyFile" was changed and\n' +
        'the key of before was written under "vault.previousKeys" or "vault.previousKeyFiles".',
    )
    .addHelpText('after', examples(['crosspoint secrets rotate-key', 'then take the key of before away']))
    .action((_: unknown, command: Command) => {
      const options = command.optsWithGlobals<CommonOptions>()
      return run(options, async (io) => (await import('../commands/secrets.ts')).secretsRotateKey(io, options))
    })
}

function addConnect(program: Command, run: Run): void {
  withOwner(program.command('connect <server>'))
    .summary('sign in to a server that wants a person to')
    .description(
      'Sign in to a server whose "auth" is of the kind "oauth", with the browser of this machine: for the gateway itself,\n' +
        'which reads the lists of the server with that, or on behalf of a caller.',
    )
    .option('--no-open', 'only print the address')
    .addHelpText(
      'after',
      examples(
        ['crosspoint connect tracker', 'for the gateway itself, or its one user'],
        ['crosspoint connect tracker --as ann --tenant acme', 'on behalf of a caller'],
      ),
    )
    .action((server: string, _: unknown, command: Command) => {
      const options = command.optsWithGlobals<ConnectOptions>()
      return run(options, async (io) => (await import('../commands/connections.ts')).connect(io, server, options))
    })
}

function addConnections(program: Command, run: Run): void {
  const connections = program
    .command('connections')
    .summary('say who has signed in to servers, and take that away')
    .description('Say who has signed in to servers, and take that away.')
  connections
    .command('list')
    .summary('print who has signed in to what')
    .description('Print who has signed in to what, and when that was last renewed: no secrets.')
    .addHelpText('after', examples(['crosspoint connections list', 'all of them']))
    .action((_: unknown, command: Command) => {
      const options = command.optsWithGlobals<CommonOptions>()
      return run(options, async (io) => (await import('../commands/connections.ts')).connectionsList(io, options))
    })
  withOwner(connections.command('remove <server>'))
    .summary('take a sign-in away')
    .description('Take a sign-in to a server away. Gateways that run notice within ten seconds.')
    .addHelpText(
      'after',
      examples(['crosspoint connections remove tracker --as ann', 'she has to sign in to the server anew']),
    )
    .action((server: string, _: unknown, command: Command) => {
      const options = command.optsWithGlobals<OwnerOptions>()
      return run(options, async (io) =>
        (await import('../commands/connections.ts')).connectionsRemove(io, server, options),
      )
    })
}

function withOwner(command: Command): Command {
  return command
    .option('--as <principal>', 'on behalf of this caller (default: the gateway itself)')
    .option('--tenant <name>', 'the tenant of the caller', 'default')
}

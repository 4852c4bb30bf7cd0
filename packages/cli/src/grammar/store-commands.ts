import type { Command } from 'commander'
import type { CommonOptions } from '../options.ts'
import { examples } from './help.ts'
import type { Run } from './run.ts'

/** `crosspoint store`, and what is under it. */
export function addStore(program: Command, run: Run): void {
  const store = program
    .command('store')
    .summary('set up, back up or restore where keys and evidence are kept')
    .description('Set up, back up or restore the store of the configuration, where keys and evidence are kept.')
  store
    .command('migrate')
    .summary('bring it to the shape this version expects')
    .description(
      'Set up a PostgreSQL database, or bring it up to date; safe to run again. A store in a file does this by itself.',
    )
    .addHelpText('after', examples(['crosspoint store migrate', 'before the first start, and after an update']))
    .action((_: unknown, command: Command) => {
      const options = command.optsWithGlobals<CommonOptions>()
      return run(options, async (io) => (await import('../commands/store.ts')).storeMigrate(io, options))
    })
  store
    .command('backup <file>')
    .summary('write all of it to a file')
    .description('Write all of the store, as it is at one moment, to a new file. It can be in use meanwhile.')
    .addHelpText('after', examples(['crosspoint store backup crosspoint.backup', 'a file only you can read']))
    .action((file: string, _: unknown, command: Command) => {
      const options = command.optsWithGlobals<CommonOptions>()
      return run(options, async (io) => (await import('../commands/store.ts')).storeBackup(io, file, options))
    })
  store
    .command('restore <file>')
    .summary('fill an empty one from a backup')
    .description('Fill an empty store from a backup, whichever kind of store it was made of: all of it, or nothing.')
    .addHelpText(
      'after',
      examples(['crosspoint store restore crosspoint.backup', 'into the store of the configuration']),
    )
    .action((file: string, _: unknown, command: Command) => {
      const options = command.optsWithGlobals<CommonOptions>()
      return run(options, async (io) => (await import('../commands/store.ts')).storeRestore(io, file, options))
    })
}

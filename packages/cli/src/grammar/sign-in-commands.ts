import type { Command } from 'commander'
import type { CommonOptions, LoginOptions } from '../options.ts'
import { examples } from './help.ts'
import type { Run } from './run.ts'
import { append } from './values.ts'

/** `crosspoint login` and `logout`: who calls a server at a URL. */
export function addSignIn(program: Command, run: Run): void {
  program
    .command('login <url>')
    .summary('sign in to a server at a URL')
    .description(
      'Sign in to a server at a URL, with the browser of this machine, or with a code that is typed in any browser.\n' +
        'ls, call, read, prompt and explain with the same URL use it from then on, and renew it.',
    )
    .option('--device', 'show a code instead of opening a browser (default where there is none)')
    .option('--scope <name>', 'asked for besides what the server wants; may be repeated', append)
    .addHelpText(
      'after',
      examples(
        ['crosspoint login https://mcp.example.com/mcp', 'opens a browser'],
        ['crosspoint login https://mcp.example.com/mcp --device', 'for a machine without one'],
      ),
    )
    .action((url: string, _: unknown, command: Command) => {
      const options = command.optsWithGlobals<LoginOptions>()
      return run(options, async (io) => (await import('../commands/login.ts')).login(io, url, options))
    })
  program
    .command('logout <url>')
    .summary('forget a sign-in to a server at a URL')
    .description('Forget what "crosspoint login" got for the server at a URL.')
    .addHelpText('after', examples(['crosspoint logout https://mcp.example.com/mcp', "the next call is nobody's"]))
    .action((url: string, _: unknown, command: Command) =>
      run(command.optsWithGlobals<CommonOptions>(), async (io) =>
        (await import('../commands/login.ts')).logout(io, url),
      ),
    )
}

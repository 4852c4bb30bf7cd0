import type { Command } from 'commander'

/** For commands that ask a gateway that runs. */
export function withAdmin(command: Command): Command {
  return command.option(
    '--admin <url>',
    'ask the gateway whose admin API is there, with CROSSPOINT_ADMIN_TOKEN (default: the one that runs on the configuration)',
  )
}

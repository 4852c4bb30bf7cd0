import { Command, Option } from 'commander'
import { CliError } from './exit.ts'
import { withAdmin } from './grammar/admin-option.ts'
import { addAudit } from './grammar/audit-commands.ts'
import { addCredentials } from './grammar/credential-commands.ts'
import { ARGUMENT_HELP, examples, ROOT_HELP, TARGET_HELP } from './grammar/help.ts'
import { addIdentity } from './grammar/identity-commands.ts'
import { addKeys } from './grammar/key-commands.ts'
import { KINDS } from './grammar/listing.ts'
import { addPolicy } from './grammar/policy-commands.ts'
import type { Run } from './grammar/run.ts'
import { addSignIn } from './grammar/sign-in-commands.ts'
import { addStore } from './grammar/store-commands.ts'
import { append, toPort, toTimeoutMs } from './grammar/values.ts'
import type { Io } from './io.ts'
import type {
  CommonOptions,
  DoorOptions,
  ExplainOptions,
  ReadOptions,
  RunningOptions,
  TargetOptions,
  UpOptions,
} from './options.ts'

export interface ProgramContext {
  readonly version: string
  /** The words after the first `--`. */
  readonly child: readonly string[] | undefined
  /** Help and the version. */
  readonly writeOut: (text: string) => void
  /** Help for a line that names no command. */
  readonly writeErr: (text: string) => void
  /** Makes a command's {@link Io} from its options and runs it. */
  readonly run: Run
}

/**
 * The whole grammar in one place. Nothing else is loaded until a command is chosen: each action imports its own
 * (`crosspoint --version` loads none).
 */
export function createProgram(context: ProgramContext): Command {
  const program = new Command('crosspoint')
    .description('One door in front of your MCP servers, and a command line for any of them.')
    .version(context.version, '-V, --version', 'print the version')
    .helpOption('-h, --help', 'print help')
    .helpCommand('help [command]', 'print help for a command')
    .usage('[options] <command> [arguments] [-- server command]')
    .configureHelp({ showGlobalOptions: true })
    .configureOutput({ writeOut: context.writeOut, writeErr: context.writeErr, outputError: () => {} }) // main tells it
    .exitOverride()
    .showSuggestionAfterError(true)
    .option(
      '-c, --config <file>',
      'configuration file (default: crosspoint.yaml or .json here, then in your own configuration folder)',
    )
    .option('--json', 'data as JSON on standard output, errors as one line of JSON on standard error')
    .option('-q, --quiet', 'only data and errors')
    .option('-v, --verbose', 'also why things failed, what servers write, and every call that is served')
    .addHelpText('after', ROOT_HELP)
  const alone = withoutChild(context)
  addUp(program, alone)
  addStdio(program, alone)
  addLs(program, context)
  addCall(program, context)
  addRead(program, context)
  addPrompt(program, context)
  addExplain(program, context)
  addConfig(program, alone)
  addKeys(program, alone.run)
  addCredentials(program, alone.run)
  addSignIn(program, alone.run)
  addIdentity(program, alone.run)
  addStore(program, alone.run)
  addAudit(program, alone.run)
  addPolicy(program, alone.run)
  addStatus(program, alone)
  addDoctor(program, alone)
  addPipeline(program, alone)
  addCompletion(program, alone)
  return program
}

function addUp(program: Command, { run }: ProgramContext): void {
  program
    .command('up')
    .summary('serve all configured servers at one address')
    .description(
      'Connect to every configured server and serve all they offer at one HTTP address, until stopped.\n' +
        'Follows changes of the configuration file, and reads it again on SIGHUP; a bad one is reported and not used.',
    )
    .option('--host <address>', 'address to bind (default: "listen.host" of the configuration, else 127.0.0.1)')
    .option('-p, --port <number>', 'port to bind, 0 for any free one (default: "listen.port", else 8360)', toPort)
    .option('--view <name>', 'serve one view of the configuration at /mcp instead of everything')
    .option('--no-watch', 'do not follow changes of the file; SIGHUP still reads it again')
    .addOption(new Option('--fallback-config <file>', 'used when no configuration is found').hideHelp())
    .addHelpText(
      'after',
      examples(
        ['crosspoint up', 'serve what crosspoint.yaml says'],
        ['crosspoint up --port 9000', 'at another port'],
        ['crosspoint up --view coding', 'only what the view "coding" selects'],
        ['crosspoint up --json', 'one JSON object with url and servers when ready'],
      ),
    )
    .addHelpText(
      'after',
      '\nCtrl-C lets calls under way finish, stops every server and ends with 130; SIGTERM does the same and ends with 0.\n' +
        'A second signal ends at once.',
    )
    .action((_: unknown, command: Command) => {
      const options = command.optsWithGlobals<UpOptions>()
      return run(options, async (io) => (await import('./commands/up.ts')).up(io, options))
    })
}

function addStdio(program: Command, { run }: ProgramContext): void {
  program
    .command('stdio')
    .summary('be one MCP server on standard input and output')
    .description(
      'Serve all configured servers as one on standard input and output, for clients that start their servers.\n' +
        'Standard output carries protocol only; logs go to standard error. Ends when standard input ends.',
    )
    .option('--view <name>', 'serve one view of the configuration instead of everything')
    .addHelpText(
      'after',
      examples(
        ['crosspoint stdio --config ~/crosspoint.yaml', 'the command to give to a desktop client'],
        ['crosspoint stdio --view coding', 'one view only'],
      ),
    )
    .action((_: unknown, command: Command) => {
      const options = command.optsWithGlobals<DoorOptions>()
      return run(options, async (io) => (await import('./commands/stdio.ts')).stdio(io, options))
    })
}

function addLs(program: Command, { child, run }: ProgramContext): void {
  withTarget(program.command('ls [kind] [target]'))
    .usage('[options] [kind] [target] [-- server command]')
    .summary('list servers, tools, resources, templates or prompts')
    .description(`List what a target has: ${KINDS.join(', ')} (default: servers).\n${TARGET_HELP}`)
    .addHelpText(
      'after',
      examples(
        ['crosspoint ls', 'every configured server, how it is and how much it offers'],
        ['crosspoint ls tools', 'all tools, with the names the gateway gives them'],
        ['crosspoint ls tools everything', 'the tools of one configured server'],
        ['crosspoint ls prompts http://127.0.0.1:8360/mcp', 'the prompts at a URL'],
        ['crosspoint ls resources -- npx -y some-server', 'of a server run just for this'],
        ['crosspoint ls tools --json', 'with descriptions and schemas, for programs'],
      ),
    )
    .action((kind: string | undefined, target: string | undefined, _: unknown, command: Command) => {
      const options = command.optsWithGlobals<TargetOptions>()
      const words = [kind, target].filter((word) => word !== undefined)
      return run(options, async (io) => (await import('./commands/ls.ts')).ls(io, { words, child, options }))
    })
}

function addCall(program: Command, { child, run }: ProgramContext): void {
  withTarget(program.command('call [words...]'))
    .usage('[options] [target] <tool> [key=text | key:=json | @file | -]... [-- server command]')
    .summary('call a tool')
    .description(`Call a tool and print its result.\n${TARGET_HELP}\n${ARGUMENT_HELP}`)
    .addHelpText(
      'after',
      examples(
        ['crosspoint call everything__echo message=hi', 'by the name the gateway gives it'],
        ['crosspoint call everything get-sum a:=2 b:=3', 'a tool of one configured server'],
        ['crosspoint call http://127.0.0.1:8360/mcp everything__echo message=hi', 'at a URL'],
        ['crosspoint call echo message=hi -- npx -y some-server', 'of a server run just for this'],
        ['crosspoint call memory create_entities @entities.json', 'arguments from a file'],
        [`echo '{"message":"hi"}' | crosspoint call everything echo -`, 'or from standard input'],
      ),
    )
    .action((words: string[], _: unknown, command: Command) => {
      const options = command.optsWithGlobals<TargetOptions>()
      return run(options, async (io) => (await import('./commands/call.ts')).call(io, { words, child, options }))
    })
}

function addRead(program: Command, { child, run }: ProgramContext): void {
  withTarget(program.command('read [words...]'))
    .usage('[options] [target] <uri> [-- server command]')
    .summary('read a resource')
    .description(`Read a resource and print it.\n${TARGET_HELP}`)
    .option('--raw', 'write the bytes of the resource and nothing else')
    .addHelpText(
      'after',
      examples(
        ['crosspoint read demo://resource/static/document/features.md', 'from the server that has it'],
        ['crosspoint read everything demo://resource/dynamic/text/1', 'from one configured server'],
        ['crosspoint read --raw demo://resource/dynamic/blob/1 > blob.bin', 'its bytes'],
      ),
    )
    .action((words: string[], _: unknown, command: Command) => {
      const options = command.optsWithGlobals<ReadOptions>()
      return run(options, async (io) => (await import('./commands/read.ts')).read(io, { words, child, options }))
    })
}

function addPrompt(program: Command, { child, run }: ProgramContext): void {
  withTarget(program.command('prompt [words...]'))
    .usage('[options] [target] <prompt> [key=text | @file | -]... [-- server command]')
    .summary('get a prompt')
    .description(`Get a prompt, filled in, and print its messages.\n${TARGET_HELP}\n${ARGUMENT_HELP}`)
    .addHelpText(
      'after',
      examples(
        ['crosspoint prompt everything__args-prompt city=Paris', 'by the name the gateway gives it'],
        ['crosspoint prompt everything args-prompt city=Paris', 'of one configured server'],
      ),
    )
    .action((words: string[], _: unknown, command: Command) => {
      const options = command.optsWithGlobals<TargetOptions>()
      return run(options, async (io) => (await import('./commands/prompt.ts')).prompt(io, { words, child, options }))
    })
}

function addExplain(program: Command, { child, run }: ProgramContext): void {
  withConnection(program.command('explain [server]'))
    .usage('[options] <server> [-- server command]')
    .summary('say what a client of a revision sees of a server, and why something is missing')
    .description(
      'Say what clients of a protocol revision see of a server through the gateway: every tool with what is different or ' +
        'why it is missing, and how questions, changes, log messages and output fare.\n' +
        'server   a configured server, or a URL; or a command after "--", run for this.',
    )
    .option('--client-revision <date>', 'revision of the client (default: the newest)')
    .addHelpText(
      'after',
      examples(
        ['crosspoint explain --client-revision <date> github', 'what such a client sees of a configured server'],
        ['crosspoint explain http://127.0.0.1:3000/mcp', 'what a client of the newest revision sees'],
        ['crosspoint explain --json -- npx -y some-server', 'of a server run just for this, for programs'],
      ),
    )
    .action((server: string | undefined, _: unknown, command: Command) => {
      const options = command.optsWithGlobals<ExplainOptions>()
      const words = server === undefined ? [] : [server]
      return run(options, async (io) => (await import('./commands/explain.ts')).explain(io, { words, child, options }))
    })
}

function addConfig(program: Command, { run }: ProgramContext): void {
  const config = program
    .command('config')
    .summary('check or explain the configuration')
    .description('Check or explain the configuration.')
  config
    .command('validate [file]')
    .summary('say whether it can be used, and where not')
    .description(
      'Check a configuration file without starting anything. Problems are printed as file:line:column: message.\n' +
        'With --json the report, good or bad, is one object on standard output. Ends with 1 when it cannot be used.',
    )
    .addHelpText(
      'after',
      examples(
        ['crosspoint config validate', 'the file that would be used from here'],
        ['crosspoint config validate deploy/crosspoint.yaml', 'another one'],
      ),
    )
    .action((file: string | undefined, _: unknown, command: Command) => {
      const options = command.optsWithGlobals<CommonOptions>()
      return run(options, async (io) =>
        (await import('./commands/config-validate.ts')).configValidate(io, file, options),
      )
    })
  config
    .command('explain [file]')
    .summary('print every setting and where its value comes from')
    .description(
      'Print what the configuration comes to: every setting, its value, where it is from. Secrets are masked.',
    )
    .addHelpText('after', examples(['crosspoint config explain', 'the file that would be used from here']))
    .action((file: string | undefined, _: unknown, command: Command) => {
      const options = command.optsWithGlobals<CommonOptions>()
      return run(options, async (io) => (await import('./commands/config-explain.ts')).configExplain(io, file, options))
    })
}

function addStatus(program: Command, { run }: ProgramContext): void {
  withAdmin(program.command('status'))
    .summary('say how a gateway that runs is')
    .description(
      'Ask a gateway that runs how it is: its servers, who called lately, what was limited, what is wrong and what to do ' +
        'about it. Without --admin it is the one on this configuration, on this machine.',
    )
    .addHelpText(
      'after',
      examples(
        ['crosspoint status', 'of the gateway on the configuration here'],
        ['crosspoint status --admin https://admin.example.com', 'of another, with CROSSPOINT_ADMIN_TOKEN set'],
        ['crosspoint status --json', 'for programs'],
      ),
    )
    .action((_: unknown, command: Command) => {
      const options = command.optsWithGlobals<RunningOptions>()
      return run(options, async (io) => (await import('./commands/status.ts')).status(io, options))
    })
}

function addDoctor(program: Command, { run }: ProgramContext): void {
  program
    .command('doctor')
    .summary('find out what is wrong, and what to do')
    .description(
      'Check Node, the configuration, the port and every configured server, with one sentence of remedy for what is ' +
        'wrong. With --json the report is one object on standard output. Ends with 1 when something of yours is wrong, ' +
        '3 when a server wants credentials, 4 when one cannot be started or reached.',
    )
    .addHelpText(
      'after',
      examples(['crosspoint doctor', 'check everything'], ['crosspoint doctor --json', 'for programs']),
    )
    .action((_: unknown, command: Command) => {
      const options = command.optsWithGlobals<CommonOptions>()
      return run(options, async (io) => (await import('./commands/doctor.ts')).doctor(io, options))
    })
}

function addPipeline(program: Command, { run }: ProgramContext): void {
  program
    .command('pipeline')
    .summary('print the rules a call passes, in order')
    .description('Print the rules every call passes, in order.')
    .option('--explain', 'the table with reasons, which is also the default')
    .addHelpText('after', examples(['crosspoint pipeline --explain', 'the table with reasons']))
    .action((_: unknown, command: Command) =>
      run(command.optsWithGlobals<CommonOptions>(), async (io) =>
        (await import('./commands/pipeline.ts')).pipeline(io),
      ),
    )
}

function addCompletion(program: Command, { run }: ProgramContext): void {
  program
    .command('completion <shell>')
    .summary('print a completion script: bash, zsh, fish or powershell')
    .description('Print a script that completes commands and options in bash, zsh, fish or powershell.')
    .addHelpText(
      'after',
      examples(
        ['source <(crosspoint completion bash)', 'bash'],
        ['source <(crosspoint completion zsh)', 'zsh'],
        ['crosspoint completion fish | source', 'fish'],
        ['crosspoint completion powershell | Out-String | Invoke-Expression', 'PowerShell'],
      ),
    )
    .action((shell: string, _: unknown, command: Command) =>
      run(command.optsWithGlobals<CommonOptions>(), async (io) =>
        (await import('./commands/completion.ts')).completion(io, shell, program),
      ),
    )
}

/** A child command given to a command that has no target is a mistake, not something to drop. */
function withoutChild(context: ProgramContext): ProgramContext {
  if (context.child === undefined) return context
  const run = () => Promise.reject(new CliError('usage', 'This command takes no server command after "--"'))
  return { ...context, run }
}

function withTarget(command: Command): Command {
  return withConnection(command.option('--view <name>', 'without a target: look through one view of the configuration'))
}

function withConnection(command: Command): Command {
  return command
    .option('-t, --timeout <seconds>', 'longest wait for an answer (default: 60)', toTimeoutMs)
    .option('-H, --header <name:value>', 'sent to a URL with every request; may be repeated', append)
    .option('-e, --env <name=value>', 'set for a command after "--"; may be repeated', append)
    .option('--revision <date>', 'speak this protocol revision and no other')
}

import type { Command } from 'commander'
import { CliError, type ExitKind } from '../exit.ts'
import { KINDS } from '../grammar/listing.ts'
import type { Io } from '../io.ts'
import { didYouMean } from '../suggest.ts'

/** Prints a script that completes commands, their options and the kinds `ls` lists. */
export async function completion(io: Io, shell: string, program: Command): Promise<ExitKind> {
  const write = SHELLS[shell]
  if (write === undefined) {
    throw new CliError('usage', `No completion for "${shell}"`, {
      hint: didYouMean(shell, Object.keys(SHELLS)) ?? `There is one for ${Object.keys(SHELLS).join(', ')}`,
    })
  }
  io.terminal.data(write(toCandidates(program)))
  return 'ok'
}

/** What may follow, by the words before: `''` for the first word, `config`, `ls` and so on for the second. */
export type Candidates = ReadonlyMap<string, readonly string[]>

export function toCandidates(program: Command): Candidates {
  const shared = optionsOf(program)
  const candidates = new Map<string, readonly string[]>([['', [...namesOf(program), 'help', ...shared]]])
  for (const command of program.commands) {
    const words = command.name() === 'ls' ? KINDS : namesOf(command)
    candidates.set(command.name(), [...words, ...optionsOf(command), ...shared])
  }
  candidates.set('completion', Object.keys(SHELLS))
  return candidates
}

function namesOf(command: Command): readonly string[] {
  return command.commands.map((child) => child.name())
}

function optionsOf(command: Command): readonly string[] {
  return command.options.filter((option) => !option.hidden && option.long).map((option) => option.long as string)
}

const SHELLS: Readonly<Record<string, (candidates: Candidates) => string>> = {
  bash: (candidates) => `# crosspoint completion for bash
_crosspoint() {
  local current="\${COMP_WORDS[COMP_CWORD]}" words
  if [ "$COMP_CWORD" -eq 1 ]; then words='${first(candidates)}'; else
    case "\${COMP_WORDS[1]}" in
${cases(candidates, (name, words) => `      ${name}) words='${words}' ;;`)}
    esac
  fi
  case "$current" in
    -*) COMPREPLY=($(compgen -W "$words" -- "$current")) ;;
    *) COMPREPLY=($(compgen -W "$words" -- "$current") $(compgen -f -- "$current")) ;;
  esac
}
complete -o filenames -F _crosspoint crosspoint`,

  zsh: (candidates) => `#compdef crosspoint
_crosspoint() {
  local -a words_
  if (( CURRENT == 2 )); then words_=(${first(candidates)}); else
    case "$words[2]" in
${cases(candidates, (name, words) => `      ${name}) words_=(${words}) ;;`)}
    esac
  fi
  compadd -- $words_
  _files
}
if [ "$funcstack[1]" = "_crosspoint" ]; then _crosspoint "$@"; else compdef _crosspoint crosspoint; fi`,

  fish: (candidates) => `# crosspoint completion for fish
${[...candidates]
  .map(([name, words]) =>
    name === ''
      ? `complete -c crosspoint -f -n __fish_use_subcommand -a '${words.join(' ')}'`
      : `complete -c crosspoint -n '__fish_seen_subcommand_from ${name}' -a '${words.join(' ')}'`,
  )
  .join('\n')}`,

  powershell: (candidates) => `# crosspoint completion for PowerShell
Register-ArgumentCompleter -Native -CommandName crosspoint -ScriptBlock {
  param($wordToComplete, $commandAst, $cursorPosition)
  $words = @{
${[...candidates].map(([name, words]) => `    '${name}' = '${words.join(' ')}'`).join('\n')}
  }
  $elements = @($commandAst.CommandElements | ForEach-Object { $_.ToString() })
  $command = if ($elements.Count -gt 2 -or ($elements.Count -eq 2 -and -not $wordToComplete)) { $elements[1] } else { '' }
  "$($words[$command])".Split(' ') | Where-Object { $_ -like "$wordToComplete*" } | ForEach-Object {
    [System.Management.Automation.CompletionResult]::new($_, $_, 'ParameterValue', $_)
  }
}`,
}

function first(candidates: Candidates): string {
  return (candidates.get('') ?? []).join(' ')
}

function cases(candidates: Candidates, line: (name: string, words: string) => string): string {
  return [...candidates]
    .filter(([name]) => name !== '')
    .map(([name, words]) => line(name, words.join(' ')))
    .join('\n')
}

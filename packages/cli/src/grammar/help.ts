import { describeExitCodes } from '../exit.ts'

/** An `Examples:` section: each line a command, and what it does. */
export function examples(...lines: readonly (readonly [command: string, meaning: string])[]): string {
  const width = Math.min(Math.max(...lines.map(([command]) => command.length)), 58)
  return [
    '\nExamples:',
    ...lines.map(([command, meaning]) =>
      command.length > width
        ? `  $ ${command}\n    ${' '.repeat(width)}  ${meaning}`
        : `  $ ${command.padEnd(width)}  ${meaning}`,
    ),
  ].join('\n')
}

export const TARGET_HELP = `
The target is the name of a configured server, a URL, or a command after "--", which always separates it. A server answers with its own names. Without a target all configured servers are asked, merged as the gateway merges them.`

export const ARGUMENT_HELP = `
Arguments are key=text, key:=json, and JSON objects: @file, or - for standard input. Keys given by name override those of objects.`

export const ROOT_HELP = `
A target, for ls, call, read and prompt, is a configured server's name, a URL, or a command after "--"; without one
the configured servers are asked together, as the gateway merges them.
${examples(
  ['crosspoint up', 'serve all configured servers at one address'],
  ['crosspoint ls tools', 'what they offer'],
  ['crosspoint call everything__echo message=hi', 'call a tool'],
  ['crosspoint ls tools -- npx -y some-server', 'look at a server without configuring it'],
)}

${describeExitCodes()}

Environment: NO_COLOR and FORCE_COLOR say whether to colour.`

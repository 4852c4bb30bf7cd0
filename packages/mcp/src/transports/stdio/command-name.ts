import { shown } from '../../jsonrpc/shown.ts'

/**
 * A command for sentences: the program and which script it runs, and nothing that could be a secret. What follows an
 * option may be its value, and is shown only where it is named as a script.
 */
export function toCommandName(command: string, args: readonly string[]): string {
  const at = args.findIndex((arg) => !arg.startsWith('-'))
  const arg = args[at]
  const isShown = arg !== undefined && (at === 0 || SCRIPT.test(arg))
  return isShown ? `${shown(command)} ${shown(arg)}` : shown(command)
}

const SCRIPT = /^[^\s=]+\.(?:[cm]?[jt]sx?|py|rb|php|jar|dll|sh)$/i

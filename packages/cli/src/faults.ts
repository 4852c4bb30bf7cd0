import { McpError } from '@crosspoint/mcp'
import { CliError, type ExitKind } from './exit.ts'

/**
 * Says what an error of any layer means at the command line: which exit code, and what would help.
 * @param doing what was being done, as in `Cannot call "echo"`; put in front where the message does not say it.
 */
export function toCliError(error: unknown, doing?: string): CliError {
  if (error instanceof CliError) return error
  if (error instanceof McpError) return fromMcpError(error, doing)
  const message = error instanceof Error ? error.message : String(error)
  if (isFileError(error)) return new CliError('usage', withDoing(message, doing), { cause: error, code: error.code })
  return new CliError('internal', withDoing(message, doing), {
    cause: error,
    hint: 'This should not happen: run it again with --verbose and report what it prints',
  })
}

function fromMcpError(error: McpError, doing: string | undefined): CliError {
  const kind = toExitKind(error)
  const code = error.rpc?.code ?? error.code
  return new CliError(kind, withDoing(error.rpc?.message ?? error.message, doing), {
    cause: error,
    code,
    hint: HINTS[kind],
  })
}

function toExitKind(error: McpError): ExitKind {
  if (error.code === 'upstream.unauthorized') return 'auth'
  if (error.rpc !== undefined || error.code === 'upstream.error' || error.code === 'upstream.protocol') return 'refused'
  if (error.code.startsWith('upstream.')) return 'unreachable'
  if (error.code.startsWith('internal.')) return 'internal'
  return 'refused'
}

const HINTS: Partial<Record<ExitKind, string>> = {
  auth: `Give a token: --header "Authorization: Bearer …", or "headers" in the configuration`,
  unreachable: 'See what is wrong with it: crosspoint doctor',
}

function withDoing(message: string, doing: string | undefined): string {
  return doing === undefined || message.startsWith('Cannot ') ? message : `${doing}: ${message}`
}

function isFileError(error: unknown): error is Error & { code: string } {
  return error instanceof Error && 'syscall' in error && 'code' in error && typeof error.code === 'string'
}

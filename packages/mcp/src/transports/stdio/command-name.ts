import { shown } from '../../jsonrpc/shown.ts'

/**
 * A command for sentences and logs: the program and, of those that run others, which script or package that is. Nothing
 * else of a command line is shown, since any argument may be a secret, and nothing that may be the value of an option.
 */
export function toCommandName(command: string, args: readonly string[]): string {
  const program = toProgram(command)
  return shown([program, ...toRun(program, args)].join(' '))
}

/** The base name. Where a whole command line was written in place of a program, its first word. */
function toProgram(command: string): string {
  const isPath = /^[a-z]:\\[^=]*\.(?:exe|cmd|bat)$/i.test(command) // such paths have spaces
  const word = isPath ? command : command.trim().split(/\s+/).find(isNoVariable)
  return toBase(word ?? '') || 'a program'
}

function toRun(program: string, args: readonly string[]): readonly string[] {
  const verbs = RUNNERS.get(program.toLowerCase().replace(/\.(?:exe|cmd|bat)$|[\d.]+$/g, ''))
  if (verbs === undefined) return []
  const verb = args[0] !== undefined && verbs.includes(args[0]) ? [args[0]] : []
  const rest = args.slice(verb.length)
  const at = rest.findIndex((arg) => !arg.startsWith('-'))
  const arg = rest[at]
  // What follows an option may be its value, unless it is known to take none.
  const isNamed = rest.slice(0, Math.max(0, at)).every((option) => SWITCHES.has(option))
  if (arg === undefined || !isPlain(arg) || !(isNamed || SCRIPT.test(arg))) return verb
  return [...verb, /^(?:[a-z]:)?[\\/~]/i.test(arg) ? toBase(arg) : arg]
}

function toBase(path: string): string {
  return path.split(/[\\/]/).at(-1) ?? ''
}

function isNoVariable(word: string): boolean {
  return !word.includes('=')
}

/** A name or a path, of which no part looks like a token, a password or an address. */
function isPlain(text: string): boolean {
  if (text.length > MAX_NAME || !/^[\p{L}\p{N}_@./\\:+~^-]+$/u.test(text)) return false
  return !text.includes('://') && !/:.*@/.test(text) && !text.split(/[\\/@.:+~^]/).some(isToken)
}

function isToken(part: string): boolean {
  return ISSUED.test(part) || UUID.test(part) || part.split(/[-_]/).some(isRandom)
}

/** Long, and no word: digits among letters, or both cases in no order. */
function isRandom(run: string): boolean {
  if (run.length < 16) return false
  return /\d/.test(run) || (run.length >= 24 && /[a-z]/.test(run) && /[A-Z]/.test(run))
}

/** Programs that run what they are told to, and their words for it. */
const RUNNERS: ReadonlyMap<string, readonly string[]> = new Map<string, readonly string[]>([
  ...['node', 'tsx', 'npx', 'pnpx', 'bunx', 'python', 'pythonw', 'py', 'uvx', 'ruby', 'php', 'perl', 'java'].map(
    (program) => [program, []] as const,
  ),
  ...['sh', 'bash', 'zsh', 'dotnet'].map((program) => [program, []] as const),
  ['npm', ['exec', 'x', 'run']],
  ['pnpm', ['dlx', 'exec', 'run']],
  ['yarn', ['dlx', 'run']],
  ['bun', ['x', 'run']],
  ['deno', ['run']],
  ['uv', ['run']],
  ['pipx', ['run']],
  ['docker', ['run']],
  ['podman', ['run']],
])
/** Options of them that take no value, or are followed by what is run. */
const SWITCHES: ReadonlySet<string> = new Set([
  '-y',
  '--yes',
  '-q',
  '--quiet',
  '--silent',
  '-m',
  '-jar',
  '-i',
  '-it',
  '--rm',
  '--init',
  '--interactive',
  '-A',
  '--allow-all',
  '--enable-source-maps',
  '--no-warnings',
])
const SCRIPT = /^[^\s=]+\.(?:[cm]?[jt]sx?|py|rb|php|jar|dll|sh)$/i
/** How those begin that well-known places issue. */
const ISSUED = /^(?:(?:sk|pk|rk|glpat|xox[a-z])[-_]|(?:gh[a-z]|github_pat|npm|hf)_|AKIA|ASIA|eyJ)[\w-]{8,}$/
const UUID = /^[\da-f]{8}(?:-[\da-f]{4}){3}-[\da-f]{12}$/i
const MAX_NAME = 128

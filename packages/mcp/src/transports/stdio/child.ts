import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
import { shown } from '../../jsonrpc/shown.ts'
import type { Clock } from '../../peer/clock.ts'
import type { Channel, ChannelEvents } from '../channel.ts'
import { toCommandName } from './command-name.ts'
import { forgetGroup, guardGroup, signalGroup } from './guard.ts'
import { LineSplitter } from './lines.ts'
import { StderrTail } from './stderr-tail.ts'

export interface ChildOptions {
  /** What it is called in sentences, which then say nothing of its command. Default: its program and script. */
  readonly name?: string | undefined
  readonly command: string
  readonly args: readonly string[]
  /** The whole environment of the child. */
  readonly env: Readonly<Record<string, string>>
  readonly cwd: string | undefined
  /** Longest line of stdout; a longer one ends the conversation. */
  readonly maxLineBytes: number
  /** How long the child may take after its stdin was closed, and again after TERM. */
  readonly killGraceMs: number
  readonly clock: Clock
  readonly stderr: ((line: string) => void) | undefined
}

/**
 * A channel over a child process: started without a shell, in a process group of its own, with only the
 * environment it is given. Ending it takes the whole group: stdin is closed, then TERM, then KILL.
 */
export function openChild(options: ChildOptions): Channel {
  return new ChildChannel(options)
}

class ChildChannel implements Channel {
  readonly #options: ChildOptions
  readonly #tail: StderrTail
  #child: ChildProcessWithoutNullStreams | undefined
  #events: ChannelEvents | undefined
  #problem: string | undefined
  #exit: string | undefined
  #closing: Promise<void> | undefined
  #outbox = ''
  #over = false
  #whenOver: (() => void)[] = []

  constructor(options: ChildOptions) {
    this.#options = options
    this.#tail = new StderrTail(options.clock, options.stderr)
  }

  start(events: ChannelEvents): void {
    this.#events = events
    const { command, args, env, cwd, maxLineBytes } = this.#options
    const start = toStart(command, args, env)
    const options = { cwd, env, detached: !ON_WINDOWS, windowsHide: true, ...start.options }
    let child: ChildProcessWithoutNullStreams
    try {
      child = spawn(start.command, start.args, { ...options, stdio: ['pipe', 'pipe', 'pipe'] })
    } catch (error) {
      // What cannot be handed to the system at all, such as an argument with a zero byte.
      queueMicrotask(() => this.#failed(error as Error))
      return
    }
    this.#child = child
    if (child.pid !== undefined) guardGroup(child.pid)
    child.on('error', (error) => this.#failed(error))
    child.on('exit', (code, signal) => this.#exited(code, signal))
    child.on('close', () => this.#finish())
    // Writing to a child that is gone is no failure of its own: its exit says why.
    child.stdin.on('error', () => {})
    const lines = new LineSplitter(maxLineBytes, {
      line: events.message,
      whole: events.whole,
      fault: (reason, sample) => this.#fault(reason, sample),
    })
    child.stdout.on('data', (chunk: Buffer) => lines.push(chunk))
    child.stdout.on('end', () => lines.end())
    child.stderr.on('data', (chunk: Buffer) => this.#tail.push(chunk))
  }

  send(text: string): boolean {
    const stdin = this.#child?.stdin
    if (stdin === undefined || !stdin.writable) return true
    // What is sent in one go is written in one go: a write to a pipe costs more than the call it carries.
    if (this.#outbox === '') process.nextTick(() => this.#flush())
    this.#outbox += `${text}\n`
    return this.#outbox.length + stdin.writableLength < HIGH_WATER_BYTES
  }

  drained(): Promise<void> {
    this.#flush()
    const stdin = this.#child?.stdin
    if (stdin == null || !stdin.writable || stdin.writableLength < HIGH_WATER_BYTES) return Promise.resolve()
    return new Promise((resolve) => {
      const done = () => {
        stdin.off('drain', done)
        stdin.off('close', done)
        resolve()
      }
      stdin.on('drain', done)
      stdin.on('close', done)
    })
  }

  close(): Promise<void> {
    this.#closing ??= this.#end()
    return this.#closing
  }

  /** In the order of the specification (2025-11-25 basic/lifecycle, Shutdown): stdin, TERM, KILL. */
  async #end(): Promise<void> {
    const child = this.#child
    if (child === undefined || this.#over) return
    this.#flush()
    child.stdin.end()
    if (await this.#isOverWithin(this.#options.killGraceMs)) return
    this.#signal('SIGTERM')
    if (await this.#isOverWithin(this.#options.killGraceMs)) return
    this.#signal('SIGKILL')
    if (await this.#isOverWithin(AFTER_KILL_MS)) return
    // Somebody outside the group still holds the pipes open: they are not ours to wait for.
    this.#finish()
  }

  #flush(): void {
    const text = this.#outbox
    this.#outbox = ''
    if (text !== '' && this.#child?.stdin.writable === true) this.#child.stdin.write(text)
  }

  #isOverWithin(ms: number): Promise<boolean> {
    if (this.#over) return Promise.resolve(true)
    return new Promise((resolve) => {
      const timer = this.#options.clock.setTimer(ms, () => resolve(this.#over))
      this.#whenOver.push(() => {
        timer.cancel()
        resolve(true)
      })
    })
  }

  #signal(signal: 'SIGTERM' | 'SIGKILL'): void {
    const pid = this.#child?.pid
    if (pid !== undefined) signalGroup(pid, signal)
  }

  #fault(reason: string, sample: string): void {
    this.#events?.fault(reason, sample)
    if (!reason.startsWith(TOO_LONG)) return
    this.#problem ??= `The server wrote a line of more than ${this.#options.maxLineBytes} bytes`
    this.#signal('SIGKILL')
  }

  #failed(error: Error & { code?: string }): void {
    if (this.#child?.pid !== undefined) return // about a signal or a message, not about the start
    this.#problem = startProblem(this.#options, error)
    this.#finish()
  }

  #exited(code: number | null, signal: NodeJS.Signals | null): void {
    this.#exit = signal === null ? `exited with code ${code}` : `was killed by ${signal}`
    // What the child leaves behind in its group ends with it, and so do pipes a grandchild keeps open.
    this.#signal('SIGTERM')
    void this.#isOverWithin(this.#options.killGraceMs).then((over) => {
      if (!over) this.#finish()
    })
  }

  #finish(): void {
    if (this.#over) return
    this.#over = true
    const child = this.#child
    if (child?.pid !== undefined) {
      signalGroup(child.pid, 'SIGKILL')
      forgetGroup(child.pid)
    }
    for (const stream of [child?.stdin, child?.stdout, child?.stderr]) stream?.destroy()
    this.#tail.end()
    for (const resolve of this.#whenOver.splice(0)) resolve()
    this.#events?.closed(this.#closing !== undefined && this.#problem === undefined ? undefined : this.#reason())
  }

  #reason(): Error {
    const what = this.#problem ?? `The server "${toName(this.#options)}" ${this.#exit ?? 'is gone'}`
    const telling = this.#tail.telling()
    if (telling !== undefined) return new Error(`${what}: ${toQuoted(telling)}`)
    const last = this.#tail.last(QUOTED_LINES)
    return new Error(last.length === 0 ? what : `${what}; its last words: ${last.map(toQuoted).join(' | ')}`)
  }
}

function toQuoted(line: string): string {
  return line.length > MAX_QUOTED ? `${line.slice(0, MAX_QUOTED)}…` : line
}

function toName({ name, command, args }: ChildOptions): string {
  return name === undefined ? toCommandName(command, args) : shown(name)
}

function startProblem(options: ChildOptions, error: Error & { code?: string }): string {
  const { name, command, cwd, env } = options
  const what = `Cannot start "${name === undefined ? toCommandName(command, []) : shown(name)}"`
  if (cwd !== undefined && !existsSync(cwd)) {
    return `${what}: its directory${name === undefined ? ` "${shown(cwd)}"` : ''} does not exist`
  }
  if (error.code === 'ENOENT') {
    if (/\s/.test(command.trim())) {
      return `${what}: no program has its whole "command" for a name, and no shell takes that apart; what comes after the program belongs into "args"`
    }
    const where = command.includes('/')
      ? 'no such file; check the path'
      : env.PATH === undefined
        ? 'not found, and its environment has no PATH; set PATH in "env" or give the full path'
        : 'not found in the PATH of its environment; install it or give the full path'
    return `${what}: ${where}`
  }
  if (error.code === 'EACCES') return `${what}: it may not be executed; check its permissions`
  // The system's own words quote what it was given.
  if (error.code === 'ERR_INVALID_ARG_VALUE') return `${what}: there are null bytes in its command, "args" or "env"`
  return `${what}: ${error.code ?? error.name}`
}

interface Start {
  readonly command: string
  readonly args: readonly string[]
  readonly options: { readonly windowsVerbatimArguments?: boolean }
}

/**
 * Windows runs `.cmd` and `.bat` only through its command interpreter, which reads its line anew: every argument
 * is quoted and what has a meaning there is escaped. Everywhere else nothing is interpreted.
 */
function toStart(command: string, args: readonly string[], env: Readonly<Record<string, string>>): Start {
  if (!ON_WINDOWS || !isScript(command, env)) return { command, args, options: {} }
  const line = [command, ...args].map(toCmdArgument).join(' ')
  return {
    command: env.ComSpec ?? 'cmd.exe',
    args: ['/d', '/s', '/c', `"${line}"`],
    options: { windowsVerbatimArguments: true },
  }
}

function isScript(command: string, env: Readonly<Record<string, string>>): boolean {
  if (/\.(cmd|bat)$/i.test(command)) return true
  if (/\.[a-z0-9]+$/i.test(command)) return false
  if (/[\\/]/.test(command)) return !existsSync(`${command}.exe`) && existsSync(`${command}.cmd`)
  const path = env.Path ?? env.PATH ?? ''
  for (const folder of path.split(';')) {
    if (existsSync(`${folder}\\${command}.exe`)) return false
    if (existsSync(`${folder}\\${command}.cmd`) || existsSync(`${folder}\\${command}.bat`)) return true
  }
  return false
}

function toCmdArgument(argument: string): string {
  const quoted = `"${argument.replace(/(\\*)"/g, '$1$1\\"').replace(/(\\*)$/, '$1$1')}"`
  // A script is read twice, by the interpreter and by its own `%*`: hence escaped twice.
  const escaped = quoted.replace(/[()\][%!^"`<>&|;, *?]/g, '^$&')
  return escaped.replace(/[()\][%!^"`<>&|;, *?]/g, '^$&')
}

const ON_WINDOWS = process.platform === 'win32'
/** Bytes waiting for a child that does not read, beyond which a writer holds back. */
const HIGH_WATER_BYTES = 1024 * 1024
/** How the splitter's fault about a line over the limit begins. */
const TOO_LONG = 'Cannot read a line longer than'
const AFTER_KILL_MS = 1_000
/** Characters of a line of stderr quoted in the reason for an end. */
const MAX_QUOTED = 500
/** Beyond this a command is hardly a line somebody typed. */
/** Last lines of stderr quoted in the reason for an end. */
const QUOTED_LINES = 5

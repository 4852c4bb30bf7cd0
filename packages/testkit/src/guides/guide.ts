import { spawn } from 'node:child_process'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

/** The root of the repository, with a slash at its end. */
const ROOT = fileURLToPath(new URL('../../../../', import.meta.url))

/** A document with programs in it. */
export interface Guide {
  /** Programs by file name, which stands behind the language: ```` ```js weather.mjs ````. */
  readonly files: ReadonlyMap<string, string>
  /** Each line after a `$` in a block of `console`, and what is printed below it. */
  readonly commands: readonly (readonly [line: string, output: string])[]
  /** What is shown as code and is no program: nobody runs it. */
  readonly unnamed: readonly string[]
}

/** What a program did. */
export interface Ran {
  /** Null for one that was killed. */
  readonly code: number | null
  /** Both streams, in no particular order between the two. */
  readonly output: string
}

/** @param path of the document, from the root of the repository */
export function readGuide(path: string): Guide {
  const files = new Map<string, string>()
  const commands: (readonly [string, string])[] = []
  const unnamed: string[] = []
  for (const [, language = '', name, text = ''] of readFileSync(`${ROOT}${path}`, 'utf8').matchAll(FENCE)) {
    if (language === 'console')
      for (const [, line = '', output = ''] of text.matchAll(COMMAND)) commands.push([line, output])
    else if (name !== undefined) files.set(name, text)
    else if (language === 'js' || language === 'ts') unnamed.push(text)
  }
  return { files, commands, unnamed }
}

/**
 * A folder with the programs of a document in it, where packages of this repository can be imported.
 * @param modules by folder of the guide, where its packages come from; default: those of the repository for all
 */
export function layOut(
  files: ReadonlyMap<string, string>,
  modules: Readonly<Record<string, string>> = { '.': `${ROOT}node_modules` },
): { readonly folder: string; remove(): void } {
  const folder = mkdtempSync(join(tmpdir(), 'crosspoint-guide-'))
  for (const [name, text] of files) {
    const path = join(folder, name)
    mkdirSync(dirname(path), { recursive: true })
    writeFileSync(path, text)
  }
  for (const [below, from] of Object.entries(modules)) {
    mkdirSync(join(folder, below), { recursive: true })
    symlinkSync(from, join(folder, below, 'node_modules'), 'junction')
  }
  return { folder, remove: () => rmSync(folder, { recursive: true, force: true }) }
}

/** Runs a line of a console, of the form `NAME=value node program.mjs argument`, until it ends. */
export function runLine(line: string, folder: string): Promise<Ran> {
  const { child, output } = spawnLine(line, folder)
  const timer = setTimeout(() => child.kill('SIGKILL'), MAX_MS)
  return new Promise((resolve, reject) => {
    child.once('error', reject)
    child.once('close', (code) => {
      clearTimeout(timer)
      resolve({ code, output: output() })
    })
  })
}

/** A program that stays. */
export interface Started {
  /** What it said when it was ready. */
  readonly said: string
  stop(): Promise<void>
}

/**
 * Starts a line of a console and waits until the program has printed what is looked for.
 * @throws {Error} where it ends before
 */
export function startLine(line: string, folder: string, sought: RegExp): Promise<Started> {
  const { child, output } = spawnLine(line, folder)
  const closed = new Promise<void>((resolve) => child.once('close', () => resolve()))
  const stop = (): Promise<void> => {
    child.kill('SIGKILL')
    return closed
  }
  return new Promise((resolve, reject) => {
    const look = () => {
      const [said] = sought.exec(output()) ?? []
      if (said !== undefined) resolve({ said, stop })
    }
    child.stdout.on('data', look)
    child.stderr.on('data', look)
    child.once('error', reject)
    void closed.then(() => reject(new Error(`"${line}" ended: ${output()}`)))
  })
}

function spawnLine(line: string, folder: string) {
  const words = line.split(' ')
  const at = words.indexOf('node')
  if (at === -1) throw new Error(`Cannot run "${line}": it is no line that starts a program of Node`)
  const settings = words.slice(0, at).map((word) => word.split(/=(.*)/s))
  // Node tells the runs inside of a run of tests by a variable, and would not report them on their own.
  const { NODE_TEST_CONTEXT: _, ...inherited } = process.env
  const env = { ...inherited, ...Object.fromEntries(settings) }
  const child = spawn(process.execPath, words.slice(at + 1), { cwd: folder, env, stdio: ['ignore', 'pipe', 'pipe'] })
  let output = ''
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (text: string) => {
      output += text
    })
  }
  return { child, output: () => output }
}

/** After this a program that should end is killed. */
const MAX_MS = 15_000
const FENCE = /^```(\w+)(?: (\S+))?\n(.*?)^```$/gms
const COMMAND = /^\$ (.*)\n((?:[^$].*\n|\n)*)/gm

import { execFile } from 'node:child_process'
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
  readonly code: number
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
  const words = line.split(' ')
  const at = words.indexOf('node')
  const settings = words.slice(0, at).map((word) => word.split(/=(.*)/s).slice(0, 2) as [string, string]) // split in two
  if (at === -1) throw new Error(`Cannot run "${line}": it is no line that starts a program of Node`)
  // Node tells the runs inside of a run of tests by a variable, and would not report them on their own.
  const { NODE_TEST_CONTEXT: _, ...inherited } = process.env
  const env = { ...inherited, ...Object.fromEntries(settings) }
  return new Promise((resolve) => {
    let output = ''
    const child = execFile(process.execPath, words.slice(at + 1), { cwd: folder, env, timeout: 15_000 }, (error) =>
      resolve({ code: error === null ? 0 : typeof error.code === 'number' ? error.code : 1, output }),
    )
    for (const stream of [child.stdout, child.stderr]) {
      stream?.on('data', (text) => {
        output += text
      })
    }
  })
}

const FENCE = /^```(\w+)(?: (\S+))?\n(.*?)^```$/gms
const COMMAND = /^\$ (.*)\n((?:[^$].*\n|\n)*)/gm

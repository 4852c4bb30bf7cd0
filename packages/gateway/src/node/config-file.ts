import { closeSync, constants, fstatSync, openSync, readSync } from 'node:fs'
import { stat } from 'node:fs/promises'
import { homedir } from 'node:os'
import { dirname, isAbsolute, join, relative, resolve } from 'node:path'
import { ConfigError } from '../config/config-error.ts'
import { type LoadedConfig, type ParseOptions, parseConfig } from '../config/parse.ts'
import { MAX_CONFIG_BYTES } from '../config/reading.ts'

export type LoadOptions = Pick<ParseOptions, 'flags' | 'format'> & {
  /** Default: the environment of this process. */
  readonly env?: Readonly<Record<string, string | undefined>>
}

/** Names looked for, in this order. Other tools' files are never picked up by themselves: they start programs. */
export const CONFIG_NAMES: readonly string[] = [
  'crosspoint.yaml',
  'crosspoint.yml',
  'crosspoint.json',
  'crosspoint.jsonc',
]

/**
 * Reads a configuration file. Relative paths in it start from its folder.
 * @throws {ConfigError} also when the file cannot be read
 */
export function loadConfig(path: string, options: LoadOptions = {}): LoadedConfig {
  const full = resolve(path)
  return parseConfig(readBounded(full, path), {
    ...options,
    path,
    env: options.env ?? process.env,
    baseDir: dirname(full),
    readText,
  })
}

/**
 * The configuration of a folder: `crosspoint.yaml`, `.yml`, `.json` or `.jsonc` there, then in the person's own
 * configuration folder (`$XDG_CONFIG_HOME/crosspoint`, on Windows `%APPDATA%\crosspoint`). Undefined: none.
 */
export async function findConfig(
  cwd: string,
  env: Readonly<Record<string, string | undefined>> = process.env,
): Promise<string | undefined> {
  for (const folder of [cwd, userFolder(env)]) {
    for (const name of CONFIG_NAMES) {
      const path = join(folder, name)
      if (await isFile(path)) return shortest(path)
    }
  }
  return undefined
}

function userFolder(env: Readonly<Record<string, string | undefined>>): string {
  if (process.platform === 'win32' && env.APPDATA) return join(env.APPDATA, 'crosspoint')
  return join(env.XDG_CONFIG_HOME || join(env.HOME || homedir(), '.config'), 'crosspoint')
}

/** One that may not be read counts: better an error than another file in its place. */
async function isFile(path: string): Promise<boolean> {
  try {
    return (await stat(path)).isFile()
  } catch {
    // Absent, or in a folder that may not be entered: not ours to use either way.
    return false
  }
}

/** As messages name it: from here, where it is below. */
function shortest(path: string): string {
  const short = relative(process.cwd(), path)
  return short.startsWith('..') || isAbsolute(short) ? path : short
}

function readBounded(full: string, path: string): string {
  try {
    return readText(full)
  } catch (cause) {
    throw new ConfigError([{ message: reasonOf(cause), path: '', file: path, line: 0, column: 0 }], { cause })
  }
}

/** The text of a regular file of at most 1 MiB, as UTF-8. */
function readText(path: string): string {
  const descriptor = openSync(path, constants.O_RDONLY | (constants.O_NONBLOCK ?? 0))
  try {
    // A pipe or device could block or never end.
    if (!fstatSync(descriptor).isFile()) throw new UnusableFile('It is not a regular file')
    const bytes = Buffer.alloc(MAX_CONFIG_BYTES + 1)
    let length = 0
    for (let read = -1; read !== 0 && length < bytes.length; length += read) {
      read = readSync(descriptor, bytes, length, bytes.length - length, null)
    }
    if (length > MAX_CONFIG_BYTES) throw new UnusableFile(`It is longer than ${MAX_CONFIG_BYTES} bytes`)
    return decode(bytes.subarray(0, length))
  } finally {
    closeSync(descriptor)
  }
}

function decode(bytes: Buffer): string {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes)
  } catch (cause) {
    throw new UnusableFile('It is not UTF-8', { cause })
  }
}

class UnusableFile extends Error {}

function reasonOf(error: unknown): string {
  if (error instanceof UnusableFile) return `The configuration cannot be read: ${error.message}`
  const code = error instanceof Error && 'code' in error ? String(error.code) : ''
  return `The configuration cannot be read: ${REASONS[code] ?? (code || 'unknown reason')}`
}

const REASONS: Readonly<Record<string, string>> = {
  ENOENT: 'there is no such file',
  EACCES: 'permission denied',
  EPERM: 'permission denied',
  EISDIR: 'it is a folder',
  ENOTDIR: 'a part of its path is no folder',
  ELOOP: 'its links lead in a circle',
}

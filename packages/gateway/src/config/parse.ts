import { adopt } from './adopt.ts'
import { toModel } from './build.ts'
import { checkConfig } from './check.ts'
import { Complaints } from './complaints.ts'
import { ConfigError, type ConfigIssue, sortIssues } from './config-error.ts'
import { addEnvFiles } from './env-files.ts'
import { folderOf, joinPath } from './join-path.ts'
import type { GatewayConfig } from './model.ts'
import { applyOverrides, type ConfigFlag } from './overrides.ts'
import { type ConfigFormat, readTree } from './read.ts'
import { MAX_CONFIG_BYTES } from './reading.ts'
import type { WrittenConfig } from './schema.ts'
import { type Origin, type Table, type Tree, table } from './tree.ts'
import { validate } from './validate.ts'

export interface ParseOptions {
  /** The file as messages name it. Default `crosspoint.yaml`. */
  readonly path?: string
  /** Default: by the ending of `path`; `.json` and `.jsonc` may both hold comments. */
  readonly format?: ConfigFormat
  /** Where variables and `CROSSPOINT_*` settings are looked up. Default: nothing is set. */
  readonly env?: Readonly<Record<string, string | undefined>>
  /** Absolute folder that relative paths start from. Default: empty, which leaves them relative. */
  readonly baseDir?: string
  /** Settings of the command line, over file and environment. Default none. */
  readonly flags?: readonly ConfigFlag[]
  /** Reads an `envFile` or `${file:…}`; throws when it cannot. Default: it never can. */
  readonly readText?: (path: string) => string
}

/** A configuration that can be used, with what was noticed on the way. */
export interface LoadedConfig {
  readonly config: GatewayConfig
  /** What is legal and probably not meant, in the order of the file. */
  readonly warnings: readonly ConfigIssue[]
  readonly path: string
  /** For `explainConfig`: every value as written, with its place, and the effective one. */
  readonly provenance: { readonly tree: Tree; readonly effective: WrittenConfig }
}

/**
 * Text of a configuration, in our own or another tool's spelling, to the model.
 * @throws {ConfigError} with everything that is wrong at once
 */
export function parseConfig(text: string, options: ParseOptions = {}): LoadedConfig {
  const path = options.path ?? 'crosspoint.yaml'
  const env = options.env ?? {}
  const baseDir = options.baseDir ?? ''
  const readText = options.readText ?? cannotRead
  const complaints = new Complaints(path)
  const document = readDocument(text, path, options.format ?? formatOf(path, text), complaints)
  const adopted = adopt(document, { path, baseDir, env, readText, complaints })
  const complete = addEnvFiles(adopted, { baseDir, readText, complaints })
  const tree = applyOverrides(complete, env, options.flags ?? [])
  const effective = validate(tree, complaints)
  const file = joinPath(baseDir, path.slice(folderOf(path).length).replace(/^[\\/]/, ''))
  if (effective !== undefined) checkConfig(effective, tree, file, complaints)
  if (effective === undefined || complaints.errors.length > 0) throw new ConfigError(complaints.errors)
  return {
    config: toModel(effective, baseDir),
    warnings: sortIssues(complaints.warnings),
    path,
    provenance: { tree, effective },
  }
}

/** The top mapping of the text. Without one there is nothing further to say. */
export function readDocument(text: string, path: string, format: ConfigFormat, complaints: Complaints): Table {
  const start: Origin = { source: 'file', path: '', line: 1, column: 1 }
  if (text.length > MAX_CONFIG_BYTES) {
    complaints.error(start, `The configuration is longer than ${MAX_CONFIG_BYTES} bytes`)
    throw new ConfigError(complaints.errors)
  }
  const { tree, reading } = readTree(text, format)
  for (const { offset, message, path: at = '', hint } of reading.faults) {
    complaints.error({ source: 'file', path: at, ...reading.place(offset) }, message, hint)
  }
  const isEmpty = tree === undefined || (tree.kind === 'scalar' && tree.value === null)
  if (isEmpty && complaints.errors.length === 0) return table([], start)
  if (tree?.kind === 'table') return tree
  if (complaints.errors.length === 0) {
    complaints.error(start, 'A configuration is a mapping', `begin with "servers:", or see the guide for ${path}`)
  }
  throw new ConfigError(complaints.errors)
}

export function formatOf(path: string, text: string): ConfigFormat {
  if (/\.jsonc?$/i.test(path)) return 'json'
  if (/\.ya?ml$/i.test(path)) return 'yaml'
  return /^\uFEFF?\s*(?:\{|\/[/*])/.test(text) ? 'json' : 'yaml'
}

function cannotRead(): never {
  throw new Error('No files can be read here')
}

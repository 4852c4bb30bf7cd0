import type { ForeignMap } from './dialect.ts'
import type { ExpandScope, Expansion } from './expand.ts'
import { joinPath } from './join-path.ts'
import { child, type Tree, textOf } from './tree.ts'

export interface VariableContext {
  /** Absolute folder of the file. */
  readonly baseDir: string
  readonly env: Readonly<Record<string, string | undefined>>
  /** Throws when it cannot. */
  readonly readText: (path: string) => string
}

/** The variables of another tool's file, as far as they mean something outside of it. */
export function foreignScope(foreign: ForeignMap, context: VariableContext): ExpandScope {
  const { baseDir, env } = context
  const home = env.HOME ?? env.USERPROFILE
  const workspace = workspaceOf(baseDir)
  const fixed: Readonly<Record<string, string | undefined>> = {
    configFolder: baseDir,
    workspaceFolder: workspace,
    workspaceFolderBasename: workspace.split(/[\\/]/).at(-1),
    pathSeparator: '/',
    '/': '/',
    ...(home === undefined ? {} : { userHome: home }),
  }
  return {
    env: { ...env, ...fixed },
    bareNames: foreign.client === 'gemini' || foreign.client === 'crush',
    bracesOnly: foreign.client === 'opencode',
    foreign: (kind, name): Expansion | undefined => {
      if (kind === 'input') return inputOf(name, foreign.inputs, env)
      if (kind === 'file') return fileOf(name, context)
      if (kind === 'command' || kind === 'config') {
        return {
          problem: `Only the tool this file was written for can answer \${${kind}:…}`,
          hint: 'write ${NAME} instead',
        }
      }
      const value = Object.hasOwn(fixed, kind) ? fixed[kind] : undefined
      return value === undefined ? undefined : { text: value }
    },
  }
}

/** Editors keep their file in a folder of theirs inside the workspace. */
function workspaceOf(baseDir: string): string {
  return baseDir.replace(/[\\/]\.(?:vscode|cursor|github|gemini)[\\/]?$/, '')
}

/** Nobody is there to be prompted: an input comes from the environment, or is its default. */
function inputOf(id: string, inputs: Tree | undefined, env: VariableContext['env']): Expansion {
  const variable = `INPUT_${id.toUpperCase().replaceAll(/[^A-Z0-9]/g, '_')}`
  const given = Object.hasOwn(env, variable) ? env[variable] : undefined
  if (given !== undefined) return { text: given }
  const items = inputs?.kind === 'list' ? inputs.items : []
  const text = textOf(
    child(
      items.find((item) => textOf(child(item, 'id')) === id),
      'default',
    ),
  )
  if (text !== undefined) return { text }
  return { problem: 'This input has no value: nobody is asked here', hint: `set the environment variable ${variable}` }
}

function fileOf(path: string, { baseDir, env, readText }: VariableContext): Expansion {
  const home = env.HOME ?? env.USERPROFILE
  const full = path.startsWith('~/') && home !== undefined ? joinPath(home, path.slice(2)) : joinPath(baseDir, path)
  try {
    return { text: readText(full).trim() }
  } catch (error) {
    return {
      problem: `The file of a variable cannot be read: ${codeOf(error)}`,
      hint: 'check its path and permissions',
    }
  }
}

/** What a failed read says without the text of the error, which holds paths. */
export function codeOf(error: unknown): string {
  const code = error instanceof Error && 'code' in error ? error.code : undefined
  if (code === 'ENOENT') return 'there is no such file'
  return typeof code === 'string' ? code : 'it is not readable'
}

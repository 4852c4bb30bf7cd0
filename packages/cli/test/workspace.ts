import { randomUUID } from 'node:crypto'
import { mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { onTestFinished } from 'vitest'
import { processesMarked } from './crosspoint.ts'

const official = (path: string) =>
  fileURLToPath(new URL(`../../../node_modules/@modelcontextprotocol/${path}`, import.meta.url))
const fixture = (name: string) => fileURLToPath(new URL(`./fixtures/${name}`, import.meta.url))

export const EVERYTHING = [official('server-everything/dist/index.js'), 'stdio']
export const RUDE = fixture('rude-server.mjs')

export interface Workspace {
  readonly folder: string
  /** In the environment of every server of {@link quickstart}. */
  readonly mark: string
  /** Writes a file of the folder and returns its path. */
  readonly write: (name: string, content: string | object) => string
  /** Processes of this test's servers that are alive. */
  readonly left: () => readonly number[]
  /** The three official servers, as the quickstart runs them. */
  readonly quickstart: () => { readonly servers: Readonly<Record<string, object>> }
  /** For commands that run here, and find no configuration but the folder's. */
  readonly options: { readonly cwd: string; readonly env: Readonly<Record<string, string>> }
}

/** A folder of its own for one test. */
export function createWorkspace(): Workspace {
  const folder = realpathSync(mkdtempSync(join(tmpdir(), 'crosspoint-')))
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }))
  const mark = `crosspoint-test-${randomUUID()}`
  const env = { CROSSPOINT_TEST_MARK: mark }
  const files = join(folder, 'files')
  mkdirSync(files)
  writeFileSync(join(files, 'greeting.txt'), 'hello from a file\n')
  const server = (args: readonly string[], more = {}) => ({ command: process.execPath, args, env: { ...env, ...more } })
  return {
    folder,
    mark,
    write: (name, content) => {
      const path = join(folder, name)
      writeFileSync(path, typeof content === 'string' ? content : JSON.stringify(content, undefined, 2))
      return path
    },
    left: () => processesMarked(mark),
    quickstart: () => ({
      servers: {
        everything: server(EVERYTHING),
        filesystem: server([official('server-filesystem/dist/index.js'), files]),
        memory: server([official('server-memory/dist/index.js')], { MEMORY_FILE_PATH: join(folder, 'memory.jsonl') }),
      },
    }),
    options: { cwd: folder, env: { XDG_CONFIG_HOME: join(folder, 'none') } },
  }
}

/** A server that says rude things; `more` is its environment. */
export function rudeServer({ mark }: Workspace, more: Readonly<Record<string, string>> = {}) {
  return { command: process.execPath, args: [RUDE], env: { CROSSPOINT_TEST_MARK: mark, ...more } }
}

import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { run } from './child.ts'
import { node22, root } from './installed.ts'

/** Where a client goes: a URL, over the oldest transport where it says so, or a server it starts itself. */
export type Target =
  | { readonly url: string; readonly transport?: 'sse' }
  | { readonly command: string; readonly args: readonly string[] }

export interface ToolCall {
  readonly name: string
  readonly arguments: Readonly<Record<string, unknown>>
}

/** What a client is made to do besides listing everything. */
export interface Tour {
  readonly calls?: readonly ToolCall[]
  readonly reads?: readonly string[]
  readonly prompts?: readonly { readonly name: string; readonly arguments?: Readonly<Record<string, string>> }[]
}

export interface Named {
  readonly name: string
}

/** What a client saw. Members that a client does not report are absent. */
export interface Seen {
  readonly revision?: string
  readonly era: 'legacy' | 'modern'
  readonly instructions?: string
  readonly tools: readonly Named[]
  readonly resources: readonly { readonly uri: string }[]
  readonly templates?: readonly { readonly uriTemplate: string }[]
  readonly prompts: readonly Named[]
  readonly calls: Readonly<Record<string, ToolResult>>
  readonly reads: Readonly<Record<string, { readonly contents: readonly { readonly uri: string }[] }>>
  readonly gets: Readonly<Record<string, { readonly messages: readonly unknown[] }>>
}

export interface ToolResult {
  readonly content: readonly { readonly type: string; readonly text?: string }[]
  readonly structuredContent?: unknown
  readonly isError?: boolean
}

export interface OfficialClient {
  readonly name: string
  readonly era: 'legacy' | 'modern'
  /** Takes the tour as a process of its own; a client that cannot is an error with its stderr in it. */
  tour(target: Target, tour: Tour): Promise<Seen>
}

export interface OfficialSdk extends OfficialClient {
  /** Listens to all that peers/own-server.mjs says besides its answers. */
  signals(target: Target, order: SignalOrder): Promise<Signals>
}

export interface SignalOrder {
  /** Before the names of the server's tools and prompts. */
  readonly prefix: string
  /** The URI its watched resource has where the client stands. */
  readonly resource: string
}

export interface Signals {
  readonly progress: readonly number[]
  readonly logs: readonly unknown[]
  readonly completion: readonly string[]
  readonly updated: readonly string[]
  readonly cancelled: 'given up' | 'answered'
  /** How many calls the server saw cancelled meanwhile. */
  readonly cancelledAtServer: number
}

/** Every client that has to work, the same six wherever it goes. */
export function officialClients(newest: string): readonly OfficialClient[] {
  return [...officialSdks(newest), inspector('legacy'), inspector('modern')]
}

/** Those that stay for a conversation. */
export function officialSdks(newest: string): readonly OfficialSdk[] {
  return [
    sdk('SDK v1', 1, 'legacy', undefined),
    sdk('SDK v2 in legacy mode', 2, 'legacy', 'legacy'),
    sdk('SDK v2 in auto mode', 2, 'modern', 'auto'),
    sdk(`SDK v2 pinned to ${newest}`, 2, 'modern', { pin: newest }),
  ]
}

function sdk(name: string, line: 1 | 2, era: 'legacy' | 'modern', mode: unknown): OfficialSdk {
  const drive = async (order: object): Promise<unknown> => {
    const args = [`${root}/interop/drivers/main.mjs`, JSON.stringify({ line, mode, ...order })]
    const { code, stdout, stderr } = await run(process.execPath, args)
    if (code !== 0) throw new Error(`${name} failed with exit code ${code}\n${stderr}`)
    return JSON.parse(stdout)
  }
  return {
    name,
    era,
    // The drivers print what these interfaces say, one file there for each.
    tour: async (target, tour) => (await drive({ job: 'tour', target, ...tour })) as Seen,
    signals: async (target, order) => (await drive({ job: 'signals', target, ...order })) as Signals,
  }
}

const INSPECTOR = `${root}/interop/node_modules/@modelcontextprotocol/inspector/clients/launcher/build/index.js`

/** The Inspector's command line: one process for each method. */
function inspector(era: 'legacy' | 'modern'): OfficialClient {
  const name = `Inspector in the ${era} era`
  return {
    name,
    era,
    async tour(target, tour) {
      const home = await mkdtemp(join(tmpdir(), 'crosspoint-inspector-'))
      try {
        // A file, not arguments: the Inspector would take options of the command for its own.
        const config = join(home, 'servers.json')
        await writeFile(config, JSON.stringify({ mcpServers: { target: toServer(target) } }))
        const ask: Ask = async (method, ...more) => {
          const args = ['--config', config, '--server', 'target', '--protocol-era', era, '--format', 'json', '--quiet']
          const { code, stdout, stderr } = await run(
            node22 ?? process.execPath,
            [INSPECTOR, '--cli', ...args, '--method', method, ...more],
            { env: { HOME: home } },
          )
          // Exit code 5 is a tool that answered with isError: an answer all the same.
          if (code !== 0 && code !== 5) throw new Error(`${name} failed ${method} with exit code ${code}\n${stderr}`)
          const answer: unknown = JSON.parse(stdout)
          return (answer as { result: Answer }).result
        }
        return await walk(era, ask, tour)
      } finally {
        await rm(home, { recursive: true, force: true })
      }
    },
  }
}

type Answer = Record<string, unknown>
type Ask = (method: string, ...more: string[]) => Promise<Answer>

async function walk(era: Seen['era'], ask: Ask, tour: Tour): Promise<Seen> {
  const calls: Record<string, Answer> = {}
  const reads: Record<string, Answer> = {}
  const gets: Record<string, Answer> = {}
  const lists: Answer = {}
  await inTurns([
    ...['tools', 'resources', 'prompts'].map((kind) => async () => {
      lists[kind] = (await ask(`${kind}/list`))[kind]
    }),
    ...(tour.calls ?? []).map((call) => async () => {
      const args = JSON.stringify(call.arguments)
      calls[call.name] = await ask('tools/call', '--tool-name', call.name, '--tool-args-json', args)
    }),
    ...(tour.reads ?? []).map((uri) => async () => {
      reads[uri] = await ask('resources/read', '--uri', uri)
    }),
    ...(tour.prompts ?? []).map((prompt) => async () => {
      const pairs = Object.entries(prompt.arguments ?? {}).map(([key, value]) => `${key}=${value}`)
      const args = pairs.length === 0 ? [] : ['--prompt-args', ...pairs]
      gets[prompt.name] = await ask('prompts/get', '--prompt-name', prompt.name, ...args)
    }),
  ])
  // The Inspector prints results as they came, so the members have the shapes of the protocol.
  return { era, ...lists, calls, reads, gets } as unknown as Seen
}

/** Each Inspector waits two idle seconds for a server it started to go; a few at a time make that bearable. */
async function inTurns(jobs: readonly (() => Promise<void>)[]): Promise<void> {
  const left = [...jobs]
  const worker = async () => {
    for (let job = left.shift(); job !== undefined; job = left.shift()) await job()
  }
  await Promise.all([worker(), worker(), worker()])
}

function toServer(target: Target): unknown {
  return 'url' in target ? { type: target.transport ?? 'streamable-http', url: target.url } : target
}

import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import type { Target, ToolResult } from './clients.ts'
import { root } from './installed.ts'

/** An official SDK that stays for a conversation: a process of its own that does what a test says, one thing at a time. */
export interface Speaker {
  /** Of the SDK. */
  readonly line: 1 | 2
  /** Of line 2: "legacy", "auto" or { pin: revision }. */
  readonly mode?: unknown
  /** The one handshake revision it offers. Default: the newest the SDK has. */
  readonly revision?: string
}

export interface Question {
  readonly method: string
  readonly params: Readonly<Record<string, unknown>>
}

export interface ConversationOptions {
  /** What the client declares. Default nothing. */
  readonly capabilities?: Readonly<Record<string, unknown>>
  /** What the person and the model behind the client say. Default: a question fails the call that asks. */
  readonly answer?: (question: Question) => unknown
}

export interface Failure {
  readonly code: number
  readonly message: string
  readonly data?: unknown
}

export interface Conversation {
  readonly revision: string
  readonly era: 'legacy' | 'modern'
  /** Of the server, where the client started it. */
  readonly pid: number | undefined
  /** What was asked, in its order. */
  readonly questions: readonly Question[]
  /** Notifications, in their order, progress apart. */
  readonly heard: readonly Question[]
  /** Reports of progress of all calls, in their order. */
  readonly progress: number[]
  /** Calls a method of the SDK's client. Rejects with what the client throws. */
  act(method: string, ...args: readonly unknown[]): Promise<Readonly<Record<string, unknown>>>
  call(name: string, args?: Readonly<Record<string, unknown>>, meta?: object): Promise<ToolResult>
  /** The texts of what a tool says, one after the other. */
  text(name: string, args?: Readonly<Record<string, unknown>>, meta?: object): Promise<string>
  /** Resolves as soon as it holds; what is heard and asked is looked at each time that something comes. */
  until(what: string, holds: () => boolean): Promise<void>
  close(): Promise<void>
}

interface Told {
  readonly ready?: { readonly revision: string; readonly era: 'legacy' | 'modern'; readonly pid?: number }
  readonly id?: number
  readonly result?: Readonly<Record<string, unknown>>
  readonly error?: Failure
  readonly progress?: { readonly progress: number }
  readonly question?: number
  readonly method?: string
  readonly params?: Readonly<Record<string, unknown>>
  readonly heard?: Question
}

const WAIT_MS = 10_000

export async function converse(
  speaker: Speaker,
  target: Target,
  { capabilities = {}, answer = refuse }: ConversationOptions = {},
): Promise<Conversation> {
  const order = JSON.stringify({ ...speaker, target, capabilities })
  const child = spawn(process.execPath, [`${root}/interop/drivers/talk.mjs`, order], {
    cwd: root,
    stdio: ['pipe', 'pipe', 'pipe'],
  })
  let stderr = ''
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    stderr += text
  })
  const questions: Question[] = []
  const heard: Question[] = []
  const progress: number[] = []
  const calls = new Map<number, { resolve(result: object): void; reject(error: Failure): void }>()
  const looks = new Set<() => void>()
  let lastId = 0
  const say = (line: object) => child.stdin.write(`${JSON.stringify(line)}\n`)

  const told = (line: Told) => {
    if (line.question !== undefined) void reply(line.question, { method: line.method ?? '', params: line.params ?? {} })
    else if (line.heard !== undefined) heard.push(line.heard)
    else if (line.progress !== undefined) progress.push(line.progress.progress)
    else if (line.id !== undefined) {
      const call = calls.get(line.id)
      calls.delete(line.id)
      if (line.error === undefined) call?.resolve(line.result ?? {})
      else call?.reject(line.error)
    }
    for (const look of looks) look()
  }
  const reply = async (number: number, question: Question) => {
    questions.push(question)
    try {
      say({ answer: number, result: await answer(question) })
    } catch (error) {
      say({ answer: number, error: { code: -1, message: error instanceof Error ? error.message : String(error) } })
    }
  }
  const ready = await new Promise<NonNullable<Told['ready']>>((resolve, reject) => {
    child.once('error', reject)
    child.once('exit', (code) => {
      const failure = { code: code ?? -1, message: `The client ended with exit code ${code}\n${stderr}` }
      reject(new Error(failure.message))
      for (const call of calls.values()) call.reject(failure)
    })
    createInterface({ input: child.stdout }).on('line', (line) => {
      // Written by drivers/talk.mjs, which says what a line can be.
      const said = JSON.parse(line) as Told
      if (said.ready === undefined) told(said)
      else resolve(said.ready)
    })
  })

  const start = (method: string, args: readonly unknown[], more: object) =>
    new Promise<Readonly<Record<string, unknown>>>((resolve, reject) => {
      const id = ++lastId
      calls.set(id, { resolve: (result) => resolve(result as Readonly<Record<string, unknown>>), reject })
      say({ id, method, args, ...more })
    })
  const call: Conversation['call'] = async (name, args = {}, meta) => {
    const params = { name, arguments: args, ...(meta === undefined ? {} : { _meta: meta }) }
    // The SDK has read it as the result of a tool.
    return (await start('callTool', [params], { progress: true })) as unknown as ToolResult
  }
  return {
    revision: ready.revision,
    era: ready.era,
    pid: ready.pid,
    questions,
    heard,
    progress,
    act: (method, ...args) => start(method, args, {}),
    call,
    text: async (name, args, meta) => (await call(name, args, meta)).content.map(({ text = '' }) => text).join('\n'),
    until: (what, holds) =>
      new Promise((resolve, reject) => {
        const timer = setTimeout(() => {
          looks.delete(look)
          reject(
            new Error(
              `No ${what} within ${WAIT_MS} ms, only ${JSON.stringify({ questions, heard, progress })}\n${stderr}`,
            ),
          )
        }, WAIT_MS)
        const look = () => {
          if (!holds()) return
          clearTimeout(timer)
          looks.delete(look)
          resolve()
        }
        looks.add(look)
        look()
      }),
    close: () => end(child),
  }
}

function refuse({ method }: Question): never {
  throw new Error(`Nobody is here to answer "${method}"`)
}

async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return
  const timer = setTimeout(() => child.kill('SIGKILL'), WAIT_MS)
  child.stdin?.end()
  await once(child, 'exit')
  clearTimeout(timer)
}

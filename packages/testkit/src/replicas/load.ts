import { Agent } from 'node:http'
import { type Caller, openCaller } from '../endurance/callers.ts'

/** One call and what came of it. Times are those of `performance.now()`. */
export interface Done {
  readonly client: string
  /** What was said, and by no other call. */
  readonly text: string
  readonly kind: 'result' | 'error' | 'broken'
  readonly answer: string
  readonly at: number
}

/** Clients that call one after the other for as long as they may, each at its own pace. */
export interface Load {
  readonly done: readonly Done[]
  /** Resolves when each client has had a result that it asked for after this. */
  allServed(): Promise<void>
  stop(): Promise<void>
}

/** @param url of all there is; half of the clients are of the newest revision, half have sessions */
export async function openLoad(url: string, tools: readonly string[], clients: number): Promise<Load> {
  const agent = new Agent({ keepAlive: true })
  const done: Done[] = []
  const waiting = new Set<() => void>()
  let isStopping = false
  const callers = await Promise.all(
    Array.from({ length: clients }, (_, at) => openCaller(url, at % 2 === 0 ? 'modern' : 'legacy', agent)),
  )
  const call = async (caller: Caller) => {
    for (let n = 0; !isStopping; n++) {
      const text = `${caller.name} says ${n}.`
      const { kind, text: answer } = await caller.call(tools[n % tools.length] ?? '', text)
      done.push({ client: caller.name, text, kind, answer, at: performance.now() })
      for (const look of [...waiting]) look()
      // Who was refused does not come again at once.
      await new Promise((resolve) => setTimeout(resolve, kind === 'result' ? 2 : 20))
    }
  }
  const running = Promise.all(callers.map(call))
  return {
    done,
    async allServed() {
      const since = done.length
      // The call under way was asked before.
      const isServed = ({ name }: Caller) =>
        done.slice(since).filter(({ client, kind }) => client === name && kind === 'result').length > 1
      while (!callers.every(isServed)) await new Promise<void>((resolve) => waiting.add(resolve))
      waiting.clear()
    },
    async stop() {
      isStopping = true
      await running
      await Promise.all(callers.map((caller) => caller.close()))
      agent.destroy()
    },
  }
}

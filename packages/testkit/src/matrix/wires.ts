import type { ChildProcessByStdio } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import type { Readable, Writable } from 'node:stream'
import type { Id } from '@crosspoint/mcp'
import { type Message, openHttp } from '../http.ts'
import { openSsePipe, openStreamablePipe, type Pipe, readAll, type Take } from '../older/pipes.ts'
import { toEnveloped } from '../wire-client.ts'
import type { OpenWire, Wire } from './conversation.ts'
import type { Speaks } from './speaks.ts'

/** Over HTTP, as clients of the revision do. @param url of the newest transport; the oldest one's is beside it */
export function overHttp(speaks: Speaks, url: string): OpenWire {
  if (!speaks.shakesHands) return (take) => Promise.resolve(openEnveloped(url, take))
  if (speaks.traits.http === 'streamable') {
    return async (take) => fromPipe(openStreamablePipe(url, speaks.name, take), true)
  }
  const beside = url.replace(/\/mcp\b/, '/sse')
  return async (take) => fromPipe(await openSsePipe(beside, take), false)
}

function fromPipe(pipe: Pipe, hasStreams: boolean): Wire {
  return {
    ...pipe,
    hasStreams,
    // A stream that breaks shows in what does not come.
    send: (message) => void pipe.write(JSON.stringify(message)).catch(() => {}),
    leave: () => false,
  }
}

function openEnveloped(url: string, take: Take): Wire {
  const open = new Map<Id, AbortController>()
  const read = async ({ id, method, params }: Message) => {
    const leaving = new AbortController()
    open.set(id, leaving)
    const { signal } = leaving
    const stream = await openHttp(url, { ...toEnveloped(method, params, { id, meta: params._meta }), signal })
    if (stream.headers['content-type']?.startsWith('text/event-stream') === true) {
      await readAll(stream, (event) => take(event, id))
    } else take(JSON.parse(await stream.rest()), id)
    open.delete(id)
  }
  const leave = (id: Id) => {
    open.get(id)?.abort()
    return open.delete(id)
  }
  return {
    hasStreams: true,
    // A stream that breaks shows in what does not come.
    send: (message) => void read(message).catch(() => {}),
    leave,
    async close() {
      for (const id of [...open.keys()]) leave(id)
    },
  }
}

/** Over the standard streams of a child, which is left running: several clients may take turns. */
export function overLines(child: ChildProcessByStdio<Writable, Readable, null>): OpenWire {
  return (take) => {
    const lines = createInterface({ input: child.stdout }).on('line', (line) => take(JSON.parse(line), undefined))
    return Promise.resolve({
      hasStreams: false,
      send: (message) => void child.stdin.write(`${JSON.stringify(message)}\n`),
      leave: () => false,
      async close() {
        child.stdin.end()
        if (child.exitCode === null) await once(child, 'exit')
        lines.close()
      },
    })
  }
}

import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { afterEach, describe, expect, it } from 'vitest'
import { createServer, type Server, type Serving, serve } from '../server/index.ts'

/** Programs in processes of their own, from the build: what is awaited keeps them alive, and nothing else does. */

const running: ChildProcess[] = []
const serving: Serving[] = []
afterEach(async () => {
  for (const child of running.splice(0)) child.kill('SIGKILL')
  for (const { close } of serving.splice(0)) await close()
})

const door = (name: string) => JSON.stringify(new URL(`../../dist/${name}/index.js`, import.meta.url).href)

interface Program {
  /** Its next line; undefined when there is none any more. */
  next(): Promise<string | undefined>
  readonly exited: Promise<{ readonly code: number | null; readonly err: string }>
}

function run(program: string): Program {
  const text = `
    import { connect } from ${door('client')}
    import { createServer } from ${door('server')}
    const client = { name: 'c', version: '1' }
    ${program}
  `
  const child = spawn(process.execPath, ['--input-type=module', '-e', text], { stdio: ['ignore', 'pipe', 'pipe'] })
  running.push(child)
  let err = ''
  child.stderr.setEncoding('utf8').on('data', (chunk: string) => {
    err += chunk
  })
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]()
  return {
    next: async () => (await lines.next()).value,
    exited: once(child, 'close').then(([code]) => ({ code, err })),
  }
}

async function open(server: Server, port = 0): Promise<{ readonly url: string; close(): Promise<void> }> {
  const opened = await serve(server, { port })
  serving.push(opened)
  return { url: opened.url ?? 'none', close: opened.close }
}

function withTool(): Server {
  const server = createServer({ name: 's', version: '1' })
  server.tool('a', {}, () => 'x')
  return server
}

const REVISIONS = ['2025-11-25', '2026-07-28']

describe('a program that awaits something of a client', () => {
  it.each(REVISIONS)(
    'outlives its server while it iterates a subscription, and hears of the next one (%s)',
    async (revision) => {
      const first = await open(withTool())
      const program = run(`
        const it = await connect(${JSON.stringify(first.url)}, { client, revision: '${revision}' })
        const changes = it.listen({ toolsListChanged: true })
        await changes.acknowledged
        console.log('listening')
        for await (const { method } of changes) { console.log(method); break }
        await it.close()
      `)
      expect(await program.next()).toBe('listening')
      await first.close()
      await open(withTool(), Number(new URL(first.url).port))
      expect(await program.next()).toBe('notifications/tools/list_changed')
      expect(await program.exited).toEqual({ code: 0, err: '' })
    },
  )

  const TASKS = [
    [`(await (await it.startTask('report')).result()).content[0].text`],
    [
      `await (async () => { const task = await it.startTask('report'); for await (const _ of task.updates); return 'done' })()`,
    ],
    [`(await it.callTool('report', {}, { tasks: 'drive' })).content[0].text`],
  ]
  for (const revision of REVISIONS) {
    it.each(TASKS)(`lives until a task in its own memory is done (${revision}): %s`, async (awaited) => {
      const program = run(`
        const server = createServer({ name: 's', version: '1' })
        let release
        server.tool('report', { task: true }, () => new Promise((resolve) => { release = resolve }))
        const it = await connect(server, { client, revision: '${revision}' })
        // Work that keeps no process alive, done after the client has begun to poll.
        setTimeout(() => release('done'), 50).unref()
        console.log(${awaited})
      `)
      expect(await program.next()).toBe('done')
      expect(await program.exited).toEqual({ code: 0, err: '' }) // nothing was closed
    })
  }
})

describe('a program that awaits nothing of a client', () => {
  it.each(REVISIONS)('ends by itself with an open connection in its memory (%s)', async (revision) => {
    const program = run(`
      const server = createServer({ name: 's', version: '1' })
      server.tool('a', {}, () => 'x')
      const it = await connect(server, { client, revision: '${revision}' })
      console.log((await it.callTool('a')).content[0].text)
    `)
    expect(await program.next()).toBe('x')
    expect(await program.exited).toEqual({ code: 0, err: '' })
  })

  it.each(REVISIONS)(
    'ends by itself once its server is gone, though its session would be opened again (%s)',
    async (revision) => {
      const server = await open(withTool())
      const program = run(`
      const it = await connect(${JSON.stringify(server.url)}, { client, revision: '${revision}' })
      console.log((await it.callTool('a')).content[0].text)
    `)
      expect(await program.next()).toBe('x')
      await server.close()
      expect(await program.exited).toEqual({ code: 0, err: '' })
    },
  )
})

import { Readable } from 'node:stream'
import { type Call, McpError, type Result } from '@crosspoint/mcp'
import { describe, expect, it } from 'vitest'
import type { Io } from '../io.ts'
import { createTerminal } from '../print/terminal.ts'
import { ask, listAll } from './peer.ts'

function createIo(verbose = false) {
  const written = { out: '', err: '' }
  const stream = (key: 'out' | 'err') => ({
    write: (text: string | Uint8Array, done?: () => void) => {
      written[key] += String(text)
      done?.()
      return true
    },
  })
  const io: Io = {
    terminal: createTerminal({ stdout: stream('out'), stderr: stream('err'), env: {}, verbose }),
    stdin: Readable.from([]),
    env: {},
    cwd: '/',
    program: ['node', 'crosspoint.js'],
    version: '1.2.3',
    stopping: { signal: new AbortController().signal, by: undefined, onHangup: () => {}, dispose: () => {} },
  }
  return { io, written }
}

const peerOf = (answer: (call: Call) => Result) => ({
  title: 'the peer',
  handle: async (call: Call) => answer(call),
  close: async () => {},
})

const discovered: Result = { supportedVersions: [], capabilities: { tools: {} } }

describe('a list', () => {
  it('is asked for page by page', async () => {
    const pages: Record<string, Result> = {
      start: { tools: [{ name: 'a' }], nextCursor: 'two' },
      two: { tools: [{ name: 'b' }] },
    }
    const peer = peerOf(({ method, params }) =>
      method === 'tools/list' ? (pages[String(params.cursor ?? 'start')] ?? {}) : discovered,
    )
    expect(await listAll(createIo().io, peer, 'tools/list')).toEqual([{ name: 'a' }, { name: 'b' }])
  })

  it('is empty where the peer has no such thing, which is not asked then', async () => {
    const peer = peerOf(({ method }) => {
      if (method === 'server/discover') return discovered
      throw new McpError('caller.unknown_method', 'No')
    })
    expect(await listAll(createIo().io, peer, 'prompts/list')).toEqual([])
  })

  it('is given up when its pages do not end', async () => {
    let page = 0
    const peer = peerOf(({ method }) =>
      method === 'tools/list' ? { tools: [{}], nextCursor: `${page++}` } : discovered,
    )
    await expect(listAll(createIo().io, peer, 'tools/list')).rejects.toMatchObject({ code: 'upstream.protocol' })
    expect(page).toBe(10_000)
  })

  it('ends where a page points at itself', async () => {
    const peer = peerOf(({ method }) => (method === 'tools/list' ? { tools: [{}], nextCursor: 'same' } : discovered))
    expect(await listAll(createIo().io, peer, 'tools/list')).toHaveLength(2)
  })

  it('is refused when it is none', async () => {
    const peer = peerOf(({ method }) => (method === 'tools/list' ? { tools: 'many' } : discovered))
    await expect(listAll(createIo().io, peer, 'tools/list')).rejects.toMatchObject({ code: 'upstream.protocol' })
  })
})

describe('a question', () => {
  it('that the server answers with one of its own ends with a sentence', async () => {
    const peer = peerOf(() => ({ resultType: 'input_required', inputRequests: {} }))
    await expect(ask(createIo().io, peer, 'tools/call', {})).rejects.toMatchObject({
      kind: 'refused',
      code: 'input_required',
    })
  })

  it('shows progress to everybody and the log to whoever wants it verbose, both made visible', async () => {
    const peer = peerOf(({ interim }) => {
      interim.notify({ method: 'notifications/progress', params: { progress: 1, total: 2, message: 'a\u001b[2Jb' } })
      interim.notify({ method: 'notifications/message', params: { level: 'info', data: 'c\u001b[2Jd' } })
      return {}
    })
    const quiet = createIo()
    await ask(quiet.io, peer, 'tools/call', {})
    expect(quiet.written).toEqual({ out: '', err: '… 1/2 a\\x1b[2Jb\n' })
    const verbose = createIo(true)
    await ask(verbose.io, peer, 'tools/call', {})
    expect(verbose.written.err).toBe('… 1/2 a\\x1b[2Jb\n[info] c\\x1b[2Jd\n')
  })

  it('waits as long as the command line says', async () => {
    const deadlines: (number | undefined)[] = []
    const peer = peerOf(({ deadline }) => {
      deadlines.push(deadline)
      return {}
    })
    const before = performance.now()
    await ask(createIo().io, { ...peer, timeoutMs: 5_000 }, 'tools/call', {})
    await ask(createIo().io, peer, 'tools/call', {})
    expect(deadlines).toEqual([expect.any(Number), undefined])
    expect(deadlines[0]).toBeGreaterThanOrEqual(before + 5_000)
  })
})

import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { withEnvelope } from '@crosspoint/testkit'
import { afterEach, describe, expect, it } from 'vitest'

/** serveStdio in a process of its own, from the build. */

const running: ChildProcess[] = []
afterEach(() => {
  for (const child of running.splice(0)) child.kill('SIGKILL')
})

function start(handle: string): ChildProcess {
  const door = new URL('../../../dist/transports/index.js', import.meta.url).href
  const program = `
    import { serveStdio } from ${JSON.stringify(door)}
    serveStdio({ handle: ${handle}, serverInfo: { name: 's', version: '1' } })
  `
  const child = spawn(process.execPath, ['--input-type=module', '-e', program], { stdio: 'pipe' })
  running.push(child)
  return child
}

async function read(child: ChildProcess): Promise<{ out: string; err: string; code: number | null }> {
  let out = ''
  let err = ''
  child.stdout?.setEncoding('utf8').on('data', (chunk: string) => {
    out += chunk
  })
  child.stderr?.setEncoding('utf8').on('data', (chunk: string) => {
    err += chunk
  })
  const [code] = await once(child, 'close')
  return { out, err, code }
}

const call = (id: number, name = 'a') =>
  `${JSON.stringify({ jsonrpc: '2.0', id, method: 'tools/call', params: withEnvelope({ name }) })}\n`

describe('serveStdio in a process', () => {
  it('abuse-37: exits by itself when stdin ends, its answers written', async () => {
    const child = start('async () => ({ content: [] })')
    const done = read(child)
    child.stdin?.end(call(1) + call(2))
    const { out, code } = await done
    expect(
      out
        .trim()
        .split('\n')
        .map((line) => JSON.parse(line).id),
    ).toEqual([1, 2])
    expect(code).toBe(0)
  })

  it('trap-36: keeps stdout for messages: whatever a handler prints goes to stderr', async () => {
    const child = start(`async () => {
      console.log('printed by a handler')
      process.stdout.write('and written')
      return { content: [] }
    }`)
    const done = read(child)
    child.stdin?.end(call(1))
    const { out, err } = await done
    expect(JSON.parse(out).id).toBe(1)
    expect(err).toContain('printed by a handler')
    expect(err).toContain('and written')
  })

  it('loses nothing of an answer larger than a pipe holds', async () => {
    const child = start(`async () => ({ content: [], text: 'x'.repeat(8 * 1024 * 1024) })`)
    const done = read(child)
    child.stdin?.end(call(1) + call(2))
    const { out } = await done
    expect(
      out
        .trim()
        .split('\n')
        .map((line) => JSON.parse(line).result.text.length),
    ).toEqual([8388608, 8388608])
  })

  it('exits when its client is gone in the middle of a call', async () => {
    const child = start('(call) => new Promise((resolve) => call.cancellation.watch({ cancelled: () => resolve({}) }))')
    const done = read(child)
    child.stdin?.write(call(1))
    child.stdout?.destroy()
    child.stdin?.end(call(2))
    expect((await done).code).toBe(0)
  })
})

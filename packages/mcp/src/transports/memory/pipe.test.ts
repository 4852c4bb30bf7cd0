import { describe, expect, it } from 'vitest'
import type { Channel } from '../channel.ts'
import { createMemoryPipe } from './pipe.ts'

function record(channel: Channel) {
  const heard: string[] = []
  const faults: string[] = []
  let end: (error: Error | undefined) => void = () => {}
  const closed = new Promise<Error | undefined>((resolve) => {
    end = resolve
  })
  channel.start({
    message: (text) => heard.push(text),
    fault: (reason) => faults.push(reason),
    closed: (error) => end(error),
  })
  return { heard, faults, closed }
}

const turn = () => new Promise((resolve) => setImmediate(resolve))

describe('a pipe in memory', () => {
  it('carries messages both ways, in order, and never before send has returned', async () => {
    const { client, server } = createMemoryPipe()
    const atServer = record(server)
    const atClient = record(client)
    for (let at = 0; at < 100; at++) client.send(`to server ${at} ü🙂`)
    server.send('to client')
    expect(atServer.heard).toEqual([])
    await turn()
    expect(atServer.heard).toEqual(Array.from({ length: 100 }, (_, at) => `to server ${at} ü🙂`))
    expect(atClient.heard).toEqual(['to client'])
  })

  it('keeps what is sent before the other side starts', async () => {
    const { client, server } = createMemoryPipe()
    client.send('early')
    await turn()
    const { heard } = record(server)
    await turn()
    expect(heard).toEqual(['early'])
  })

  it('frames as stdio does: a line break ends a message, and a line has a longest length', async () => {
    const { client, server } = createMemoryPipe({ maxLineBytes: 10 })
    const { heard, faults } = record(server)
    client.send('one\ntwo')
    client.send('x'.repeat(11))
    client.send('three')
    await turn()
    expect(heard).toEqual(['one', 'two', 'three'])
    expect(faults).toEqual(['Cannot read a line longer than 10 bytes'])
  })

  it('tells a writer to hold back while too much waits, and when that is over', async () => {
    const { client, server } = createMemoryPipe({ highWaterBytes: 20 })
    expect(client.send('x'.repeat(10))).toBe(true)
    expect(client.send('x'.repeat(10))).toBe(false)
    let isDrained = false
    const drained = client.drained().then(() => {
      isDrained = true
    })
    await turn()
    expect(isDrained).toBe(false)
    record(server)
    await drained
    expect(client.send('more')).toBe(true)
    await client.drained()
  })

  it('brings no more while its reader pauses, makes the writer hold back, and loses nothing', async () => {
    const { client, server } = createMemoryPipe({ highWaterBytes: 20 })
    const heard: string[] = []
    server.start({
      message: (text) => {
        heard.push(text)
        if (heard.length === 2) server.pause?.()
      },
      fault: () => {},
      closed: () => heard.push('closed'),
    })
    for (const text of ['a', 'b', 'c', 'd']) client.send(text)
    await turn()
    expect(heard).toEqual(['a', 'b'])
    expect(client.send('x'.repeat(20))).toBe(false)
    await client.close()
    await turn()
    expect(heard).toEqual(['a', 'b'])
    server.resume?.()
    await turn()
    expect(heard).toEqual(['a', 'b', 'c', 'd', 'x'.repeat(20), 'closed'])
  })

  for (const who of ['client', 'server'] as const) {
    it(`ends on both sides when the ${who} closes it, after what was sent before`, async () => {
      const pipe = createMemoryPipe()
      const other = who === 'client' ? pipe.server : pipe.client
      const here = record(pipe[who])
      const there = record(other)
      pipe[who].send('last words')
      await pipe[who].close()
      await pipe[who].close()
      expect(await Promise.all([here.closed, there.closed])).toEqual([undefined, undefined])
      expect(there.heard).toEqual(['last words'])
      other.send('too late')
      pipe[who].send('too late')
      await other.drained()
      await turn()
      expect(here.heard).toEqual([])
      expect(there.heard).toEqual(['last words'])
    })
  }
})

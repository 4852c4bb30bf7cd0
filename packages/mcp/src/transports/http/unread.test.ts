import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { createDoors, sendHttp, toEnveloped, toRawHttp } from '@crosspoint/testkit'
import { afterEach, describe, expect, it, onTestFinished } from 'vitest'
import type { Result } from '../../protocol/call.ts'
import type { EndpointEvent } from '../endpoint.ts'

/** Large answers whose callers do not read them, over real sockets: more than the sockets themselves hold. */

const doors = createDoors()
afterEach(() => doors.closeAll())

const SIZE = 24 * 1024 * 1024
const LARGE: Result = { content: [{ type: 'text', text: 'x'.repeat(SIZE) }] }
const SMALL: Result = { content: [{ type: 'text', text: 'few' }] }
const call = (size: string) => toEnveloped('tools/call', { name: 'echo', arguments: { size } }, { id: 7 })

/** Reads about so many bytes, and then nothing. */
function take(socket: Socket, bytes: number): Promise<void> {
  return new Promise((resolve) => {
    let taken = 0
    const count = ({ length }: Buffer) => {
      taken += length
      if (taken < bytes) return
      socket.off('data', count).pause()
      resolve()
    }
    socket.on('data', count).resume()
  })
}

async function open() {
  const events: EndpointEvent[] = []
  const served = async ({ params }: { readonly params: { readonly arguments?: unknown } }) =>
    (params.arguments as { size: string }).size === 'large' ? LARGE : SMALL
  const { door, url } = await doors.open(
    served,
    {},
    { maxHeldBytes: 1.5 * SIZE, log: (event) => void events.push(event) },
  )
  /** Asks, and reads nothing before it is told to. */
  const ask = async (): Promise<Socket> => {
    const socket = connect(door.port, '127.0.0.1')
    onTestFinished(() => void socket.destroy())
    socket.on('error', () => {})
    await once(socket, 'connect')
    socket.write(toRawHttp('/mcp', call('large')))
    await take(socket, 1)
    return socket
  }
  return { url, ask, events }
}

describe('abuse-15: answers that nobody reads', () => {
  it('are bounded, all connections together: of too many the oldest is cut off, and others are served', async () => {
    const { url, ask, events } = await open()
    const silent = await ask()
    const reading = await ask()
    const cut = once(silent, 'close')
    silent.resume()
    await cut
    expect(silent.bytesRead).toBeLessThan(SIZE)
    await take(reading, SIZE / 2)
    expect(events.filter(({ event }) => event === 'answer.cut')).toMatchObject([{ maxBytes: 1.5 * SIZE }])
    expect((await sendHttp(url, call('large'))).text.length).toBeGreaterThan(SIZE)
  })

  it('count no more once they were read, or their callers have gone', async () => {
    const { url, ask, events } = await open()
    for (let count = 0; count < 3; count++) await sendHttp(url, call('large'))
    for (let count = 0; count < 3; count++) {
      const gone = await ask()
      gone.destroy()
      await once(gone, 'close')
      while ((await sendHttp(url, call('small'))).status !== 200) await new Promise(setImmediate)
    }
    expect(events.filter(({ event }) => event === 'answer.cut')).toEqual([])
  })
})

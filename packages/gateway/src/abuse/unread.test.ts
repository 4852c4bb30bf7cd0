import { createDeferred, openHttp, openWireSession, toEnveloped } from '@crosspoint/testkit'
import { expect, test } from 'vitest'
import { MODERN, openHostile, openHouse } from '../../fixtures/open-house.ts'
import { SILENT } from '../log.ts'

/** Clients that ask and never read. */

const GO = { name: 's__go', arguments: {} }
const BIG = 'x'.repeat(1_048_576)

test.each(['2025-11-25', MODERN])(
  'abuse-15: a client of %s that never reads is cut at the bound, and others are served',
  async (revision) => {
    let said = 0
    const gone = createDeferred<void>()
    const upstream = await openHostile(MODERN, async (taken) => {
      if (taken.message.params.arguments.fine === true) {
        taken.result({ content: [{ type: 'text', text: 'fine' }] })
        return
      }
      let isOpen = true
      void taken.closed.then(() => {
        isOpen = false
        gone.resolve()
      })
      for (; isOpen && said < 500; said++) {
        taken.say({ method: 'notifications/message', params: { level: 'error', data: BIG } })
        await new Promise((resolve) => setTimeout(resolve, 12))
      }
      taken.result({ content: [] })
    })
    const isCut = createDeferred<void>()
    const log = { ...SILENT, warn: (_: object, event: string) => void (event === 'stream.cut' && isCut.resolve()) }
    const { url } = await openHouse({ s: { url: upstream.url } }, { limits: { maxStreamBytes: 262_144 } }, { log })
    const session = await openWireSession(url)
    await session.request('logging/setLevel', { level: 'debug' })
    const stream =
      revision === MODERN
        ? await openHttp(url, toEnveloped('tools/call', GO, { meta: { 'io.modelcontextprotocol/logLevel': 'debug' } }))
        : await session.open('tools/call', GO)
    stream.pause()
    const fine = { ...GO, arguments: { fine: true } }
    expect((await session.request('tools/call', fine, { id: 2 })).text).toContain('fine')
    await isCut.promise
    // Some dozens of megabytes fit in the buffers of two sockets. Who may come back for the rest of a call did not cancel it.
    expect(said).toBeLessThan(200)
    if (revision === MODERN) await gone.promise
    stream.destroy()
  },
)

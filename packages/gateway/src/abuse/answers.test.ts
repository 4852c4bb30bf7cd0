import { type Message, sendEnveloped } from '@crosspoint/testkit'
import { expect, test } from 'vitest'
import type { Taken } from '../../fixtures/hostile-server.ts'
import { byName, MODERN, openHostile, openHouse } from '../../fixtures/open-house.ts'

/** A server that mixes up whom it answers: all callers share one connection with it. */

test.each([10, 100_000])(
  'abuse-43: an answer of %i characters to one caller on the stream of another goes to neither',
  async (size) => {
    const held: Taken[] = []
    const upstream = await openHostile(MODERN, (taken) => {
      if (held.push(taken) === 1) return
      const [first] = held
      const content = [{ type: 'text', text: 'x'.repeat(size) }]
      const answer = { jsonrpc: '2.0', id: first?.message.id, result: { resultType: 'complete', content } }
      taken.response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(answer))
    })
    const { url } = await openHouse({ s: { url: upstream.url } }, {}, { authenticate: byName })
    const ask = async (who: string): Promise<Message> => {
      const call = { name: 's__go', arguments: {} }
      return (await sendEnveloped(url, 'tools/call', call, { headers: { 'x-who': who } })).messages.at(-1)
    }
    const anna = ask('anna')
    await upstream.until(() => held.length === 1)
    expect(JSON.stringify(await ask('bert'))).toContain('not to its request')
    held[0]?.result({ content: [{ type: 'text', text: 'hers' }] })
    expect((await anna).result.content).toEqual([{ type: 'text', text: 'hers' }])
  },
)

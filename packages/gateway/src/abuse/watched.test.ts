import { createServer } from '@crosspoint/mcp/server'
import { openHttpDoor } from '@crosspoint/mcp/transports'
import { openHttp, toEnveloped } from '@crosspoint/testkit'
import { expect, onTestFinished, test } from 'vitest'
import { byName, openHouse } from '../../fixtures/open-house.ts'

test('abuse-14: who watches all it may is refused more, and nobody else is', async () => {
  const server = createServer({ name: 'many', version: '1' })
  for (let at = 0; at < 1_000; at++) server.resource(`it://${at}`, { name: `it${at}` }, () => 'x')
  const behind = await openHttpDoor({ endpoint: () => server.endpoint })
  onTestFinished(() => behind.close({ drainMs: 0 }))
  const { url } = await openHouse({ s: { url: `${behind.url}/mcp` } }, {}, { authenticate: byName })
  const resourceSubscriptions = Array.from({ length: 1_000 }, (_, at) => `it://${at}`)
  const listen = async (who: string) => {
    const request = toEnveloped(
      'subscriptions/listen',
      { notifications: { resourceSubscriptions } },
      { headers: { 'x-who': who } },
    )
    const stream = await openHttp(url, request)
    onTestFinished(() => stream.destroy())
    return stream
  }
  for (let count = 0; count < 50; count++)
    expect((await (await listen('greedy')).next()).method).toContain('acknowledged')
  expect(await (await listen('greedy')).rest()).toMatch(/"error":.*this caller may watch 50000/)
  expect((await (await listen('bert')).next()).params.notifications.resourceSubscriptions).toHaveLength(1_000)
})

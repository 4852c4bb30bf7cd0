import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { parseConfig } from '@crosspoint/gateway/config'
import { expect, onTestFinished, test } from 'vitest'
import { openHouse, openUpstreams } from '../matrix/house.ts'
import { SPOKEN } from '../matrix/speaks.ts'
import { sendEnveloped } from '../wire-client.ts'

const NEWEST = SPOKEN.slice(-1)
const ABLE = { 'io.modelcontextprotocol/clientCapabilities': { sampling: {} } }
const settings = (secret: string, more = {}) => ({
  cluster: { secret: `${secret} that gateways have in common`, ...more },
})

test('with a secret what callers carry is good after a restart, and while the secret is changed', async () => {
  const upstreams = await openUpstreams(NEWEST)
  onTestFinished(() => upstreams.close())
  const name = `${NEWEST[0]?.name}__sample`
  const ask = async (cluster: object, params: object) => {
    const house = await openHouse(upstreams.urls, { settings: cluster })
    const { messages } = await sendEnveloped(
      house.url,
      'tools/call',
      { name, arguments: {}, ...params },
      { meta: ABLE },
    )
    await house.close()
    return messages[0]
  }
  const asked = (await ask(settings('a secret'), {}))?.result
  const content = { type: 'text', text: 'said later' }
  const inputResponses = Object.fromEntries(
    Object.keys(asked.inputRequests).map((key) => [key, { role: 'assistant', model: 'm', content }]),
  )
  const again = { requestState: asked.requestState, inputResponses }
  const previousSecret = settings('a secret').cluster.secret
  expect((await ask(settings('a secret'), again))?.result.content[0].text).toBe('said later')
  expect((await ask(settings('another', { previousSecret }), again))?.result.content[0].text).toBe('said later')
  expect((await ask(settings('another'), again))?.error.code).toBe(-32602)
})

test('the configuration in the guide is one, without warnings', () => {
  const guide = readFileSync(fileURLToPath(new URL('../../../../docs/guides/replicas.md', import.meta.url)), 'utf8')
  const [, text = ''] = /^```yaml\n(# crosspoint[.]yaml\n.*?)^```$/ms.exec(guide) ?? []
  const { config, warnings } = parseConfig(text, { path: 'crosspoint.yaml', env: {} })
  expect(warnings).toEqual([])
  expect(config.cluster).toMatchObject({ listen: { host: '0.0.0.0', port: 8362 }, secret: expect.any(String) })
})

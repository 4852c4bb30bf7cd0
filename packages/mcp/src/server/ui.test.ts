import { afterEach, describe, expect, it } from 'vitest'
import { UI } from '../protocol/extensions.ts'
import { REVISIONS } from '../revisions/index.ts'
import { type TestClient, testClient } from '../testing/index.ts'
import { createServer } from './index.ts'

const open: TestClient[] = []
afterEach(async () => {
  for (const client of open.splice(0)) await client.close()
})

describe.each(REVISIONS.map(({ name }) => name))('MCP Apps in %s', (revision) => {
  it('pass through whole: what tools, resources and contents say, and what both sides announce', async () => {
    const server = createServer({ name: 's', version: '1', extensions: { [UI]: { themes: ['dark'] } } })
    const page = { csp: { connectDomains: ['https://api.example'] }, prefersBorder: true }
    const type = 'text/html;profile=mcp-app'
    let announced: unknown
    server.tool(
      'chart',
      { ui: { resourceUri: 'ui://chart', visibility: ['model', 'app'], more: 1 }, _meta: { mine: 1 } },
      (_args, { call }) => {
        announced = call.downstream.capabilities.extensions
        return { content: [{ type: 'text', text: 'drawn' }], _meta: { ui: { state: 1 } } }
      },
    )
    server.resource('ui://chart', { name: 'Chart', mimeType: type, _meta: { ui: page } }, (uri) => ({
      uri,
      mimeType: type,
      text: '<html>',
      _meta: { ui: page },
    }))
    const capabilities = { extensions: { [UI]: { mimeTypes: [type] } } }
    const client = await testClient(server, { revision, capabilities })
    open.push(client)
    const [tool] = await client.listTools().all()
    expect(tool?._meta).toEqual({
      mine: 1,
      ui: { resourceUri: 'ui://chart', visibility: ['model', 'app'], more: 1 },
    })
    expect(await client.listResources().all()).toEqual([
      { uri: 'ui://chart', name: 'Chart', mimeType: type, _meta: { ui: page } },
    ])
    expect((await client.readResource('ui://chart')).contents[0]).toMatchObject({ mimeType: type, _meta: { ui: page } })
    expect((await client.callTool('chart'))._meta).toMatchObject({ ui: { state: 1 } })
    expect(announced).toEqual({ [UI]: { mimeTypes: [type] } })
    expect((await client.discover()).capabilities.extensions).toMatchObject({ [UI]: { themes: ['dark'] } })
  })
})

it('a page is at a ui: URI', () => {
  const server = createServer({ name: 's', version: '1' })
  for (const resourceUri of ['https://x.example', 'ui:chart', 'chart', 'ui://']) {
    expect(() => server.tool('chart', { ui: { resourceUri } }, () => '')).toThrow('starts with "ui://"')
  }
})

it('trap-51: what a tool says of itself goes out as its author wrote it, and decides nothing here', async () => {
  const server = createServer({ name: 's', version: '1' })
  const annotations = { readOnlyHint: true, destructiveHint: false, made: 'up' }
  const icons = [{ src: 'data:image/png;base64,AA==', mimeType: 'image/png' }]
  let calls = 0
  server.tool('t', { annotations, icons }, () => String(++calls))
  const client = await testClient(server)
  open.push(client)
  expect(await client.listTools().all()).toMatchObject([{ annotations, icons }])
  await client.callTool('t')
  await client.callTool('t')
  expect(calls).toBe(2)
})

import { createOAuth } from '@crosspoint/auth/node'
import { connect } from '@crosspoint/mcp/client'
import { expect, it, onTestFinished } from 'vitest'
import { startAuthorizationServer } from '../oauth/authorization-server.ts'
import { createFollowingRedirect } from '../oauth/following-redirect.ts'
import { freePort } from '../port.ts'
import { layOut, readGuide, startLine } from './guide.ts'

it('the guide to signing in has a server that takes tokens, and wants another scope for one of its tools', async () => {
  const { files } = readGuide('docs/guides/authorization.md')
  const { folder, remove } = layOut(files)
  onTestFinished(remove)
  const issuedBy = await startAuthorizationServer({ jwt: {} })
  onTestFinished(() => issuedBy.stop())
  const port = await freePort()
  const resource = `http://127.0.0.1:${port}/mcp`
  const line = `RESOURCE=${resource} ISSUER=${issuedBy.issuer} PORT=${port} node protected.mjs`
  const running = await startLine(line, folder, /http:\S+/)
  onTestFinished(() => running.stop())

  const client = { name: 'guide', version: '1.0.0' }
  await expect(connect(running.said, { client })).rejects.toMatchObject({ code: 'upstream.unauthorized' })
  const authorization = createOAuth({ redirect: createFollowingRedirect() })
  const signedIn = await connect(running.said, { client, authorization })
  onTestFinished(() => signedIn.close())
  expect((await signedIn.callTool('whoami')).content).toMatchObject([{ text: expect.stringMatching(/./) }])
  expect((await signedIn.callTool('publish')).content).toMatchObject([{ text: 'Published' }])
  expect(issuedBy.grants()).toEqual(['authorization_code', 'authorization_code'])
})

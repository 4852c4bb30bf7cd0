import { mkdtempSync, realpathSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createBrowser, sendEnveloped } from '@crosspoint/testkit'
import { expect, onTestFinished, test } from 'vitest'
import { createMemoryCredentials } from '../../../fixtures/memory-credentials.ts'
import { createMemoryKeys } from '../../../fixtures/memory-keys.ts'
import { openSigned } from '../../../fixtures/open-signed.ts'
import { Asker, PASSWORD } from '../../../fixtures/open-signing-in.ts'
import { createAccount } from '../../authserver/accounts.ts'
import { openEmbedded } from '../../stores/embedded/store.ts'

test('abuse-46: a link to sign in opens to nobody who is signed in to this gateway as somebody else', async () => {
  const folder = realpathSync(mkdtempSync(join(tmpdir(), 'crosspoint-auth-')))
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }))
  const { accounts, grants, close } = await openStore(folder)
  onTestFinished(close)
  const credentials = createMemoryCredentials()
  const { url } = await openSigned({
    credentials,
    more: { auth: { server: {} } },
    gateway: { store: { keys: createMemoryKeys(), credentials, accounts, grants }, env: { HOME: folder } },
  })
  const call = { name: 'tracker__whoami', arguments: {} }
  const { messages } = await sendEnveloped(url, 'tools/call', call, { headers: { 'x-who': 'ann' } })
  const link = /http:\S+\/connect\/tracker\?l=[\w-]+/.exec(messages.at(-1).result.content[0].text)?.[0] ?? ''
  const ask = new Asker(new URL(url).origin, url)
  const signedIn = async (name: string) => {
    const browser = createBrowser()
    const { client_id: client } = await ask.register()
    await ask.signIn(browser, ask.url(client, { scope: undefined }), name)
    return browser
  }
  const [bob, ann, unknown] = [await signedIn('bob'), await signedIn('ann'), createBrowser()]
  expect(await bob.open(link)).toMatchObject({ status: 403, text: expect.stringContaining('for somebody else') })
  expect(await ann.open(link)).toMatchObject({ status: 200 })
  // The link is all the proof there is.
  expect(await unknown.open(link)).toMatchObject({ status: 200 })
})

async function openStore(folder: string) {
  const store = await openEmbedded({ path: join(folder, 'store.db') })
  for (const name of ['ann', 'bob']) {
    await createAccount(store.accounts, { name, tenant: 'default', roles: [], password: PASSWORD }, Date.now())
  }
  return { accounts: store.accounts, grants: store.grants, close: () => store.close() }
}

import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, realpathSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { createAccount, createGateway, openFrontDoor, openStore, revokeAgreed, SILENT } from '@crosspoint/gateway'
import { parseConfig } from '@crosspoint/gateway/config'
import { createServer } from '@crosspoint/mcp/server'
import { openHttpDoor } from '@crosspoint/mcp/transports'
import { type Browser, createBrowser, freePort } from '@crosspoint/testkit'
import { describe, expect, onTestFinished, test } from 'vitest'
import { startServer } from './gateway.ts'
import { installed, requireInCi, root } from './installed.ts'

const CALLBACK = 'http://127.0.0.1:7777/callback'
const DOCUMENT = 'https://sdk.example/client.json'
const PASSWORD = 'a password of ann'

requireInCi()

/** The official client signs somebody in from nothing but an address, and goes on. */
describe.skipIf(!installed)('the official client and the authorization server of the gateway', () => {
  test.each([
    ['that registers itself', undefined],
    ['known by its document', DOCUMENT],
  ])(
    'a client %s: signs in, calls, renews, asks for more, and loses what is taken back',
    { timeout: 60_000 },
    async (_, clientMetadataUrl) => {
      const { url, grants, narrow } = await openGateway()
      const driver = startDriver({ url, callback: CALLBACK, clientMetadataUrl })
      const browser = createBrowser()

      const first = await driver.order({ order: 'call', name: 'up__read' })
      await driver.order({ order: 'back', to: await signIn(browser, first.asked) })
      expect(await driver.order({ order: 'call', name: 'up__read' })).toMatchObject({
        result: { content: [{ text: 'read' }] },
      })
      const before = await driver.about()
      expect(before.client).toMatchObject({ client_id: clientMetadataUrl ?? expect.any(String) })

      // Renewed without anybody: the old one is not good any more.
      await driver.order({ order: 'spoil' })
      expect(await driver.order({ order: 'call', name: 'up__read' })).toMatchObject({
        result: { content: [{ text: 'read' }] },
      })
      expect((await driver.about()).access).not.toBe(before.access)

      // More is needed (403) from now on, and asked for on top of what there is.
      await narrow()
      const more = await driver.order({ order: 'call', name: 'up__write' })
      expect(new URL(more.asked ?? '').searchParams.get('scope')?.split(' ')).toEqual(
        expect.arrayContaining(['read', 'write']),
      )
      await driver.order({ order: 'back', to: await signIn(browser, more.asked) })
      expect(await driver.order({ order: 'call', name: 'up__write' })).toMatchObject({
        result: { content: [{ text: 'write' }] },
      })
      expect(await driver.order({ order: 'call', name: 'up__read' })).toMatchObject({
        result: { content: [{ text: 'read' }] },
      })

      // Taken back, it ends within two seconds, and somebody has to sign in again.
      await revokeAgreed(grants, { account: 'ann' })
      const began = performance.now()
      for (;;) {
        const answer = await driver.order({ order: 'call', name: 'up__read' })
        if (answer.asked !== undefined) break
        expect(performance.now() - began).toBeLessThan(2_000)
      }
    },
  )

  test('an authorization server that is not ours gives tokens just as well', { timeout: 60_000 }, async () => {
    const port = await freePort()
    const resource = `http://127.0.0.1:${port}/mcp`
    const server = await startServer([`${root}/interop/peers/authorization-server.mjs`, resource])
    onTestFinished(async () => void (await server.stop()))
    const issuer = new URL(server.said).origin
    const { url, narrow } = await openGateway({ issuers: [{ issuer }] }, port)
    expect(url).toBe(resource)
    const driver = startDriver({ url, callback: CALLBACK })
    const browser = createBrowser()
    const cameBack = async (asked: string | undefined) => (await browser.open(asked ?? '', CALLBACK)).url

    const first = await driver.order({ order: 'call', name: 'up__read' })
    expect(new URL(first.asked ?? '').origin).toBe(issuer)
    await driver.order({ order: 'back', to: await cameBack(first.asked) })
    expect(await driver.order({ order: 'call', name: 'up__read' })).toMatchObject(said('read'))
    const before = await driver.about()
    await driver.order({ order: 'spoil' })
    expect(await driver.order({ order: 'call', name: 'up__read' })).toMatchObject(said('read'))
    expect((await driver.about()).access).not.toBe(before.access)
    await narrow()
    const more = await driver.order({ order: 'call', name: 'up__write' })
    await driver.order({ order: 'back', to: await cameBack(more.asked) })
    expect(await driver.order({ order: 'call', name: 'up__write' })).toMatchObject(said('write'))
  })
})

const said = (text: string) => ({ result: { content: [{ text }] } })

async function signIn(browser: Browser, url: string | undefined): Promise<string> {
  let page = await browser.open(url ?? '', CALLBACK)
  if (page.text.includes('type="password"'))
    page = await browser.submit(page, { name: 'ann', password: PASSWORD }, { until: CALLBACK })
  return (await browser.submit(page, { answer: 'allow' }, { until: CALLBACK })).url
}

async function openGateway(auth: object = {}, port = 0) {
  const folder = realpathSync(mkdtempSync(join(tmpdir(), 'crosspoint-interop-')))
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }))
  const upstream = createServer({ name: 'up', version: '1.0.0' })
  for (const name of ['read', 'write']) upstream.tool(name, {}, () => name)
  const inner = await openHttpDoor({ endpoint: (path) => (path === '/mcp' ? upstream.endpoint : undefined) })
  onTestFinished(() => inner.close({ drainMs: 0 }))
  const toConfig = (scopes: object) =>
    parseConfig(
      JSON.stringify({
        servers: { up: { url: `${inner.url}/mcp` } },
        auth: 'issuers' in auth ? auth : { server: { keyFile: join(folder, 'auth-server.key') } },
        store: { path: join(folder, 'store.db') },
        scopes,
      }),
    ).config
  const config = toConfig({ read: { tools: ['up__*'] } })
  const store = await openStore(config.store, SILENT)
  onTestFinished(() => store.close())
  await createAccount(store.accounts, { name: 'ann', tenant: 'default', roles: [], password: PASSWORD }, Date.now())
  const document = {
    client_id: DOCUMENT,
    client_name: 'SDK',
    redirect_uris: [CALLBACK],
    token_endpoint_auth_method: 'none',
  }
  const grants = ['authorization_code', 'refresh_token']
  const gateway = createGateway({
    config,
    info: { name: 'crosspoint', version: '0.0.0' },
    store,
    fetch: async () => new Response(JSON.stringify({ ...document, grant_types: grants })),
  })
  onTestFinished(() => gateway.close({ graceMs: 0 }))
  await gateway.start()
  const door = await openFrontDoor(gateway, { port })
  onTestFinished(() => door.close({ drainMs: 0 }))
  const narrow = () => gateway.apply(toConfig({ read: { tools: ['up__read'] }, write: { tools: ['up__write'] } }))
  return { url: door.url, grants: store.grants, narrow }
}

interface Answer {
  readonly result?: Readonly<Record<string, unknown>>
  /** Where somebody has to sign in. */
  readonly asked?: string
  readonly error?: string
}

/** The SDK in a process of its own, that does one thing at a time. */
function startDriver(about: object) {
  const child: ChildProcess = spawn(
    process.execPath,
    [`${root}/interop/drivers/signing-in.mjs`, JSON.stringify(about)],
    {
      stdio: ['pipe', 'pipe', 'inherit'],
    },
  )
  const ended = once(child, 'exit')
  onTestFinished(async () => {
    child.kill('SIGKILL')
    await ended
  })
  if (child.stdout === null) throw new Error('No output')
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]()
  const order = async (what: object): Promise<Answer> => {
    child.stdin?.write(`${JSON.stringify(what)}\n`)
    const { value } = await lines.next()
    const answer = JSON.parse(String(value)) as Answer
    if (answer.error !== undefined) throw new Error(answer.error)
    return answer
  }
  return {
    order,
    about: async () =>
      ((await order({ order: 'about' })).result ?? {}) as { readonly client?: object; readonly access?: string },
  }
}

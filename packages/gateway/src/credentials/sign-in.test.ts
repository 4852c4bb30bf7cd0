import { openWireSession, sendEnveloped } from '@crosspoint/testkit'
import { describe, expect, test } from 'vitest'
import { askAs, MODERN } from '../../fixtures/open-house.ts'
import { Browser, openSigned, SERVICE } from '../../fixtures/open-signed.ts'

const CALL = { name: 'tracker__whoami', arguments: {} }
const PAGES = { elicitation: { url: {} } }
const HANDSHAKES = ['2024-11-05', '2025-03-26', '2025-06-18', '2025-11-25']

const linkIn = (value: unknown) => /http:[^"\s]+\/connect\/tracker\?l=[\w-]+/.exec(JSON.stringify(value))?.[0] ?? ''
const call = (url: string, who: string, params: object = CALL, capabilities: object = {}) =>
  sendEnveloped(url, 'tools/call', params as never, {
    headers: { 'x-who': who },
    meta: { 'io.modelcontextprotocol/clientCapabilities': capabilities },
  }).then(({ messages }) => messages.at(-1))

describe('a caller who has not signed in', () => {
  test('is asked by a result in the newest revision, and its call goes on when it comes back', async () => {
    const { url, issuedBy } = await openSigned()
    const asked = await call(url, 'ann', CALL, PAGES)
    expect(asked.result).toMatchObject({
      resultType: 'input_required',
      inputRequests: { 'crosspoint/sign-in': { method: 'elicitation/create', params: { mode: 'url' } } },
    })
    const page = await new Browser().signIn(linkIn(asked))
    expect([page.status, page.text]).toEqual([200, expect.stringContaining('Signed in to tracker')])
    const answered = { ...CALL, inputResponses: { 'crosspoint/sign-in': { action: 'accept' } } }
    const { result } = await call(url, 'ann', answered, PAGES)
    expect(issuedBy.inspect(result.content[0].text)).toBeDefined()
    expect((await call(url, 'ann')).result.content[0].text).toBe(result.content[0].text)
  })

  test('who answers before the page is done is waited for', async () => {
    const { url } = await openSigned()
    const link = linkIn(await call(url, 'ann', CALL, PAGES))
    const answer = call(url, 'ann', { ...CALL, inputResponses: { 'crosspoint/sign-in': { action: 'accept' } } }, PAGES)
    await new Browser().signIn(link)
    expect((await answer).result.content[0].text).toMatch(/^access-/)
  })

  test('who declines is told that it cannot be used', async () => {
    const { url } = await openSigned()
    await call(url, 'ann', CALL, PAGES)
    const declined = { ...CALL, inputResponses: { 'crosspoint/sign-in': { action: 'decline' } } }
    expect((await call(url, 'ann', declined, PAGES)).result).toMatchObject({
      isError: true,
      content: [{ text: expect.stringContaining('did not want to sign in') }],
    })
  })

  test('is sent to the page by an error in 2025-11-25, and hears when it is done', async () => {
    const { url } = await openSigned()
    const session = await openWireSession(url, {
      revision: '2025-11-25',
      capabilities: PAGES,
      headers: { 'x-who': 'ann' },
    })
    const stream = await session.listen()
    const refused = (await session.request('tools/call', CALL)).messages.at(-1)
    expect(refused.error).toMatchObject({
      code: -32042,
      data: { elicitations: [{ mode: 'url', elicitationId: expect.any(String), url: expect.any(String) }] },
    })
    await new Browser().signIn(linkIn(refused))
    expect(await stream.next()).toMatchObject({
      method: 'notifications/elicitation/complete',
      params: { elicitationId: refused.error.data.elicitations[0].elicitationId },
    })
    expect((await session.request('tools/call', CALL)).messages.at(-1).result.content[0].text).toMatch(/^access-/)
    stream.destroy()
  })

  test.each([...HANDSHAKES, MODERN])(
    'whose client opens no pages is given the link in words, in %s',
    async (revision) => {
      const { url } = await openSigned({ gateway: { authenticate: () => ({ id: 'ann', tenant: 't' }) } })
      const { answer } = await askAs(revision, url, 'tools/call', CALL)
      expect(answer.result.isError).toBe(true)
      const link = linkIn(answer.result.content[0].text)
      expect((await new Browser().signIn(link)).status).toBe(200)
      const again = await askAs(revision, url, 'tools/call', CALL)
      expect(again.answer.result.content[0].text).toMatch(/^access-/)
    },
  )

  test.each([...HANDSHAKES, MODERN])('gets an error for what is no tool, in %s', async (revision) => {
    const { url } = await openSigned({ gateway: { authenticate: () => ({ id: 'ann', tenant: 't' }) } })
    const { answer } = await askAs(revision, url, 'prompts/get', { name: 'tracker__hello' })
    expect(answer.error).toMatchObject({ code: -32603, message: expect.stringContaining('/connect/tracker') })
  })

  test('sees the lists that the gateway itself reads, and no more', async () => {
    const { url, reached } = await openSigned()
    const { answer } = await askAs(MODERN, url, 'tools/list', {})
    expect(answer.result.tools.map(({ name }: { name: string }) => name)).toEqual(['tracker__whoami', 'tracker__write'])
    expect(new Set(reached.flatMap(({ headers }) => headers?.authorization ?? []))).toEqual(
      new Set([`Bearer ${SERVICE}`]),
    )
  })
})

describe('a caller who has signed in', () => {
  const signIn = async (url: string, who: string) => new Browser().signIn(linkIn(await call(url, who)))

  test.each(['2025-06-18', MODERN])(
    'calls a server of %s with its own token, over a session of its own',
    async (revision) => {
      const { url, reached } = await openSigned({ server: { revision } })
      await signIn(url, 'ann')
      await signIn(url, 'bob')
      const tokens = await Promise.all(
        Array.from({ length: 20 }, async (_, at) => {
          const who = at % 2 === 0 ? 'ann' : 'bob'
          return `${who} ${(await call(url, who)).result.content[0].text}`
        }),
      )
      expect(new Set(tokens).size).toBe(2)
      expect(new Set(reached.flatMap(({ headers }) => headers?.authorization ?? [])).size).toBe(3)
    },
  )

  test('trap-48: a tool that wants more leads to a sign-in for more', async () => {
    const { url, issuedBy } = await openSigned({ writes: ['issues:write'] })
    await signIn(url, 'ann')
    const more = await call(url, 'ann', { name: 'tracker__write', arguments: {} })
    expect(more.result).toMatchObject({
      isError: true,
      content: [{ text: expect.stringContaining('more to be allowed') }],
    })
    const page = await new Browser().get(linkIn(more))
    expect(page.text).toContain('issues:write')
    await new Browser().signIn(linkIn(more))
    expect((await call(url, 'ann', { name: 'tracker__write', arguments: {} })).result.content[0].text).toBe(
      'issues:write',
    )
    const asked = issuedBy.seen.filter(({ path }) => path === '/authorize')
    expect(asked.at(-1)?.query.get('scope')).toContain('issues:write')
  })

  test('a token the server refuses is renewed once, by one of many calls, and they all go on', async () => {
    const { url, issuedBy } = await openSigned()
    await signIn(url, 'ann')
    await call(url, 'ann')
    issuedBy.expire()
    const answers = await Promise.all(Array.from({ length: 10 }, () => call(url, 'ann')))
    expect(answers.map(({ result }) => result.isError ?? false)).toEqual(Array.from({ length: 10 }, () => false))
    expect(issuedBy.grants().filter((grant) => grant === 'refresh_token')).toHaveLength(1)
  })

  test('what two gateways share is renewed by one of them', async () => {
    const first = await openSigned()
    const { issuedBy, credentials, config } = first
    const second = await openSigned({
      issuedBy,
      credentials,
      gateway: { config },
    })
    await signIn(first.url, 'ann')
    await Promise.all([call(first.url, 'ann'), call(second.url, 'ann')])
    issuedBy.expire()
    const answers = await Promise.all(
      Array.from({ length: 10 }, (_, at) => call(at % 2 === 0 ? first.url : second.url, 'ann')),
    )
    expect(answers.map(({ result }) => result.isError ?? false)).not.toContain(true)
    expect(issuedBy.grants().filter((grant) => grant === 'refresh_token')).toHaveLength(1)
  })

  test('who was signed out at the issuer is asked again', async () => {
    const { url, issuedBy } = await openSigned({
      issuer: {
        answer: ({ form }) =>
          form.get('grant_type') === 'refresh_token' ? { status: 400, body: { error: 'invalid_grant' } } : undefined,
      },
    })
    await signIn(url, 'ann')
    await call(url, 'ann')
    issuedBy.expire()
    const { result } = await call(url, 'ann')
    expect([result.isError, linkIn(result)]).toEqual([true, expect.stringContaining('/connect/tracker')])
    await signIn(url, 'ann')
    expect((await call(url, 'ann')).result.content[0].text).toMatch(/^access-/)
  })

  test('nothing of it is kept in words that can be read, nor written to the log', async () => {
    const { url, credentials, log } = await openSigned()
    await signIn(url, 'ann')
    const token = (await call(url, 'ann')).result.content[0].text
    const kept = JSON.stringify([...credentials.records.values()])
    expect(credentials.records.size).toBeGreaterThan(0)
    for (const secret of [token, 'refresh-', SERVICE]) {
      expect(kept).not.toContain(secret)
      expect(JSON.stringify(log)).not.toContain(secret)
    }
  })
})

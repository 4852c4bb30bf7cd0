import type { JsonObject } from '@crosspoint/mcp'
import type { Message } from '@crosspoint/testkit'
import { describe, expect, test } from 'vitest'
import { askAs, MODERN, openHostile, openHouse } from '../../fixtures/open-house.ts'

/** Every row of the mapping of errors (PROTOCOL §15.5), to a client of every revision, through a gateway over HTTP. */

const CLIENTS = ['2024-11-05', '2025-03-26', '2025-06-18', '2025-11-25', MODERN]
const PARAMS: Readonly<Record<string, JsonObject>> = {
  'tools/call': { name: 's__go', arguments: {} },
  'prompts/get': { name: 's__ask' },
  'resources/read': { uri: 'it://one' },
}
const PAGES = { elicitations: [{ mode: 'url', elicitationId: 'e', url: 'https://bank.example/x', message: 'Sign in' }] }
const ALL: JsonObject = { elicitation: { form: {}, url: {} } }

interface Row {
  readonly said: string
  /** Revision of the server. */
  readonly server: string
  readonly method: keyof typeof PARAMS
  /** What it answers: an error, or a bare status. */
  readonly error?: JsonObject
  readonly status?: number
  readonly headers?: Readonly<Record<string, string>>
  /** What clients declare. Default {@link ALL}. */
  readonly capabilities?: JsonObject
  /** The error or result that a client of a revision gets, and the status it comes with. Default status: 200. */
  readonly told: (client: string) => { readonly error?: unknown; readonly result?: unknown; readonly status?: number }
}

const isModern = (client: string) => client === MODERN
const isTold = (text: unknown) => ({
  result: expect.objectContaining({ isError: true, content: [{ type: 'text', text }] }),
})
const both = (error: unknown) => () => ({ error })
const LONG = 'x'.repeat(5_000)

const ROWS: readonly Row[] = [
  {
    said: '-32602 with data.uri on resources/read',
    server: MODERN,
    method: 'resources/read',
    error: { code: -32602, message: 'No such thing', data: { uri: 'it://one', inner: 'secret' } },
    told: (client) => ({
      error: { code: isModern(client) ? -32602 : -32002, message: 'No such thing', data: { uri: 'it://one' } },
    }),
  },
  {
    said: '-32002 with data.uri',
    server: '2025-06-18',
    method: 'resources/read',
    error: { code: -32002, message: 'No such thing', data: { uri: 'it://other' } },
    told: (client) => ({
      error: { code: isModern(client) ? -32602 : -32002, message: 'No such thing', data: { uri: 'it://one' } },
    }),
  },
  {
    said: '-32002 that does not say of what',
    server: '2024-11-05',
    method: 'resources/read',
    error: { code: -32002, message: 'No such thing' },
    told: (client) => ({
      error: { code: isModern(client) ? -32602 : -32002, message: 'No such thing', data: { uri: 'it://one' } },
    }),
  },
  {
    said: '-32042 to tools/call',
    server: '2025-11-25',
    method: 'tools/call',
    error: { code: -32042, message: 'Go to https://bank.example/x', data: { ...PAGES, more: 1 } },
    told(client) {
      if (isModern(client)) return { result: expect.objectContaining({ resultType: 'input_required' }) }
      return client === '2025-11-25'
        ? { error: { code: -32042, message: 'Go to https://bank.example/x', data: PAGES } }
        : isTold(expect.stringMatching(/^(?!.*bank).*open a web page first.*cannot be sent/s))
    },
  },
  {
    said: '-32042 to prompts/get',
    server: '2025-11-25',
    method: 'prompts/get',
    error: { code: -32042, message: 'Go to https://bank.example/x', data: PAGES },
    told(client) {
      if (isModern(client)) return { result: expect.objectContaining({ resultType: 'input_required' }) }
      return client === '2025-11-25'
        ? { error: { code: -32042, message: 'Go to https://bank.example/x', data: PAGES } }
        : { error: { code: -32603, message: expect.stringMatching(/^(?!.*bank).*open a web page first/s) } }
    },
  },
  {
    said: '-32042 to clients that did not declare pages',
    server: '2025-11-25',
    method: 'prompts/get',
    capabilities: {},
    error: { code: -32042, message: 'Go there', data: PAGES },
    told(client) {
      if (isModern(client)) {
        const data = { requiredCapabilities: { elicitation: { url: {} } } }
        return { status: 400, error: { code: -32021, message: expect.stringContaining('elicitation.url'), data } }
      }
      return client === '2025-11-25'
        ? { error: { code: -32042, message: 'Go there', data: PAGES } }
        : { error: { code: -32603, message: expect.stringContaining('web page') } }
    },
  },
  {
    said: '-32042 without pages that can be read',
    server: '2025-11-25',
    method: 'tools/call',
    error: { code: -32042, message: 'Go', data: { elicitations: [{ url: 7 }, 'x'] } },
    told: () => isTold(expect.stringContaining('open a web page first')),
  },
  {
    said: '-32021 to tools/call',
    server: MODERN,
    method: 'tools/call',
    error: { code: -32021, message: 'Need', data: { requiredCapabilities: { sampling: { tools: {} }, x: { y: 1 } } } },
    status: 400,
    told: (client) =>
      isModern(client)
        ? {
            status: 400,
            error: {
              code: -32021,
              message: expect.stringContaining('"sampling.tools"'),
              data: { requiredCapabilities: { sampling: { tools: {} } } },
            },
          }
        : isTold(expect.stringContaining('did not declare the capability "sampling.tools"')),
  },
  {
    said: '-32021 to prompts/get',
    server: MODERN,
    method: 'prompts/get',
    capabilities: { sampling: {} },
    error: { code: -32021, message: 'Need', data: { requiredCapabilities: { roots: { secret: 1 }, sampling: {} } } },
    status: 400,
    told: (client) => ({
      status: isModern(client) ? 400 : 200,
      error: {
        code: isModern(client) ? -32021 : -32603,
        message: 'The server "s" does not take "prompts/get" from a client that did not declare the capability "roots"',
        data: { requiredCapabilities: { roots: {} } },
      },
    }),
  },
  {
    said: '-32021 for what nobody can carry',
    server: MODERN,
    method: 'prompts/get',
    error: { code: -32021, message: 'Need', data: { requiredCapabilities: { extensions: { 'com.example/x': {} } } } },
    status: 400,
    told: both({ code: -32603, message: expect.stringContaining('cannot be carried') }),
  },
  {
    said: '-32020 again and again',
    server: MODERN,
    method: 'tools/call',
    error: { code: -32020, message: 'Header' },
    status: 400,
    told: both({ code: -32603, message: expect.stringContaining('Cannot agree with the server') }),
  },
  {
    said: '-32022 again and again',
    server: MODERN,
    method: 'prompts/get',
    error: { code: -32022, message: 'Version', data: { supported: [MODERN], requested: MODERN } },
    status: 400,
    told: both({ code: -32603, message: expect.stringContaining('Cannot agree with the server') }),
  },
  ...['2025-06-18', MODERN].map(
    (server): Row => ({
      said: '-32007, which is its own',
      server,
      method: 'prompts/get',
      error: { code: -32007, message: 'Mine', data: { a: 1 } },
      told: (client) => ({
        error: isModern(client)
          ? { code: -32603, message: 'Mine', data: { upstream: { code: -32007, message: 'Mine' } } }
          : { code: -32007, message: 'Mine', data: { a: 1 } },
      }),
    }),
  ),
  ...[-32020, -32021, -32022].map(
    (code): Row => ({
      said: `${code}, which means nothing yet`,
      server: '2025-11-25',
      method: 'prompts/get',
      error: { code, message: 'Mine' },
      told: both({ code: -32603, message: 'Mine', data: { upstream: { code, message: 'Mine' } } }),
    }),
  ),
  ...['2025-03-26', MODERN].map(
    (server): Row => ({
      said: '-32050, which is kept for later',
      server,
      method: 'tools/call',
      error: { code: -32050, message: 'Later' },
      told: both({ code: -32603, message: 'Later', data: { upstream: { code: -32050, message: 'Later' } } }),
    }),
  ),
  ...['2025-11-25', MODERN].map(
    (server): Row => ({
      said: '-32601 for what it does not have',
      server,
      method: 'prompts/get',
      error: { code: -32601, message: 'No prompts' },
      ...(isModern(server) ? { status: 404 } : {}),
      told: both({ code: -32601, message: 'No prompts' }),
    }),
  ),
  {
    said: 'any other code',
    server: '2025-03-26',
    method: 'prompts/get',
    error: { code: 77, message: 'Mine\nin two lines', data: [1] },
    told: both({ code: 77, message: 'Mine\nin two lines', data: [1] }),
  },
  {
    said: 'abuse-16: too much',
    server: '2025-11-25',
    method: 'prompts/get',
    error: { code: -32603, message: LONG, data: { deep: 'y'.repeat(20_000) } },
    told: both({ code: -32603, message: `${LONG.slice(0, 2_000)}…` }),
  },
  {
    said: 'abuse-16: too much in a code of its own',
    server: '2025-11-25',
    method: 'prompts/get',
    error: { code: -32001, message: LONG, data: { deep: 'y'.repeat(20_000) } },
    told(client) {
      const message = `${LONG.slice(0, 2_000)}…`
      return {
        error: isModern(client)
          ? { code: -32603, message, data: { upstream: { code: -32001, message } } }
          : { code: -32001, message },
      }
    },
  },
  ...[401, 403].flatMap((status) => [
    {
      said: `HTTP ${status}`,
      server: MODERN,
      method: 'prompts/get',
      error: { code: 1002, message: LONG },
      status,
      headers: { 'www-authenticate': 'Bearer resource_metadata="https://evil.example"' },
      told: both({ code: -32603, message: expect.stringMatching(/^.{1,300}$/) }),
    },
    {
      said: `HTTP ${status} to tools/call`,
      server: '2025-11-25',
      method: 'tools/call',
      status,
      told: () => isTold(expect.stringContaining("refused the gateway's credentials")),
    },
  ]),
  ...[429, 503].flatMap((status) => [
    {
      said: `HTTP ${status}`,
      server: '2025-11-25',
      method: 'prompts/get',
      status,
      headers: { 'retry-after': '7' },
      told: both({ code: -32603, message: expect.stringContaining(`HTTP ${status}`), data: { retryAfterMs: 7_000 } }),
    },
    {
      said: `HTTP ${status} with a JSON-RPC error`,
      server: MODERN,
      method: 'prompts/get',
      error: { code: 1001, message: 'Slow down' },
      status,
      headers: { 'retry-after': '7' },
      told: both({ code: -32603, message: expect.stringContaining('Slow down'), data: { retryAfterMs: 7_000 } }),
    },
    {
      said: `HTTP ${status} to tools/call`,
      server: MODERN,
      method: 'tools/call',
      error: { code: 1001, message: 'Slow down' },
      status,
      headers: { 'retry-after': '7' },
      told: () => isTold('The server "s" is too busy to take another call. Try again in 7 s.'),
    },
  ]),
]

describe('what a server refuses with', () => {
  for (const { said, server, method, error, status, headers, capabilities = ALL, told } of ROWS) {
    test(`${said}, from a server of ${server}: every client is told in its own words`, async () => {
      const upstream = await openHostile(server, (taken) => {
        if (error === undefined) taken.response.writeHead(status ?? 500, headers).end()
        else taken.error(error, status, headers)
      })
      const { url } = await openHouse({ s: { url: upstream.url } })
      for (const client of CLIENTS) {
        const expected = { status: 200, ...told(client) }
        const got = await askAs(client, url, method, PARAMS[method] ?? {}, capabilities)
        expect({ client, ...toSeen(got.answer), status: got.status }).toEqual({ client, ...expected })
      }
    })
  }

  test('a resource that goes by another URI here is named by that one', async () => {
    const upstream = await openHostile(MODERN, ({ error }) =>
      error({ code: -32602, message: 'Gone', data: { uri: 'it://one' } }),
    )
    const { url } = await openHouse({ s: { url: upstream.url }, t: { url: upstream.url } })
    const { answer } = await askAs(MODERN, url, 'resources/list', {})
    const uri = answer.result.resources[1].uri
    expect(uri).not.toBe('it://one')
    const read = await askAs('2025-06-18', url, 'resources/read', { uri })
    expect(read.answer.error).toEqual({ code: -32002, message: 'Gone', data: { uri } })
  })

  test('a method that nobody has here is 404 to a client that is told so by HTTP', async () => {
    const { url } = await openHouse({})
    expect(await askAs(MODERN, url, 'no/such', {})).toMatchObject({ status: 404, answer: { error: { code: -32601 } } })
  })

  test('silence is told as such', async () => {
    const upstream = await openHostile(MODERN, () => {})
    const { url } = await openHouse({ s: { url: upstream.url, requestTimeoutMs: 100 } })
    for (const client of CLIENTS) {
      const { status, answer } = await askAs(client, url, 'prompts/get', { name: 's__ask' })
      expect({ status, error: answer.error }).toMatchObject({
        status: 200,
        error: { code: -32603, data: { kind: 'upstream_timeout', upstream: 's' } },
      })
    }
  })
})

function toSeen({ error, result }: Message): { readonly error?: unknown; readonly result?: unknown } {
  return error === undefined ? { result } : { error }
}

import type { JsonObject } from '@crosspoint/mcp'
import { type Message, sendEnveloped } from '@crosspoint/testkit'
import { describe, expect, test } from 'vitest'
import { byName, MODERN, openHostile, openHouse } from '../../fixtures/open-house.ts'

/** What a caller has to bring back is good for that caller, that request and that server: through HTTP, both eras. */

const FORM = { method: 'elicitation/create', params: { message: 'Who?', requestedSchema: { type: 'object' } } }

/** Asks once; the second time it answers, with what it was told. */
async function open(revision: string) {
  const upstream = await openHostile(revision, ({ message, say, result }) => {
    const { requestState, inputResponses } = message.params
    if (revision !== MODERN) {
      say({ id: 'q1', ...FORM })
      void upstream
        .until(({ id, result: said }) => id === 'q1' && said !== undefined)
        .then((said) => result({ content: [{ type: 'text', text: JSON.stringify(said.result) }] }))
    } else if (requestState === 'theirs') {
      result({ content: [{ type: 'text', text: JSON.stringify(inputResponses) }] })
    } else result({ resultType: 'input_required', inputRequests: { who: FORM }, requestState: 'theirs' })
  })
  const more = { views: { other: { servers: ['s'] } } }
  const servers = { s: { url: upstream.url }, t: { url: upstream.url } }
  const { url } = await openHouse(servers, more, { authenticate: byName })
  const ask = async (params: JsonObject = {}, who = 'anna', at = url) => {
    const meta = { 'io.modelcontextprotocol/clientCapabilities': { elicitation: { form: {} } } }
    const call = { name: 's__go', arguments: { n: 1 }, ...params }
    const { messages } = await sendEnveloped(at, 'tools/call', call, { meta, headers: { 'x-who': who } })
    return messages.at(-1) as Message
  }
  const first = (await ask()).result
  const [key = ''] = Object.keys(first.inputRequests)
  const answers = { inputResponses: { [key]: { action: 'accept', content: {} } } }
  return { url, ask, state: String(first.requestState), answers, upstream }
}

describe.each(['2025-11-25', MODERN])('a state of a server of %s', (revision) => {
  test('abuse-24: is refused to somebody else, for something else, elsewhere and changed, and stays good', async () => {
    const { ask, state, answers } = await open(revision)
    const given = { ...answers, requestState: state }
    const middle = Math.floor(state.length / 2)
    const refused = [
      await ask(given, 'bert'),
      await ask({ ...given, arguments: { n: 2 } }),
      await ask({ ...given, name: 't__go' }),
      await ask({ ...given, requestState: `${state}A` }),
      await ask({
        ...given,
        requestState: `${state.slice(0, middle)}${state[middle] === 'A' ? 'B' : 'A'}${state.slice(middle + 1)}`,
      }),
      await ask({ ...given, requestState: 'theirs' }),
      await ask({ ...given, requestState: '' }),
      await ask({ ...given, requestState: 'x'.repeat(600_000) }),
    ]
    expect(refused.map(({ error }) => error?.code)).toEqual(refused.map(() => -32602))
    expect((await ask(given)).result.content[0].text).toContain('accept')
  })

  test('abuse-24: is not what the server gave, and says nothing of it', async () => {
    const { state } = await open(revision)
    expect(Buffer.from(state.split(/[:.]/).at(-1) ?? '', 'base64url').toString('latin1')).not.toContain('theirs')
    expect(state).not.toMatch(/theirs|anna/)
  })

  test('abuse-24: that is sent twice runs a call that waits once', async () => {
    const { ask, state, answers, upstream } = await open(revision)
    const given = { ...answers, requestState: state }
    const [one, two] = await Promise.all([ask(given), ask(given)])
    expect(one.result.content).toEqual(two.result.content)
    const calls = upstream.got.filter(({ method }) => method === 'tools/call').length
    // A server that asks by results is asked again: what a second answer means is its own to say.
    expect(calls).toBe(revision === MODERN ? 3 : 1)
  })

  test.each([[7], [null], [[]], ['x'], [true]])(
    'abuse-24: is not even looked at beside answers that are %j',
    async (inputResponses) => {
      const { ask, state, answers } = await open(revision)
      expect((await ask({ inputResponses, requestState: state })).error?.code).toBe(-32602)
      expect((await ask({ ...answers, requestState: state })).result.content[0].text).toContain('accept')
    },
  )
})

test('abuse-14: calls that wait for answers take no others their way to the server', async () => {
  const upstream = await openHostile('2025-11-25', ({ message, say, result }) => {
    if (message.params.arguments.n === 'plain') result({ content: [] })
    else say({ id: `q${message.id}`, ...FORM })
  })
  const { url } = await openHouse({ s: { url: upstream.url } }, { limits: { maxParkedPerPrincipal: 70 } })
  const ask = async (n: string) => {
    const meta = { 'io.modelcontextprotocol/clientCapabilities': { elicitation: { form: {} } } }
    const { messages } = await sendEnveloped(url, 'tools/call', { name: 's__go', arguments: { n } }, { meta })
    return (messages.at(-1) as Message).result.resultType
  }
  const asked = await Promise.all(Array.from({ length: 70 }, (_, at) => ask(`${at}`)))
  expect(asked).toEqual(asked.map(() => 'input_required'))
  expect(await ask('plain')).toBe('complete')
})

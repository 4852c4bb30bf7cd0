import { afterEach, describe, expect, it } from 'vitest'
import { REVISIONS } from '../revisions/index.ts'
import { createServer, type Server } from '../server/index.ts'
import { scriptElicitation, scriptSampling } from './scripted.ts'
import { type TestClient, type TestClientOptions, testClient } from './test-client.ts'

const open: TestClient[] = []
afterEach(async () => {
  for (const client of open.splice(0)) await client.close()
})

async function connected(server: Server, options?: TestClientOptions): Promise<TestClient> {
  const client = await testClient(server, options)
  open.push(client)
  return client
}

function fixture(): Server {
  const server = createServer({ name: 'fixture', version: '1' })
  server.tool('add', { input: { type: 'object' } }, ({ a, b }) => String(Number(a) + Number(b)))
  server.tool('who', {}, (_args, { principal }) => `${principal.tenant}/${principal.id}`)
  return server
}

/** Asks in the way that works for every revision: by its result. */
function asking(method: string, params: object): Server {
  const server = createServer({ name: 'asking', version: '1' })
  server.tool('ask', {}, (_args, { call }) => {
    const answers = call.params.inputResponses as Record<string, unknown> | undefined
    if (answers !== undefined) return JSON.stringify(answers.it)
    return { resultType: 'input_required', inputRequests: { it: { method, params } } }
  })
  return server
}

describe.each(REVISIONS.map(({ name }) => name))('a test client of %s', (revision) => {
  it('speaks that revision, over a real wire', async () => {
    const client = await connected(fixture(), { revision })
    expect(client.connection.verdict.revision).toBe(revision)
    expect(await client.callTool('add', { a: 1, b: 2 })).toMatchObject({ content: [{ text: '3' }] })
    expect(client.transcript.messages.length).toBeGreaterThan(2)
  })

  it('is the principal it is said to be', async () => {
    const client = await connected(fixture(), { revision, principal: { id: 'ada', tenant: 'royal' } })
    expect(await client.callTool('who')).toMatchObject({ content: [{ text: 'royal/ada' }] })
  })

  it('declares what its handlers can do, and no more', async () => {
    const server = createServer({ name: 's', version: '1' })
    server.tool('show', {}, (_args, { call }) => {
      // Extensions are what the connection can carry, whoever answers.
      const { extensions: _, ...declared } = call.downstream.capabilities
      return Object.keys(declared).sort().join(' ')
    })
    const client = await connected(server, { revision, handlers: { sample: scriptSampling('x'), roots: [] } })
    expect(await client.callTool('show')).toMatchObject({ content: [{ text: 'roots sampling' }] })
  })
})

it('answers a form as scripted, and remembers the question', async () => {
  const person = scriptElicitation({ action: 'accept', content: { name: 'Ada' } })
  const client = await connected(
    asking('elicitation/create', {
      message: 'Who?',
      requestedSchema: { type: 'object', properties: { name: { type: 'string' } } },
    }),
    { handlers: { elicit: person } },
  )
  expect(await client.callTool('ask')).toMatchObject({
    content: [{ text: JSON.stringify({ action: 'accept', content: { name: 'Ada' } }) }],
  })
  expect(person.questions.map(({ message }) => message)).toEqual(['Who?'])
  expect(person.left).toBe(0)
})

it('lists roots that are given, or made when asked for', async () => {
  const roots = [{ uri: 'file:///work' }]
  for (const given of [roots, () => roots]) {
    const client = await connected(asking('roots/list', {}), { handlers: { roots: given } })
    expect(await client.callTool('ask')).toMatchObject({ content: [{ text: JSON.stringify({ roots }) }] })
  }
})

it('refuses what it has no handler for', async () => {
  const client = await connected(asking('roots/list', {}), { capabilities: { roots: {} } })
  await expect(client.callTool('ask')).rejects.toThrow('was given nothing to answer it with')
})

describe('a script', () => {
  it('takes short forms and functions', async () => {
    const person = scriptElicitation('decline', ({ message }) => ({ action: 'accept', content: { said: message } }))
    expect(await person({ message: 'a' })).toEqual({ action: 'decline' })
    expect(person.left).toBe(1)
    expect(await person({ message: 'b' })).toEqual({ action: 'accept', content: { said: 'b' } })
    const model = scriptSampling('Paris', () => ({
      role: 'assistant',
      content: { type: 'text', text: 'b' },
      model: 'm',
    }))
    const question = { messages: [], maxTokens: 1 }
    expect(await model(question)).toMatchObject({ content: { text: 'Paris' }, stopReason: 'endTurn' })
    expect(await model(question)).toMatchObject({ model: 'm' })
    expect(model.questions).toEqual([question, question])
  })

  it('says so when it is asked more than it has answers for', async () => {
    const person = scriptElicitation('cancel')
    await person({ message: 'a' })
    await expect(person({ message: 'b' })).rejects.toThrow('has 1 answers, and this is question 2')
  })
})

it('says that a server is to be awaited, and what is none', async () => {
  const server = createServer({ name: 's', version: '1' })
  await expect(testClient(Promise.resolve(server) as never)).rejects.toThrow(
    'Cannot connect to the promise of a server: await it, as in testClient(await makeServer())',
  )
  for (const none of [undefined, null, {}, 'http://127.0.0.1:1/mcp']) {
    await expect(testClient(none as never)).rejects.toThrow(
      'Cannot connect to this: write testClient(createServer({ … }))',
    )
  }
})

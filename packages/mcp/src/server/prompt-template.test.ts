import fc from 'fast-check'
import { afterEach, describe, expect, it } from 'vitest'
import { type TestClient, testClient } from '../testing/index.ts'
import { createServer, type Server } from './index.ts'
import { compilePromptTemplate } from './prompt-template.ts'

const open: TestClient[] = []
afterEach(async () => {
  for (const client of open.splice(0)) await client.close()
})

async function connected(server: Server): Promise<TestClient> {
  const client = await testClient(server)
  open.push(client)
  return client
}

const textOf = (template: string, values: Record<string, string> = {}) => {
  const [message] = compilePromptTemplate(template).fill(values)
  return message?.content.text
}

describe('a template', () => {
  it.each([
    ['Review {{code}} in {{language}}.', { code: 'x', language: 'TypeScript' }, 'Review x in TypeScript.'],
    ['{{ spaced }}{{spaced}}', { spaced: 'a' }, 'aa'],
    ['before {{left_out?}} after', {}, 'before  after'],
    ['literal \\{{code}} and {{code}}', { code: 'x' }, 'literal {{code}} and x'],
    ['{ "json": {"a": 1} } }}', {}, '{ "json": {"a": 1} } }}'],
    ['<b>{{html}}</b>', { html: '<i>&' }, '<b><i>&</b>'],
  ])('%s with %j says what it should', (template, values, text) => {
    expect(textOf(template, values)).toBe(text)
  })

  it('never fills in what a value brings along', () => {
    expect(textOf('{{a}} {{b}}', { a: '{{b}} \\{{b}} {{b?}}', b: 'secret' })).toBe('{{b}} \\{{b}} {{b?}} secret')
  })

  it.each(['{{#if x}}', '{{', '{{}}', '{{a b}}', '{{a', '{{{a}}}', '{{?a}}', '{{1}}'])('refuses %s', (template) => {
    expect(() => compilePromptTemplate(template)).toThrow(`Cannot read the template at "${template}"`)
  })

  it('puts any value in as it is', () => {
    fc.assert(
      fc.property(fc.string(), (value) => {
        expect(textOf('<{{a}}>', { a: value })).toBe(`<${value}>`)
      }),
    )
  })

  it('knows which variables may be left out: those that may be everywhere', () => {
    const { variables } = compilePromptTemplate('{{b?}} {{a}} {{b?}} {{a?}} {{c?}}')
    expect([...variables]).toEqual([
      ['b', { optional: true }],
      ['a', { optional: false }],
      ['c', { optional: true }],
    ])
  })
})

describe('a prompt with a template', () => {
  it('lists its variables as arguments, described where that is said', async () => {
    const server = createServer({ name: 's', version: '1' })
    server.prompt('review', {
      description: 'Reviews code',
      template: 'Review {{code}} in {{language?}}: {{focus}}',
      arguments: { code: { description: 'The code' }, focus: { required: false, title: 'Focus' } },
    })
    expect(await (await connected(server)).listPrompts().all()).toEqual([
      {
        name: 'review',
        description: 'Reviews code',
        arguments: [
          { name: 'code', description: 'The code', required: true },
          { name: 'language', required: false },
          { name: 'focus', title: 'Focus', required: false },
        ],
      },
    ])
  })

  it('is filled in for the caller', async () => {
    const server = createServer({ name: 's', version: '1' })
    server.prompt('review', { description: 'Reviews', template: 'Review {{code}} in {{language?}}' })
    const client = await connected(server)
    expect(await client.getPrompt('review', { code: 'x', language: 'C' })).toMatchObject({
      description: 'Reviews',
      messages: [{ role: 'user', content: { type: 'text', text: 'Review x in C' } }],
    })
    await expect(client.getPrompt('review', { language: 'C' })).rejects.toThrow('without "code"')
  })

  it('may be several messages, with roles, and content that is no text', async () => {
    const server = createServer({ name: 's', version: '1' })
    const image = { type: 'image', data: 'AA==', mimeType: 'image/png' } as const
    server.prompt('talk', {
      template: [
        { role: 'assistant', content: 'I know {{topic}}.' },
        { role: 'user', content: image },
        { role: 'user', content: { type: 'text', text: 'Explain {{topic}}', annotations: { priority: 1 } } },
      ],
    })
    expect(await (await connected(server)).getPrompt('talk', { topic: 'rain' })).toMatchObject({
      messages: [
        { role: 'assistant', content: { type: 'text', text: 'I know rain.' } },
        { role: 'user', content: image },
        { role: 'user', content: { type: 'text', text: 'Explain rain', annotations: { priority: 1 } } },
      ],
    })
  })

  it('completes its variables', async () => {
    const server = createServer({ name: 's', version: '1' })
    server.prompt('p', { template: '{{a}} {{b}}', arguments: { a: { complete: () => ['one'] } } })
    const client = await connected(server)
    const ask = (name: string) =>
      client.complete({ ref: { type: 'ref/prompt', name: 'p' }, argument: { name, value: '' } })
    expect((await ask('a')).completion.values).toEqual(['one'])
    expect((await ask('b')).completion.values).toEqual([])
  })

  it('trap-52: never suggests more than 100 values', async () => {
    const server = createServer({ name: 's', version: '1' })
    const values = Array.from({ length: 150 }, (_, at) => String(at))
    server.prompt('p', { template: '{{a}}', arguments: { a: { complete: () => values } } })
    const { completion } = await (await connected(server)).complete({
      ref: { type: 'ref/prompt', name: 'p' },
      argument: { name: 'a', value: '' },
    })
    expect([completion.values.length, completion.total, completion.hasMore]).toEqual([100, 150, true])
  })

  it('changes with its template', async () => {
    const server = createServer({ name: 's', version: '1' })
    const prompt = server.prompt('p', { template: 'old {{a}}' })
    const client = await connected(server)
    prompt.update({ template: 'new {{b}}' })
    expect(await client.getPrompt('p', { b: '1' })).toMatchObject({ messages: [{ content: { text: 'new 1' } }] })
  })

  it('is refused with a description of no variable, with a handler too, or with neither', () => {
    const server = createServer({ name: 's', version: '1' })
    expect(() => server.prompt('p', { template: '{{a}}', arguments: { b: {} } })).toThrow(
      'Cannot describe "b": the template of the prompt "p" has no such variable',
    )
    expect(() => server.prompt('p', { template: '{{a}}' }, () => 'x')).toThrow('either a handler or a template')
    expect(() => server.prompt('p', {} as never)).toThrow('either a handler or a template')
  })

  it('takes variables with the names of what every object has', async () => {
    const server = createServer({ name: 's', version: '1' })
    server.prompt('p', { template: '{{constructor}} {{toString?}} {{__proto__?}}' })
    const client = await connected(server)
    expect(await client.getPrompt('p', { constructor: 'c' } as never)).toMatchObject({
      messages: [{ content: { text: 'c  ' } }],
    })
  })
})

it('fills the text of embedded resources, and leaves other content alone', () => {
  const image = { type: 'image', data: 'AA==', mimeType: 'image/png', text: '{{no}}' } as const
  const blob = { type: 'resource', resource: { uri: 'r:b', blob: 'AA==' } } as const
  const { variables, fill } = compilePromptTemplate([
    {
      role: 'user',
      content: { type: 'resource', resource: { uri: 'r:{{a}}', text: 'Of {{a}} and {{b?}}', mimeType: 'text/plain' } },
    },
    { role: 'user', content: blob },
    { role: 'assistant', content: image },
  ])
  expect([...variables]).toEqual([
    ['a', { optional: false }],
    ['b', { optional: true }],
  ])
  const filled = { uri: 'r:{{a}}', text: 'Of 1 and ', mimeType: 'text/plain' }
  expect(fill({ a: '1' }).map(({ content }) => content)).toEqual([{ type: 'resource', resource: filled }, blob, image])
})

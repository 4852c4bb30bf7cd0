import { expect, it } from 'vitest'
import { REVISIONS } from '../../revisions/index.ts'
import { scriptElicitation, testClient } from '../../testing/index.ts'
import type { EndpointEvent } from '../../transports/endpoint.ts'
import { type Context, createServer } from '../index.ts'

const FORM = { type: 'object', properties: { yes: { type: 'boolean' } } } as const
const yes = () => ({ action: 'accept', content: { yes: true } }) as const

async function warningsOf(revision: string, run: (context: Context) => unknown, parked = false) {
  const events: EndpointEvent[] = []
  const server = createServer({ name: 's', version: '1', log: (event) => events.push(event) })
  server.tool('t', { parked }, (_, context) => run(context) as string)
  const client = await testClient(server, { revision, handlers: { elicit: scriptElicitation(yes, yes) } })
  const result = await client.callTool('t').catch((error: unknown) => error)
  await client.close()
  return { result, warnings: events.filter(({ event }) => event === 'question_forgotten') }
}

const revisions = REVISIONS.map(({ name }) => name).filter((name) => name >= '2025-06-18')
const ways = revisions.flatMap((revision) => [false, true].map((parked) => ({ revision, parked })))

it.each(ways)('warns of a question without await: $revision, parked $parked', async ({ revision, parked }) => {
  const { warnings } = await warningsOf(revision, ({ elicit }) => void elicit('Sure?', FORM), parked)
  expect(warnings).toEqual([
    {
      level: 'warn',
      event: 'question_forgotten',
      method: 'tools/call',
      name: 't',
      message:
        'a question was not awaited: the handler returned before "elicitation/create" was answered; write await before it',
    },
  ])
})

it.each(ways)('says nothing of one that was awaited: $revision, parked $parked', async ({ revision, parked }) => {
  const both = ({ elicit }: Context) => Promise.all([elicit('Sure?', FORM), elicit('Really?', FORM)])
  const { result, warnings } = await warningsOf(revision, async (context) => (await both(context)).length, parked)
  expect(result).toMatchObject({ content: [{ text: '2' }] })
  expect(warnings).toEqual([])
})

it.each(revisions)('says nothing where a handler failed or only remembered: %s', async (revision) => {
  const failed = await warningsOf(revision, ({ elicit }) => {
    void elicit('Sure?', FORM)
    throw new Error('No')
  })
  const remembered = await warningsOf(revision, ({ once }) => void once('k', () => 1))
  expect([failed.warnings, remembered.warnings]).toEqual([[], []])
})

it.each(revisions)('says nothing of a run that was suspended: %s', async (revision) => {
  const { warnings } = await warningsOf(revision, async ({ elicit }) => {
    await elicit('Sure?', FORM).catch(() => {})
    return 'over'
  })
  expect(warnings).toEqual([])
})

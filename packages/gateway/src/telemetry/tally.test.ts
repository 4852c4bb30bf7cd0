import { NEWEST } from '@crosspoint/mcp'
import { createFakeClock, recordCall } from '@crosspoint/testkit'
import { expect, test } from 'vitest'
import { buildCatalog } from '../catalog/catalog.ts'
import { createLens } from '../catalog/view.ts'
import { Passage } from '../routes/passage.ts'
import { toFigures } from './figures.ts'
import { Tally } from './tally.ts'

function open(options: { readonly maxThings?: number; readonly maxSeries?: number } = {}) {
  const clock = createFakeClock()
  const tally = new Tally({ clock, ...options })
  const offer = {
    tools: ['create_issue', 'list_issues', 'close_issue'].map((name) => ({ name, inputSchema: {} })),
    prompts: [],
    resources: [],
    templates: [],
    skills: [],
    capabilities: { tools: {} },
    instructions: undefined,
    told: [],
  }
  const destination = { name: 'github', handle: () => Promise.reject(new Error('Not called')) }
  const catalog = buildCatalog([{ destination, offer, offersTool: () => true }])
  const lens = createLens(undefined, 100)
  const ended = (method: string, params: object, outcome: string, ms = 10, revision = NEWEST.name) => {
    const { call } = recordCall(method, { ...params })
    const passage = new Passage({ ...call, downstream: { ...call.downstream, revision } }, lens(catalog))
    tally.ended(passage, outcome, ms)
    return passage
  }
  return { tally, ended, figures: () => toFigures(tally) }
}

test('says of each tool how often it was called, how it failed and how long it took', () => {
  const { ended, figures } = open()
  for (let ms = 1; ms <= 100; ms++) ended('tools/call', { name: 'github__create_issue' }, 'complete', ms)
  ended('tools/call', { name: 'github__create_issue' }, 'tool-error', 5)
  ended('tools/call', { name: 'github__create_issue' }, 'policy.limit', 0)
  const [tool] = figures().tools
  expect(tool).toMatchObject({
    upstream: 'github',
    tool: 'create_issue',
    name: 'github__create_issue',
    calls: 102,
    errors: { 'tool-error': 1, 'policy.limit': 1 },
    refused: 1,
    cacheHits: 0,
  })
  expect(tool?.latencyMs.p50).toBeGreaterThan(37)
  expect(tool?.latencyMs.p50).toBeLessThan(63)
  expect(tool?.latencyMs.max).toBe(100)
})

test('counts methods with all that was called of them', () => {
  const { ended, figures } = open()
  ended('tools/call', { name: 'github__create_issue' }, 'complete')
  ended('tools/call', { name: 'github__list_issues' }, 'complete')
  ended('tools/list', {}, 'complete')
  expect(figures().methods.map(({ method, calls }) => [method, calls])).toEqual([
    ['tools/call', 2],
    ['tools/list', 1],
  ])
})

test('the same tool in a catalog that was made anew is the same', () => {
  const { ended, figures } = open()
  ended('tools/call', { name: 'github__create_issue' }, 'complete')
  ended('tools/call', { name: 'github__create_issue' }, 'complete')
  expect(figures().tools).toHaveLength(1)
})

test('abuse-40: no word of a caller becomes a name: what nobody has is _other', () => {
  const { ended, figures } = open()
  for (let at = 0; at < 100; at++) {
    ended('tools/call', { name: `no\n"such"${at}` }, 'caller.invalid_params')
    ended(`no/such/${at}`, {}, 'caller.unknown_method')
  }
  expect(figures().tools).toMatchObject([{ upstream: '', tool: '_other', name: '_other', calls: 100 }])
  expect(figures().methods.map(({ method }) => method)).toEqual(['tools/call', '_other'])
})

test('what a server says of its result is an outcome only where it is one of ours', () => {
  const { ended, tally } = open()
  for (const said of ['complete', 'input_required', 'task', 'evil\n1', `evil ${'x'.repeat(500)}`]) {
    ended('tools/call', { name: 'github__create_issue' }, said, 10, said === 'task' ? 'whatever' : NEWEST.name)
  }
  const [[, thing] = []] = [...tally.things()]
  expect([...(thing?.took.keys() ?? [])]).toEqual(['complete', 'input_required', 'task'])
  expect([...(thing?.took.get('task')?.keys() ?? [])]).toEqual(['_other'])
})

test('counts so many tools apart, and the others together', () => {
  const { ended, figures } = open({ maxThings: 1 })
  for (const tool of ['create_issue', 'list_issues', 'close_issue', 'create_issue']) {
    ended('tools/call', { name: `github__${tool}` }, 'complete')
  }
  expect(
    figures()
      .tools.map(({ tool, calls }) => [tool, calls])
      .sort(),
  ).toEqual([
    ['_other', 2],
    ['create_issue', 2],
  ])
})

test('counts so many outcomes of tools apart, and the others together', () => {
  const { ended, figures } = open({ maxSeries: 1 })
  ended('tools/call', { name: 'github__create_issue' }, 'complete')
  ended('tools/call', { name: 'github__create_issue' }, 'tool-error')
  ended('tools/call', { name: 'github__create_issue' }, 'tool-error')
  const [other, tool] = figures().tools.toSorted((a, b) => a.tool.localeCompare(b.tool))
  expect(other).toMatchObject({ tool: '_other', errors: { 'tool-error': 2 } })
  expect(tool).toMatchObject({ tool: 'create_issue', calls: 1 })
})

test('counts what each rule was against', () => {
  const { ended, tally } = open()
  const denied = ended('tools/call', { name: 'github__create_issue' }, 'complete')
  denied.decision = { effect: 'deny', rule: 'no-writes', dryRun: true }
  tally.ended(denied, 'policy.denied', 1)
  denied.decision = { effect: 'deny', rule: undefined, dryRun: false }
  tally.ended(denied, 'policy.denied', 1)
  expect([...tally.denials]).toEqual([
    ['no-writes', 1],
    ['default', 1],
  ])
})

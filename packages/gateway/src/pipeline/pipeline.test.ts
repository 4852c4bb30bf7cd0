import { readFile, writeFile } from 'node:fs/promises'
import { ANONYMOUS, NEWEST, type Result } from '@crosspoint/mcp'
import { createFakeClock, recordCall } from '@crosspoint/testkit'
import { expect, test } from 'vitest'
import { buildCatalog } from '../catalog/catalog.ts'
import { createLens } from '../catalog/view.ts'
import type { Log } from '../log.ts'
import { Passage } from '../routes/passage.ts'
import { Traffic } from '../traffic/traffic.ts'
import { createPipeline, explainPipeline, PIPELINE, toPipelineMarkdown } from './pipeline.ts'

const ids = { traceId: () => 'a'.repeat(32), spanId: () => 'b'.repeat(16) }

function open(answer: (call: Passage) => Promise<Result> = async () => ({ content: [] })) {
  const clock = createFakeClock()
  const lines: object[] = []
  const log: Log = { debug: () => {}, info: (details) => void lines.push(details), warn: () => {}, error: () => {} }
  const handle = createPipeline({ log, clock, ids, traffic: new Traffic({ clock }) }, answer)
  const destination = { name: 'github', handle: () => Promise.reject(new Error('Not called')) }
  const offer = {
    tools: [{ name: 'create_issue', inputSchema: {} }],
    prompts: [],
    resources: [],
    templates: [],
    skills: [],
    capabilities: { tools: {} },
    instructions: undefined,
    told: [],
  }
  const view = createLens(undefined, 100)(buildCatalog([{ destination, offer, offersTool: () => true }]))
  const pass = (method: string, params: object, meta = {}, deadline?: number) =>
    handle(new Passage({ ...recordCall(method, { ...params }, { meta }).call, deadline }, view))
  return { clock, lines, pass }
}

test('docs/pipeline.md says what the table says', async () => {
  const file = new URL('../../../../docs/pipeline.md', import.meta.url)
  if (process.env.UPDATE_DOCS === '1') await writeFile(file, toPipelineMarkdown())
  expect(await readFile(file, 'utf8'), 'Stale: see packages/gateway/README.md').toBe(toPipelineMarkdown())
})

test('the printed table names every place in order', () => {
  const text = explainPipeline()
  const places = PIPELINE.map(({ name }) => text.indexOf(`  ${name} `))
  expect(places).toEqual([...places].sort((a, b) => a - b))
  expect(Math.min(...places)).toBeGreaterThan(0)
  expect(PIPELINE.map(({ name }) => name).join(' · ')).toBe(
    'trace · audit · authenticate · throttle · route · authorize · cache · firewall · approve · breaker · retry · queue · deadline',
  )
})

test('a call is written down once: who, what, of whom, outcome and duration, and no value', async () => {
  const { clock, lines, pass } = open(async () => {
    clock.advance(12)
    return { content: [{ type: 'text', text: 'secret result' }] }
  })
  await pass('tools/call', { name: 'github__create_issue', arguments: { token: 'secret argument' } })
  expect(lines).toEqual([
    {
      method: 'tools/call',
      target: 'github__create_issue',
      upstream: 'github',
      principal: ANONYMOUS.id,
      revision: NEWEST.name,
      outcome: 'complete',
      ms: 12,
      trace: 'a'.repeat(32),
    },
  ])
})

test('a refused call is written down like a successful one, without control characters', async () => {
  const { lines, pass } = open()
  await expect(pass('tools/call', { name: 'x\r\n\u001b[2J' })).rejects.toMatchObject({ code: 'caller.invalid_params' })
  expect(lines).toMatchObject([{ target: 'x\\u{d}\\u{a}\\u{1b}[2J', outcome: 'caller.invalid_params' }])
  expect(lines[0]).not.toHaveProperty('upstream')
})

test('a tool error is an outcome of its own', async () => {
  const { lines, pass } = open(async () => ({ content: [], isError: true }))
  await pass('tools/call', { name: 'github__create_issue' })
  expect(lines).toMatchObject([{ outcome: 'tool-error' }])
})

test('the query of a URI stays out of the log', async () => {
  const { lines, pass } = open()
  await pass('resources/read', { uri: 'x://a/b?token=secret' }).catch(() => {})
  expect(JSON.stringify(lines)).not.toContain('secret')
})

test('joins the trace of the caller, with a span of its own', async () => {
  const seen: unknown[] = []
  const { pass } = open(async (call) => {
    seen.push(call.trace)
    return {}
  })
  const traceId = '0af7651916cd43dd8448eb211c80319c'
  await pass('server/discover', {}, { traceparent: `00-${traceId}-b7ad6b7169203331-01` })
  await pass('server/discover', {}, { traceparent: `00-${'0'.repeat(32)}-b7ad6b7169203331-01` })
  await pass('server/discover', {}, { traceparent: 'nonsense' })
  expect(seen).toEqual([
    { traceId, spanId: 'b'.repeat(16) },
    { traceId: 'a'.repeat(32), spanId: 'b'.repeat(16) },
    { traceId: 'a'.repeat(32), spanId: 'b'.repeat(16) },
  ])
})

test('a method whose feature nobody announced does not exist', async () => {
  const { pass } = open()
  await expect(pass('completion/complete', {})).rejects.toMatchObject({ code: 'caller.unknown_method' })
  await expect(pass('no/such', {})).rejects.toMatchObject({ code: 'caller.unknown_method' })
})

test('a call whose time is over is not sent', async () => {
  let sent = 0
  const { clock, pass } = open(async () => {
    sent++
    return {}
  })
  clock.advance(100)
  await expect(pass('tools/call', { name: 'github__create_issue' }, {}, 100)).rejects.toMatchObject({
    code: 'upstream.timeout',
    data: { kind: 'upstream_timeout', upstream: 'github' },
  })
  await pass('tools/call', { name: 'github__create_issue' }, {}, 101)
  expect(sent).toBe(1)
})

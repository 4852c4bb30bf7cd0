import { expect, test } from 'vitest'
import type { JsonObject } from '../jsonrpc/frame.ts'
import { findRevision } from './index.ts'

function codec(revision: string) {
  const found = findRevision(revision)?.methods.get('initialize')
  if (found === undefined) throw new Error(`"${revision}" has no initialize`)
  return found
}

const FULL_CLIENT = {
  experimental: { x: {} },
  roots: {},
  sampling: { context: {}, tools: {} },
  elicitation: { form: {}, url: {} },
  extensions: {
    'io.modelcontextprotocol/tasks': {},
    'io.modelcontextprotocol/skills': {},
    'io.modelcontextprotocol/ui': { mimeTypes: ['text/html'] },
  },
}
const UI_ONLY = { 'io.modelcontextprotocol/ui': { mimeTypes: ['text/html'] } }

test.each<[string, JsonObject]>([
  ['2025-11-25', { ...FULL_CLIENT, extensions: UI_ONLY }],
  ['2025-06-18', { ...FULL_CLIENT, extensions: UI_ONLY, sampling: {}, elicitation: {} }],
  ['2025-03-26', { experimental: { x: {} }, roots: {}, sampling: {}, extensions: UI_ONLY }],
  ['2024-11-05', { experimental: { x: {} }, roots: {}, sampling: {}, extensions: UI_ONLY }],
])('a client tells a server of %s what that revision has', (revision, capabilities) => {
  const params = { protocolVersion: revision, capabilities: FULL_CLIENT, clientInfo: { name: 'c', version: '1' } }
  expect(codec(revision).downParams(params)).toEqual({ ...params, capabilities })
})

test('a client that can only open URLs declares no elicitation where elicitation means forms', () => {
  const params = { capabilities: { elicitation: { url: {} } } }
  expect(codec('2025-06-18').downParams(params)).toEqual({ capabilities: {} })
  expect(codec('2025-11-25').downParams(params)).toBe(params)
})

test.each<[string, JsonObject, JsonObject]>([
  ['2025-11-25', { elicitation: {} }, { elicitation: { form: {} } }],
  ['2025-11-25', { elicitation: { url: {} } }, { elicitation: { url: {} } }],
  ['2025-11-25', { roots: { listChanged: true } }, { roots: {} }],
  ['2025-11-25', { tasks: { list: {} }, sampling: { tools: {} } }, { sampling: { tools: {} } }],
  ['2025-11-25', { extensions: { 'io.modelcontextprotocol/tasks': {} } }, {}],
  ['2025-11-25', { extensions: { 'io.modelcontextprotocol/skills': {} } }, {}],
  ['2025-06-18', { elicitation: {} }, { elicitation: { form: {} } }],
  ['2025-06-18', { elicitation: { url: {} }, sampling: { tools: {} } }, { elicitation: { form: {} }, sampling: {} }],
  ['2025-03-26', { elicitation: {}, sampling: {} }, { sampling: {} }],
  ['2024-11-05', { elicitation: {}, roots: { listChanged: true } }, { roots: {} }],
  ['2024-11-05', { vendor: 1, experimental: { a: {} } }, { vendor: 1, experimental: { a: {} } }],
])('what a client of %s declares as %j is read as %j', (revision, declared, read) => {
  expect(codec(revision).upParams({ capabilities: declared })).toEqual({ capabilities: read })
})

const FULL_SERVER = {
  completions: {},
  logging: {},
  prompts: { listChanged: true },
  resources: { subscribe: true, listChanged: true },
  tools: { listChanged: true },
}

const TASKS = 'io.modelcontextprotocol/tasks'
const CORE = { cancel: {}, requests: { tools: { call: {} } } }

test('a server tells every older client what it can do, and what was not yet a word is not in the way', () => {
  const result = { capabilities: { ...FULL_SERVER, extensions: { [TASKS]: {} } } }
  for (const revision of ['2025-06-18', '2025-03-26', '2024-11-05']) {
    expect(codec(revision).downResult(result)).toEqual({ capabilities: FULL_SERVER })
  }
})

test.each([
  [{}, CORE],
  [{ list: true }, { list: {}, ...CORE }],
])('the tasks extension with %j is core tasks where the core has them', (settings, tasks) => {
  const result = { capabilities: { ...FULL_SERVER, extensions: { [TASKS]: settings } } }
  expect(codec('2025-11-25').downResult(result)).toEqual({ capabilities: { ...FULL_SERVER, tasks } })
})

test('core tasks of an older server count as the extension, where tools can be tasks', () => {
  const read = (capabilities: JsonObject) => codec('2025-11-25').upResult({ capabilities })
  expect(read({ ...FULL_SERVER, tasks: CORE })).toEqual({
    capabilities: { ...FULL_SERVER, extensions: { [TASKS]: {} } },
  })
  expect(read({ ...FULL_SERVER, tasks: { list: {} } })).toEqual({ capabilities: FULL_SERVER })
  expect(read({ ...FULL_SERVER, extensions: { [TASKS]: {} } })).toEqual({
    capabilities: FULL_SERVER,
  })
})

test('no client of a revision before tasks declares any', () => {
  const params = { capabilities: { sampling: {}, tasks: { requests: { sampling: { createMessage: {} } } } } }
  expect(codec('2025-11-25').downParams(params)).toBe(params)
  expect(codec('2025-06-18').downParams(params)).toEqual({ capabilities: { sampling: {} } })
})

test.each(['2025-11-25', '2024-11-05'])('capabilities that are no object pass through %s as they are', (revision) => {
  for (const capabilities of [null, 7, 'x', []]) {
    expect(codec(revision).upParams({ capabilities })).toEqual({ capabilities })
    expect(codec(revision).downResult({ capabilities })).toEqual({ capabilities })
  }
})

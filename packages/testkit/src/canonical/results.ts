import type { JsonObject } from '@crosspoint/mcp'
import fc, { type Arbitrary } from 'fast-check'
import { asked, roots, samplingAnswer } from './asking.ts'
import { block, icons, json, meta, name, resource, resourceContents, text } from './content.ts'
import { tool } from './tools.ts'

/** Arbitrary results of every request, in the newest vocabulary and complete with all it requires. */
export const results: Readonly<Record<string, Arbitrary<JsonObject>>> = {
  'server/discover': cacheable(
    { supportedVersions: fc.constant(['2026-07-28']), capabilities: fc.constant({ tools: {} }), instructions: text },
    ['supportedVersions', 'capabilities'],
  ),
  'tools/list': listed('tools', tool),
  'tools/call': result({ content: fc.array(block, { maxLength: 4 }), structuredContent: json, isError: fc.boolean() }, [
    'content',
  ]),
  'resources/list': listed('resources', resource),
  'resources/templates/list': listed('resourceTemplates', templates()),
  'resources/read': cacheable({ contents: fc.array(resourceContents, { maxLength: 3 }) }, ['contents']),
  'prompts/list': listed('prompts', prompts()),
  'prompts/get': result(
    {
      description: text,
      messages: fc.array(fc.record({ role: fc.constantFrom('user', 'assistant'), content: block }), { maxLength: 3 }),
    },
    ['messages'],
  ),
  'completion/complete': result(
    {
      completion: fc.record(
        { values: fc.array(text, { maxLength: 5 }), total: fc.nat(), hasMore: fc.boolean() },
        { requiredKeys: ['values'] },
      ),
    },
    ['completion'],
  ),
}

/** Arbitrary answers of a client to what a server asks. */
export const answers: Readonly<Record<string, Arbitrary<JsonObject>>> = {
  'sampling/createMessage': samplingAnswer,
  'elicitation/create': asked,
  'roots/list': roots,
}

type Members = Readonly<Record<string, Arbitrary<unknown>>>

function result(members: Members, required: readonly string[]): Arbitrary<JsonObject> {
  const serverInfo = fc.record({ name, version: fc.constant('1.0.0'), icons }, { requiredKeys: ['name', 'version'] })
  const _meta = fc
    .tuple(meta, fc.option(serverInfo, { nil: undefined }))
    .map(([end, info]) => (info === undefined ? end : { ...end, 'io.modelcontextprotocol/serverInfo': info }))
  const model: Members = { resultType: fc.constant('complete'), ...members, _meta }
  return fc.record(model, { requiredKeys: ['resultType', ...required] })
}

function cacheable(members: Members, required: readonly string[]): Arbitrary<JsonObject> {
  return result({ ...members, ttlMs: fc.nat(), cacheScope: fc.constantFrom('public', 'private') }, [
    ...required,
    'ttlMs',
    'cacheScope',
  ])
}

function listed(key: string, item: Arbitrary<unknown>): Arbitrary<JsonObject> {
  return cacheable({ [key]: fc.array(item, { maxLength: 3 }), nextCursor: text }, [key])
}

function templates(): Arbitrary<JsonObject> {
  return fc.record(
    { uriTemplate: name.map((path) => `file:///{${path}}`), name, title: text, description: text, icons, _meta: meta },
    { requiredKeys: ['uriTemplate', 'name'] },
  )
}

function prompts(): Arbitrary<JsonObject> {
  const argument = fc.record(
    { name, title: text, description: text, required: fc.boolean() },
    { requiredKeys: ['name'] },
  )
  return fc.record(
    { name, title: text, description: text, arguments: fc.array(argument, { maxLength: 3 }), icons, _meta: meta },
    { requiredKeys: ['name'] },
  )
}

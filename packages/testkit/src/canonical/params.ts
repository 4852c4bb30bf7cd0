import type { JsonObject } from '@crosspoint/mcp'
import fc, { type Arbitrary } from 'fast-check'
import { plainForm, plainSampling } from './asking.ts'
import { json, name, text, uri } from './content.ts'

/** Arbitrary parameters of every request a client may send, in the newest vocabulary, without `_meta`. */
const paged = fc.record({ cursor: text }, { requiredKeys: [] })

export const params: Readonly<Record<string, Arbitrary<JsonObject>>> = {
  'tools/list': paged,
  'tools/call': fc.record(
    { name, arguments: fc.dictionary(fc.oneof(name, fc.constant('__proto__')), json, { maxKeys: 3 }) },
    { requiredKeys: ['name'] },
  ),
  'resources/list': paged,
  'resources/templates/list': paged,
  'resources/read': fc.record({ uri }),
  'prompts/list': paged,
  'prompts/get': fc.record({ name, arguments: fc.dictionary(name, text, { maxKeys: 3 }) }, { requiredKeys: ['name'] }),
  'completion/complete': fc.record(
    {
      ref: fc.oneof(
        fc.record({ type: fc.constant('ref/prompt'), name }),
        fc.record({ type: fc.constant('ref/resource'), uri }),
      ),
      argument: fc.record({ name, value: text }),
      context: fc.record({ arguments: fc.dictionary(name, text, { maxKeys: 2 }) }),
    },
    { requiredKeys: ['ref', 'argument'] },
  ),
}

/** Arbitrary questions of a server that every revision which has the method can put into words. */
export const questions: Readonly<Record<string, Arbitrary<JsonObject>>> = {
  'sampling/createMessage': plainSampling,
  'elicitation/create': plainForm,
  'roots/list': fc.constant({}),
}

/** Arbitrary parameters of every notification a server may send. */
export const notifications: Readonly<Record<string, Arbitrary<JsonObject>>> = {
  'notifications/progress': fc.record(
    { progressToken: fc.oneof(fc.nat(), name), progress: fc.nat(), total: fc.nat(), message: text },
    { requiredKeys: ['progressToken', 'progress'] },
  ),
  'notifications/message': fc.record(
    { level: fc.constantFrom('debug', 'info', 'warning', 'error', 'emergency'), logger: name, data: json },
    { requiredKeys: ['level', 'data'] },
  ),
  'notifications/cancelled': fc.record(
    { requestId: fc.oneof(fc.nat(), name), reason: text },
    { requiredKeys: ['requestId'] },
  ),
  'notifications/tools/list_changed': tagged({}),
  'notifications/prompts/list_changed': tagged({}),
  'notifications/resources/list_changed': tagged({}),
  'notifications/resources/updated': tagged({ uri }),
}

function tagged(members: Readonly<Record<string, Arbitrary<unknown>>>): Arbitrary<JsonObject> {
  const _meta = fc.record({ 'io.modelcontextprotocol/subscriptionId': fc.oneof(fc.nat(), name) })
  return fc.record({ ...members, _meta })
}

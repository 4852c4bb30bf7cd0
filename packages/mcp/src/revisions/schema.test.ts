import {
  answers,
  json,
  notifications,
  params,
  questions,
  results,
  samplingRequest,
  text,
} from '@crosspoint/testkit/canonical'
import { createReferee, type Referee, readOfficialExamples } from '@crosspoint/testkit/referee'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { McpError } from '../errors.ts'
import type { JsonObject, RpcError } from '../jsonrpc/frame.ts'
import { CALLER_LIMITS } from '../jsonrpc/limits.ts'
import { parseMessage } from '../jsonrpc/parse.ts'
import { CLIENT_CAPABILITIES, PROTOCOL_VERSION } from '../protocol/envelope.ts'
import { NEWEST, REVISIONS } from './index.ts'
import type { MethodCodec, Revision } from './revision.ts'

/** The official schemas are the judges here: what we write must be valid for whoever reads it. */
const judged = REVISIONS.map((revision): [string, Revision, Referee | undefined] => [
  revision.name,
  revision,
  createReferee(revision.name),
])
const isMissing = judged.some(([, , referee]) => referee === undefined)

/** What the official schemas call the messages of a method. */
const TYPES: Readonly<Record<string, string>> = {
  'server/discover': 'Discover',
  'tools/list': 'ListTools',
  'tools/call': 'CallTool',
  'resources/list': 'ListResources',
  'resources/templates/list': 'ListResourceTemplates',
  'resources/read': 'ReadResource',
  'prompts/list': 'ListPrompts',
  'prompts/get': 'GetPrompt',
  'completion/complete': 'Complete',
  'sampling/createMessage': 'CreateMessage',
  'elicitation/create': 'Elicit',
  'roots/list': 'ListRoots',
  'notifications/progress': 'Progress',
  'notifications/message': 'LoggingMessage',
  'notifications/cancelled': 'Cancelled',
  'notifications/tools/list_changed': 'ToolListChanged',
  'notifications/prompts/list_changed': 'PromptListChanged',
  'notifications/resources/list_changed': 'ResourceListChanged',
  'notifications/resources/updated': 'ResourceUpdated',
}

describe.skipIf(isMissing).each(judged)('%s', (_, revision, referee) => {
  describe.each(methodsIn(results, revision))('%s', (method, result, codec) => {
    test('a result is valid when written down, and its official parts survive the way back up', () => {
      fc.assert(
        fc.property(result, (value) => {
          const written = codec.downResult(value)
          expect(referee?.fault(`${TYPES[method]}Result`, written)).toBeUndefined()
          const read = codec.upResult(written)
          // Once in older words nothing more is lost.
          expect(codec.upResult(codec.downResult(read))).toEqual(read)
          if (revision === NEWEST) expect(read).toBe(value)
        }),
        { numRuns: 200 },
      )
    })
  })

  test.each(methodsIn(params, revision))('%s: parameters are valid when written down', (method, given, codec) => {
    fc.assert(
      fc.property(given, (value) => {
        const written = codec.downParams(value)
        expect(fault(`${TYPES[method]}Request`, { ...call(method), params: withEnvelope(written) })).toBeUndefined()
        expect(codec.upParams(written)).toEqual(value)
      }),
    )
  })

  test.each(methodsIn(notifications, revision))('%s is valid when written down', (method, given, codec) => {
    fc.assert(
      fc.property(given, (value) => {
        const written = codec.downParams(value)
        expect(fault(`${TYPES[method]}Notification`, { jsonrpc: '2.0', method, params: written })).toBeUndefined()
      }),
    )
  })

  test.each(asked(questions))('%s: a question is valid when written down', (method, given, codec) => {
    fc.assert(
      fc.property(given, (value) => {
        const written = attempt(codec.downParams, value, 'caller.missing_capability')
        if (written === undefined) return
        expect(fault(`${TYPES[method]}Request`, { ...call(method), params: written })).toBeUndefined()
      }),
      { numRuns: 200 },
    )
  })

  test('a question to a model, with tools or without, is valid when written down or refused', () => {
    const codec = codecOf('sampling/createMessage')
    fc.assert(
      fc.property(samplingRequest, (value) => {
        const written = attempt(codec.downParams, value, 'caller.missing_capability')
        if (written === undefined) return
        expect(fault('CreateMessageRequest', { ...call('sampling/createMessage'), params: written })).toBeUndefined()
      }),
      { numRuns: 200 },
    )
  })

  test.each(asked(answers))('%s: an answer is valid when written down or refused', (method, given, codec) => {
    fc.assert(
      fc.property(given, (value) => {
        const written = attempt(codec.downResult, value, 'upstream.protocol')
        if (written !== undefined) expect(fault(`${TYPES[method]}Result`, written)).toBeUndefined()
      }),
      { numRuns: 200 },
    )
  })

  test('an error is valid when written down, whatever its code', () => {
    const type = referee?.has('JSONRPCErrorResponse') ? 'JSONRPCErrorResponse' : 'JSONRPCError'
    const error = fc.record({ code: fc.integer({ min: -33000, max: 1100 }), message: text, data: json })
    fc.assert(
      fc.property(error, (value) => {
        const written = revision.downError(revision.upError(value, 'resources/read'), 'resources/read')
        expect(fault(type, { jsonrpc: '2.0', id: 1, error: written })).toBeUndefined()
      }),
    )
  })

  test('an error may leave its id out exactly where the trait says so', () => {
    const type = referee?.has('JSONRPCErrorResponse') ? 'JSONRPCErrorResponse' : 'JSONRPCError'
    const error: RpcError = { code: -32700, message: 'm' }
    expect(fault(type, { jsonrpc: '2.0', error }) === undefined).toBe(revision.traits.errorWithoutId)
  })

  function fault(type: string, value: unknown): string | undefined {
    return referee?.fault(type, value)
  }

  function codecOf(method: string): MethodCodec {
    const codec = revision.methods.get(method) ?? REVISIONS[1]?.methods.get(method)
    if (codec === undefined) throw new Error(`No revision has "${method}"`)
    return codec
  }

  /** Questions travel inside a result in the newest revision, in the words of its older neighbour. */
  function asked(arbitraries: Arbitraries): readonly Row[] {
    return Object.entries(arbitraries)
      .filter(([method]) => revision === NEWEST || revision.methods.has(method))
      .map(([method, arbitrary]) => [method, arbitrary, revision === NEWEST ? IDENTITY : codecOf(method)])
  }
})

type Arbitraries = Readonly<Record<string, fc.Arbitrary<JsonObject>>>
type Row = [string, fc.Arbitrary<JsonObject>, Omit<MethodCodec, 'descriptor' | 'needs'>]

const same = (value: JsonObject) => value
const IDENTITY = { upParams: same, downParams: same, upResult: same, downResult: same }

function methodsIn(arbitraries: Arbitraries, revision: Revision): readonly Row[] {
  return Object.entries(arbitraries).flatMap(([method, arbitrary]): Row[] => {
    const codec = revision.methods.get(method)
    return codec === undefined ? [] : [[method, arbitrary, codec]]
  })
}

function call(method: string): JsonObject {
  return { jsonrpc: '2.0', id: 1, method }
}

/** What an edge of the newest revision adds; older ones do not mind it. */
function withEnvelope(written: JsonObject): JsonObject {
  return { ...written, _meta: { [PROTOCOL_VERSION]: NEWEST.name, [CLIENT_CAPABILITIES]: {} } }
}

/** Undefined where the revision has no words for it, which must be said with this code. */
function attempt(step: (value: JsonObject) => JsonObject, value: JsonObject, code: string): JsonObject | undefined {
  try {
    return step(value)
  } catch (error) {
    expect(error).toBeInstanceOf(McpError)
    expect(error).toMatchObject({ code })
    return undefined
  }
}

describe.skipIf(isMissing)('the official examples of the newest revision', () => {
  const examples = readOfficialExamples(NEWEST.name)
  const referee = judged[0]?.[2]

  test('are all there', () => {
    expect(examples).toHaveLength(129)
  })

  test.each(examples.map(({ path, type, text }) => [path, type, text]))('%s is valid', (_, type, text) => {
    expect(referee?.fault(type, JSON.parse(text))).toBeUndefined()
  })

  const frames = examples.filter(({ text }) => Object.hasOwn(JSON.parse(text) as object, 'jsonrpc'))

  test.each(frames.map(({ path, text }) => [path, text]))('%s is a frame we read', (_, text) => {
    const frame = parseMessage(text, CALLER_LIMITS)
    const { kind, ...members } = frame as unknown as JsonObject // no example is a batch
    expect(JSON.parse(text)).toMatchObject(members)
    expect(typeof kind).toBe('string')
  })

  const methods = Object.entries(TYPES)
  const found = examples.flatMap(({ path, type, text }): [string, string, 'params' | 'result', JsonObject][] => {
    const value = JSON.parse(text) as JsonObject // every example is an object
    return methods.flatMap(([method, base]): [string, string, 'params' | 'result', JsonObject][] => {
      if (type === `${base}Request` || type === `${base}Notification`) {
        return [[path, method, 'params', (value.params ?? {}) as JsonObject]]
      }
      if (type.startsWith(`${base}RequestParams`) || type === `${base}NotificationParams`)
        return [[path, method, 'params', value]]
      if (type === `${base}Result`) return [[path, method, 'result', value]]
      return type === `${base}ResultResponse` ? [[path, method, 'result', value.result as JsonObject]] : []
    })
  })

  test.each(found)(
    '%s passes through every revision that has "%s", and the newest changes nothing',
    (_, method, part, value) => {
      for (const revision of REVISIONS) {
        const codec = revision.methods.get(method)
        if (codec === undefined) continue
        const [down, up] = part === 'params' ? [codec.downParams, codec.upParams] : [codec.downResult, codec.upResult]
        const frozen = deepFreeze(value)
        const isAsking = codec.descriptor.from === 'server' && codec.descriptor.kind === 'request'
        const written = isAsking
          ? attempt(down, frozen, part === 'params' ? 'caller.missing_capability' : 'upstream.protocol')
          : down(frozen)
        if (written === undefined) continue
        const read = up(deepFreeze(written))
        if (revision === NEWEST) expect(read).toBe(value)
        else if (revision === REVISIONS[1]) expect(withoutNewMembers(value)).toMatchObject(withoutNewMembers(read))
      }
    },
  )

  test('no kind of message is without an example that passes', () => {
    expect(new Set(found.map(([, method]) => method)).size).toBeGreaterThan(15)
  })
})

function deepFreeze<T>(value: T): T {
  if (typeof value === 'object' && value !== null) Object.values(Object.freeze(value)).forEach(deepFreeze)
  return value
}

/** What the neighbour cannot say, and what is said differently there by rule (structured output, sampling). */
function withoutNewMembers(value: JsonObject): JsonObject {
  const { resultType: _, ttlMs: __, cacheScope: ___, _meta, structuredContent: ____, tools: _____, ...rest } = value
  return rest
}

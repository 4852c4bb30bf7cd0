import { describe, expect, test } from 'vitest'
import { METHODS } from '../protocol/methods.ts'
import {
  ENVELOPE_REVISIONS,
  findRevision,
  HANDSHAKE_REVISIONS,
  NEWEST,
  NEWEST_HANDSHAKE,
  REVISIONS,
  UNNAMED_HTTP,
} from './index.ts'

// Columns A to E of the protocol's matrix: ● the revision has it, – it has not, ◐ only as an entry of `inputRequests`,
// which is no method of its own.
const NAMES = ['2024-11-05', '2025-03-26', '2025-06-18', '2025-11-25', '2026-07-28']
const MATRIX: readonly [methods: string, marks: string][] = [
  ['initialize ping', '●●●●–'],
  ['server/discover', '––––●'],
  ['tools/list tools/call', '●●●●●'],
  ['resources/list resources/templates/list resources/read', '●●●●●'],
  ['resources/subscribe resources/unsubscribe', '●●●●–'],
  ['prompts/list prompts/get', '●●●●●'],
  ['completion/complete', '●●●●●'],
  ['logging/setLevel', '●●●●–'],
  ['subscriptions/listen', '––––●'],
  ['skills/list skills/get resources/directory/read', '––––●'],
  ['sampling/createMessage roots/list', '●●●●◐'],
  ['elicitation/create', '––●●◐'],
  ['tasks/get tasks/cancel', '–––●●'],
  ['tasks/update notifications/tasks', '––––●'],
  ['tasks/result tasks/list', '–––●–'],
  ['notifications/initialized', '●●●●–'],
  ['notifications/cancelled notifications/progress notifications/message', '●●●●●'],
  ['notifications/tools/list_changed notifications/prompts/list_changed', '●●●●●'],
  ['notifications/resources/list_changed notifications/resources/updated', '●●●●●'],
  ['notifications/roots/list_changed', '●●●●–'],
  ['notifications/elicitation/complete', '–––●–'],
  ['notifications/tasks/status', '–––●–'],
  ['notifications/subscriptions/acknowledged', '––––●'],
]

const rows = MATRIX.flatMap(([methods, marks]) => methods.split(' ').map((method): [string, string] => [method, marks]))

test.each(rows)('"%s" is in the revisions %s, oldest first', (method, marks) => {
  const has = NAMES.map((name) => (findRevision(name)?.methods.has(method) ? '●' : '–')).join('')
  expect(has).toBe(marks.replace('◐', '–'))
})

test('the matrix names every method there is, and no other', () => {
  expect(rows.map(([method]) => method).sort()).toEqual([...METHODS.keys()].sort())
})

describe('directions', () => {
  test.each([
    ['sampling/createMessage', 'server'],
    ['elicitation/create', 'server'],
    ['roots/list', 'server'],
    ['ping', 'both'],
    ['initialize', 'client'],
    ['tools/call', 'client'],
    ['notifications/initialized', 'client'],
    ['notifications/roots/list_changed', 'client'],
    ['notifications/message', 'server'],
    ['notifications/resources/updated', 'server'],
    ['notifications/cancelled', 'both'],
    ['notifications/progress', 'both'],
    ['tasks/get', 'both'],
    ['tasks/update', 'client'],
    ['notifications/tasks', 'server'],
  ])('"%s" is sent by %s', (method, from) => {
    expect(METHODS.get(method)?.from).toBe(from)
  })

  test('only the three questions and ping may be asked of a client', () => {
    const asked = [...METHODS.values()].filter(
      (d) => d.kind === 'request' && d.from !== 'client' && d.feature !== 'tasks',
    )
    expect(asked.map((d) => d.name).sort()).toEqual([
      'elicitation/create',
      'ping',
      'roots/list',
      'sampling/createMessage',
    ])
  })

  test('only calls, prompts and reads may be answered with a question', () => {
    const may = [...METHODS.values()].filter((d) => d.mayAsk).map((d) => d.name)
    expect(may.sort()).toEqual(['prompts/get', 'resources/read', 'tools/call'])
  })

  test('exactly the kinds of result that carry caching hints say so', () => {
    const cacheable = [...METHODS.values()].filter((d) => d.cacheable).map((d) => d.name)
    const expected =
      'prompts/list resources/list resources/read resources/templates/list server/discover skills/get skills/list tools/list'
    expect(cacheable.sort().join(' ')).toBe(expected)
  })
})

describe('traits, oldest revision first', () => {
  test.each([
    ['lifecycle', ['handshake', 'handshake', 'handshake', 'handshake', 'envelope']],
    ['http', ['sse', 'streamable', 'streamable', 'streamable', 'streamable']],
    ['sessions', [false, true, true, true, false]],
    ['batching', [false, true, false, false, false]],
    ['completionContext', [false, false, true, true, true]],
    ['versionHeader', ['none', 'none', 'after-initialize', 'after-initialize', 'always']],
    ['standardHeaders', [false, false, false, false, true]],
    ['resumable', [false, true, true, true, false]],
    ['priming', [false, false, false, true, false]],
    ['serverRequests', [true, true, true, true, false]],
    ['subscriptions', ['subscribe', 'subscribe', 'subscribe', 'subscribe', 'listen']],
    ['logLevel', ['session', 'session', 'session', 'session', 'request']],
    ['disconnectCancels', [false, false, false, false, true]],
    ['tasks', ['none', 'none', 'none', 'core', 'extension']],
    ['resultType', [false, false, false, false, true]],
    ['cacheHints', [false, false, false, false, true]],
    ['errorCodes', ['legacy', 'legacy', 'legacy', 'legacy', 'modern']],
    ['errorWithoutId', [false, false, false, true, true]],
  ] as const)('%s', (trait, values) => {
    expect(NAMES.map((name) => findRevision(name)?.traits[trait])).toEqual(values)
  })

  test('there is no trait without a row above', () => {
    expect(Object.keys(NEWEST.traits)).toHaveLength(18)
  })
})

describe('finding a revision', () => {
  test('every date is found, and the newest comes first', () => {
    expect(REVISIONS.map((revision) => revision.name)).toEqual([...NAMES].reverse())
    expect(NEWEST.name).toBe('2026-07-28')
  })

  test('an initialize is never answered with a revision that has none', () => {
    expect(NEWEST_HANDSHAKE.name).toBe('2025-11-25')
    expect(HANDSHAKE_REVISIONS.every((revision) => revision.methods.has('initialize'))).toBe(true)
    expect(ENVELOPE_REVISIONS.some((revision) => revision.methods.has('initialize'))).toBe(false)
  })

  test('a request over HTTP that names no version speaks the first with streamable HTTP', () => {
    expect(UNNAMED_HTTP.name).toBe('2025-03-26')
  })

  test('the pre-release name of the first revision means the first revision', () => {
    expect(findRevision('2024-10-07')?.name).toBe('2024-11-05')
  })

  test.each(['', '2023-01-01', '2025-06-18 ', '__proto__', 'constructor', 'DRAFT-2026'])(
    '"%s" is no revision',
    (name) => {
      expect(findRevision(name)).toBeUndefined()
    },
  )
})

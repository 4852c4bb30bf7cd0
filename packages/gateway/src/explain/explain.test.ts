import { findRevision, REVISIONS, type Revision } from '@crosspoint/mcp'
import { describe, expect, it } from 'vitest'
import { explainPairing } from './pairing.ts'
import { explainTools } from './tools.ts'

const schema = { type: 'object' }
const revision = (name: string): Revision => {
  const found = findRevision(name)
  if (found === undefined) throw new Error(`No revision ${name}`)
  return found
}

describe('what becomes of the tools of a server', () => {
  const explain = (tools: readonly unknown[], client: string, more = {}) =>
    explainTools(
      { tools, plain: new Set(['one', 'two']), server: 'github', prefix: 'gh', selection: {}, ...more },
      revision(client),
    )

  it('says what is different in the words of an older client, member by member', () => {
    const tool = { name: 'one', title: 'One', inputSchema: schema, outputSchema: { type: 'array' } }
    expect(explain([tool], '2026-07-28')).toEqual([{ native: 'one', name: 'gh__one', notes: [] }])
    expect(explain([tool], '2025-11-25')).toMatchObject([{ notes: ['"outputSchema" in the words of 2025-11-25'] }])
    expect(explain([tool], '2025-03-26')).toMatchObject([
      { notes: [expect.stringMatching(/^without .*"outputSchema".*, which 2025-03-26 does not have$/)] },
    ])
  })

  it('says why one is missing', () => {
    const tools = [
      { name: 'one', inputSchema: schema },
      { name: 'one', inputSchema: schema },
      { name: 'two', inputSchema: { type: 'array' } },
      { name: 'three', inputSchema: schema },
      { inputSchema: schema },
    ]
    const seen = explain(tools, '2026-07-28', { selection: { exclude: ['three'] } })
    expect(seen.map(({ native, name, notes }) => [native, name, notes[0]])).toEqual([
      ['one', 'gh__one', undefined],
      ['one', undefined, 'missing: a tool before it has the same name'],
      ['two', undefined, 'missing: its "inputSchema" is not an object of "type": "object"'],
      ['three', undefined, 'missing: "tools" of the server "github" in the configuration leaves it out'],
      ['#5', undefined, 'missing: it has no name'],
    ])
  })

  it('says what clients would not have let through', () => {
    const inputSchema = { type: 'object', properties: { a: { type: 'string', 'x-mcp-header': 'A B' } } }
    expect(explain([{ name: 'one', inputSchema }], '2026-07-28')).toMatchObject([
      { name: 'gh__one', notes: ['without an annotation that is not valid: "x-mcp-header" is not a header name'] },
    ])
  })

  it('says which work for some clients only', () => {
    expect(explain([{ name: 'ask', inputSchema: schema }], '2026-07-28')).toMatchObject([
      { name: 'gh__ask', notes: ['works only for clients that declare what it asks of them'] },
    ])
  })
})

describe('how features fare between two revisions', () => {
  const all = { tools: { listChanged: true }, resources: { subscribe: true }, completions: {}, logging: {} }
  const fares = (client: string, server: string) =>
    Object.fromEntries(
      explainPairing(revision(client), revision(server), all).map(({ feature, fares }) => [feature, fares]),
    )

  it('of one revision everything it has is as it is', () => {
    for (const { name } of REVISIONS) expect(Object.values(fares(name, name))).not.toContain('carried')
  })

  it('across the eras questions, changes and log messages are carried', () => {
    for (const [client, server] of [
      ['2025-11-25', '2026-07-28'],
      ['2026-07-28', '2025-11-25'],
    ] as const) {
      expect(fares(client, server)).toMatchObject({
        forms: 'carried',
        pages: 'carried',
        sampling: 'carried',
        roots: 'carried',
        'changes of lists': 'carried',
        'log messages': 'carried',
      })
    }
    expect(fares('2025-11-25', '2026-07-28')['structured output']).toBe('carried')
  })

  it('what one of them has no words for is no, with the reason', () => {
    expect(fares('2025-06-18', '2026-07-28')).toMatchObject({ forms: 'carried', pages: 'no' })
    expect(fares('2024-11-05', '2026-07-28')).toMatchObject({ forms: 'no', sampling: 'carried', roots: 'carried' })
    const [forms] = explainPairing(revision('2026-07-28'), revision('2025-03-26'), {})
    expect(forms).toEqual({ feature: 'forms', fares: 'no', how: 'servers of 2025-03-26 do not ask for that' })
    expect(explainPairing(revision('2026-07-28'), revision('2025-03-26'), {}).at(-1)).toMatchObject({ fares: 'no' })
  })
})

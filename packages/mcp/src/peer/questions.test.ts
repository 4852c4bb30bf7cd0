import { createFakeClock } from '@crosspoint/testkit'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { McpError } from '../errors.ts'
import type { JsonObject, ReplyFrame } from '../jsonrpc/frame.ts'
import { CancellationSource } from '../protocol/cancellation.ts'
import type { ClientCapabilities } from '../protocol/capabilities.ts'
import { findRevision, HANDSHAKE_REVISIONS, NEWEST_HANDSHAKE } from '../revisions/index.ts'
import type { Revision } from '../revisions/revision.ts'
import { type Asker, Questions } from './questions.ts'

const ALL: ClientCapabilities = { sampling: { tools: {} }, elicitation: { form: {}, url: {} }, roots: {} }
const ROOTS = { method: 'roots/list', params: {} }
const FORM = { method: 'elicitation/create', params: { message: 'Who?', requestedSchema: { type: 'object' } } }
const PAGE = { method: 'elicitation/create', params: { mode: 'url', message: 'Go', url: 'https://example.com' } }
const SAMPLE = { method: 'sampling/createMessage', params: { messages: [], maxTokens: 1 } }
const WITH_TOOLS = { ...SAMPLE, params: { ...SAMPLE.params, tools: [{ name: 't' }] } }

function open(capabilities = ALL, revision: Revision = NEWEST_HANDSHAKE, max = 64) {
  const clock = createFakeClock()
  const questions = new Questions({ clock, revision, capabilities, timeoutMs: 600_000, max, tell: () => {} })
  const createAsker = () => {
    const sent: { id?: number; method: string; params: JsonObject }[] = []
    const asker: Asker & { sent: typeof sent; isGone: boolean } = {
      sent,
      isGone: false,
      send(text) {
        if (this.isGone) return false
        sent.push(JSON.parse(text))
        return true
      },
    }
    return asker
  }
  return { clock, questions, createAsker, asker: createAsker() }
}

const result = (id: number, value: JsonObject = {}): ReplyFrame => ({ kind: 'result', id, result: value })
const outcomeOf = (asked: Promise<unknown>) =>
  asked.then(
    (value) => ({ value }),
    (error: unknown) => ({ code: error instanceof McpError ? error.code : String(error), error: error as McpError }),
  )

describe('Questions', () => {
  it('sends a request with an id of its own and resolves with the answer', async () => {
    const { questions, asker, clock } = open()
    const first = questions.ask(asker, ROOTS)
    const second = questions.ask(asker, SAMPLE)
    const [a, b] = asker.sent
    expect([a?.method, b?.method]).toEqual(['roots/list', 'sampling/createMessage'])
    expect(questions.settle(result(b?.id ?? 0, { model: 'm' }))).toBe(true)
    expect(questions.settle(result(a?.id ?? 0, { roots: [] }))).toBe(true)
    expect(await first).toEqual({ roots: [] })
    expect(await second).toEqual({ model: 'm' })
    expect(clock.pending).toBe(0)
  })

  it('takes an answer once, and none to what was never asked', async () => {
    const { questions, asker } = open()
    const asked = questions.ask(asker, ROOTS)
    expect(questions.settle(result(99))).toBe(false)
    expect(questions.settle({ kind: 'result', id: '1', result: {} })).toBe(false)
    expect(questions.settle({ kind: 'error', id: undefined, error: { code: -32700, message: 'What?' } })).toBe(false)
    expect(questions.settle(result(1, { roots: [1] }))).toBe(true)
    expect(questions.settle(result(1, { roots: [2] }))).toBe(false)
    expect(await asked).toEqual({ roots: [1] })
  })

  it('an error of the client says that it would not, in words fit to be read', async () => {
    const { questions, asker } = open()
    const asked = questions.ask(asker, SAMPLE)
    questions.settle({ kind: 'error', id: 1, error: { code: -1, message: 'User rejected\u001b[31m' } })
    const { error } = (await outcomeOf(asked)) as { error: McpError }
    expect(error).toMatchObject({ code: 'caller.unanswered', data: { code: -1, reason: 'User rejected\uFFFD[31m' } })
    expect(error.message).not.toContain('\u001b')
  })

  it('takes back what nobody answers for too long', async () => {
    const { questions, asker, clock } = open()
    const asked = outcomeOf(questions.ask(asker, ROOTS))
    clock.advance(599_999)
    expect(questions.size).toBe(1)
    clock.advance(1)
    expect(await asked).toMatchObject({ code: 'caller.unanswered' })
    expect(asker.sent[1]).toMatchObject({ method: 'notifications/cancelled', params: { requestId: 1 } })
  })

  it('takes back what was asked for a call that is over, and nothing else', async () => {
    const { questions, createAsker } = open()
    const one = createAsker()
    const other = createAsker()
    const asked = outcomeOf(questions.ask(one, ROOTS))
    const stays = questions.ask(other, ROOTS)
    questions.withdraw(one, new McpError('caller.cancelled', 'Over'))
    expect(await asked).toMatchObject({ code: 'caller.cancelled' })
    expect(one.sent.map(({ method }) => method)).toEqual(['roots/list', 'notifications/cancelled'])
    questions.settle(result(other.sent[0]?.id ?? 0, { roots: [] }))
    expect(await stays).toEqual({ roots: [] })
  })

  it('takes back a question whose answer is not wanted any more', async () => {
    const { questions, asker, clock } = open()
    const withdrawn = new CancellationSource()
    const asked = outcomeOf(questions.ask(asker, ROOTS, withdrawn))
    withdrawn.cancel('The server took its question back')
    expect(await asked).toMatchObject({ code: 'caller.cancelled' })
    expect(asker.sent[1]).toMatchObject({ method: 'notifications/cancelled', params: { requestId: 1 } })
    expect([questions.size, clock.pending]).toEqual([0, 0])
  })

  it('fails all with the conversation, and asks nothing after it', async () => {
    const { questions, asker, clock } = open()
    const asked = outcomeOf(questions.ask(asker, ROOTS))
    questions.end(new McpError('caller.cancelled', 'Gone'))
    expect(await asked).toMatchObject({ code: 'caller.cancelled' })
    expect(await outcomeOf(questions.ask(asker, ROOTS))).toMatchObject({ code: 'caller.cancelled' })
    expect(clock.pending).toBe(0)
  })

  it('says at once when nothing reaches the client', async () => {
    const { questions, asker, clock } = open()
    asker.isGone = true
    expect(await outcomeOf(questions.ask(asker, ROOTS))).toMatchObject({ code: 'caller.unanswered' })
    expect([questions.size, clock.pending]).toEqual([0, 0])
  })

  it('no more than the bound at once', async () => {
    const { questions, asker } = open(ALL, NEWEST_HANDSHAKE, 1)
    const first = questions.ask(asker, ROOTS)
    expect(await outcomeOf(questions.ask(asker, ROOTS))).toMatchObject({ code: 'policy.limit' })
    questions.settle(result(1))
    await first
  })

  it.each([
    ['trap-15: sampling that was not declared', {}, SAMPLE, { sampling: {} }],
    ['trap-15: tools in sampling that were not', { sampling: {} }, WITH_TOOLS, { sampling: { tools: {} } }],
    ['trap-15: roots that were not', {}, ROOTS, { roots: {} }],
    ['trap-15: forms that were not', {}, FORM, { elicitation: { form: {} } }],
    [
      'trap-37: an empty elicitation capability means forms only',
      { elicitation: {} },
      PAGE,
      { elicitation: { url: {} } },
    ],
    [
      'trap-37: one that has only pages has no forms',
      { elicitation: { url: {} } },
      FORM,
      { elicitation: { form: {} } },
    ],
  ])('%s', async (_title, capabilities, request, requiredCapabilities) => {
    const { questions, asker } = open(capabilities)
    const { error } = (await outcomeOf(questions.ask(asker, request))) as { error: McpError }
    expect(error).toMatchObject({ code: 'caller.missing_capability', data: { requiredCapabilities } })
    expect(asker.sent).toEqual([])
  })

  it('trap-37: an empty elicitation capability is asked by form', () => {
    const { questions, asker } = open({ elicitation: {} })
    void questions.ask(asker, FORM)
    expect(asker.sent).toHaveLength(1)
  })

  it.each(HANDSHAKE_REVISIONS.map(({ name }) => name))('%s: is asked what its revision has', async (name) => {
    const revision = findRevision(name)
    if (revision === undefined) throw new Error('No such revision')
    const { questions, asker } = open(ALL, revision)
    void questions.ask(asker, ROOTS)
    void questions.ask(asker, SAMPLE)
    expect(asker.sent).toHaveLength(2)
    if (revision.methods.has('elicitation/create')) {
      void questions.ask(asker, FORM)
      expect(asker.sent[2]?.method).toBe('elicitation/create')
    } else {
      expect(await outcomeOf(questions.ask(asker, FORM))).toMatchObject({
        code: 'caller.missing_capability',
        error: { data: { requiredCapabilities: { elicitation: { form: {} } } } },
      })
    }
  })

  it('names a page where the client is told later that it is done with it', () => {
    const { questions, asker } = open()
    void questions.ask(asker, PAGE)
    void questions.ask(asker, { ...PAGE, params: { ...PAGE.params, elicitationId: 'mine' } })
    expect(asker.sent[0]?.params.elicitationId).toMatch(/^[0-9a-f-]{36}$/)
    expect(asker.sent[1]?.params.elicitationId).toBe('mine')
  })

  it('whatever happens in whatever order, each question ends once, ids are never reused, and no timer is left', async () => {
    const step = fc.oneof(
      fc.record({ kind: fc.constant('ask' as const), asker: fc.nat(2) }),
      fc.record({ kind: fc.constant('settle' as const), id: fc.nat(12) }),
      fc.record({ kind: fc.constant('refuse' as const), id: fc.nat(12) }),
      fc.record({ kind: fc.constant('withdraw' as const), asker: fc.nat(2) }),
      fc.record({ kind: fc.constant('wait' as const), ms: fc.nat(400_000) }),
    )
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 30 }), async (steps) => {
        const { questions, clock, createAsker } = open(ALL, NEWEST_HANDSHAKE, 4)
        const askers = [createAsker(), createAsker(), createAsker()] as const
        const outcomes: Promise<unknown>[] = []
        let settled = 0
        for (const at of steps) {
          const asker = askers['asker' in at ? (at.asker as 0) : 0]
          if (at.kind === 'ask') outcomes.push(outcomeOf(questions.ask(asker, ROOTS)))
          else if (at.kind === 'withdraw') questions.withdraw(asker, new McpError('caller.cancelled', 'Over'))
          else if (at.kind === 'wait') clock.advance(at.ms)
          else if (at.kind === 'settle') settled += Number(questions.settle(result(at.id)))
          else questions.settle({ kind: 'error', id: at.id, error: { code: -1, message: 'No' } })
          expect(questions.size).toBeLessThanOrEqual(4)
          expect(clock.pending).toBe(questions.size)
        }
        questions.end(new McpError('caller.cancelled', 'Gone'))
        expect([questions.size, clock.pending]).toEqual([0, 0])
        const ended = await Promise.all(outcomes)
        expect(
          ended.filter((outcome) => typeof outcome === 'object' && outcome !== null && 'value' in outcome),
        ).toHaveLength(settled)
        const ids = askers.flatMap(({ sent }) => sent.flatMap(({ id }) => id ?? []))
        expect(new Set(ids).size).toBe(ids.length)
        const cancelled = askers.flatMap(({ sent }) =>
          sent.filter(({ method }) => method === 'notifications/cancelled'),
        )
        expect(new Set(cancelled.map(({ params }) => params.requestId)).size).toBe(cancelled.length)
      }),
    )
  })
})

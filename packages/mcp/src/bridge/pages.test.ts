import { recordCall } from '@crosspoint/testkit'
import { describe, expect, it } from 'vitest'
import { Pages } from './pages.ts'

const COMPLETE = 'notifications/elicitation/complete'

/** A caller, and by which ids it was told that a visit is over. */
function visitor(id: string, session?: string) {
  const { call, heard } = recordCall('tools/call', {}, { principal: { id, tenant: 'default' } })
  const told = () => heard.filter(({ method }) => method === COMPLETE).map(({ params }) => params.elicitationId)
  return { call: { ...call, downstream: { ...call.downstream, session } }, told }
}

describe('pages that callers were sent to', () => {
  it('abuse-42: of two callers with a page of one name, each hears of its own visit only', () => {
    const pages = new Pages()
    const [anna, bert, again] = [visitor('anna'), visitor('bert'), visitor('anna', 'second')]
    for (const { call } of [anna, bert, again]) pages.sent('e-1', call)
    pages.complete('e-1', anna.call)
    expect([anna.told(), bert.told(), again.told()]).toEqual([['e-1'], [], []])
    pages.complete('e-1', again.call)
    pages.complete('e-1', bert.call)
    pages.complete('e-1', bert.call)
    expect([anna.told(), bert.told(), again.told()]).toEqual([['e-1'], ['e-1'], ['e-1']])
  })

  it('abuse-42: over a connection that callers share, a name that two were given tells neither', () => {
    const pages = new Pages()
    const [anna, bert] = [visitor('anna'), visitor('bert')]
    let woken = 0
    pages.sent('e-1', anna.call)
    pages.await('e-1', bert.call, () => woken++)
    pages.sent('e-2', bert.call)
    for (const id of ['e-1', 'e-1', 'e-2', 'e-3']) pages.complete(id)
    expect([anna.told(), bert.told(), woken]).toEqual([[], ['e-2'], 0])
    pages.sent('e-1', bert.call)
    pages.complete('e-1')
    expect([anna.told(), bert.told()]).toEqual([[], ['e-2', 'e-1']])
  })

  it('all calls of one caller that wait for a visit hear of it, but those that have ended', () => {
    const pages = new Pages()
    const { call, told } = visitor('anna')
    const woken: number[] = []
    const [first] = [1, 2, 3].map((number) => pages.await('e-1', call, () => woken.push(number)))
    first?.()
    first?.()
    pages.sent('e-1', call)
    pages.sent('e-1', call)
    pages.complete('e-1')
    expect([woken, told()]).toEqual([[2, 3], ['e-1']])
  })

  it('abuse-42: a caller who is sent to many pages pushes out its own, the oldest first, and none of others', () => {
    const pages = new Pages()
    const [anna, bert] = [visitor('anna'), visitor('bert')]
    pages.sent('e-1', bert.call)
    for (let i = 0; i < 5_000; i++) pages.sent(`a-${i}`, anna.call)
    for (let i = 0; i < 5_000; i++) pages.complete(`a-${i}`)
    pages.complete('e-1')
    expect(bert.told()).toEqual(['e-1'])
    expect(anna.told()).toEqual(Array.from({ length: 64 }, (_, at) => `a-${at + 5_000 - 64}`))
  })

  it('many callers together have so many pages, and who has few keeps them', () => {
    const pages = new Pages()
    const bert = visitor('bert')
    const crowd = Array.from({ length: 64 }, (_, at) => visitor(`caller-${at}`))
    pages.sent('e-1', bert.call)
    for (const [at, { call }] of crowd.entries()) {
      for (let i = 0; i < 64; i++) pages.sent(`${at}-${i}`, call)
    }
    for (const at of crowd.keys()) for (let i = 0; i < 64; i++) pages.complete(`${at}-${i}`)
    pages.complete('e-1')
    expect(bert.told()).toEqual(['e-1'])
    expect(crowd.reduce((sum, { told }) => sum + told().length, 0)).toBe(4_095)
  })

  it.each([undefined, 7, null, {}, 'x'.repeat(1_025)])('%s is the name of no visit', (id) => {
    const pages = new Pages()
    const { call, told } = visitor('anna')
    pages.sent(id, call)
    pages.complete(id)
    pages.complete(String(id))
    expect(told()).toEqual([])
  })
})

import { recordCall } from '@crosspoint/testkit'
import { describe, expect, it } from 'vitest'
import { Turns } from './turns.ts'

const ANNA = { id: 'anna', tenant: 'default' }
const BERT = { id: 'bert', tenant: 'default' }
const settle = () => new Promise((resolve) => setImmediate(resolve))

function setUp() {
  const turns = new Turns('s', { atWork: 2, inLine: 2 })
  const began: string[] = []
  const ends = new Map<string, () => void>()
  const begin = (name: string, principal = ANNA) => {
    const recorded = recordCall('tools/call', { name }, { principal })
    const turn = turns.take(recorded.call)?.then((end) => {
      began.push(name)
      ends.set(name, end)
    })
    turn?.catch(() => {})
    return { ...recorded, turn }
  }
  const end = async (name: string) => {
    ends.get(name)?.()
    await settle()
  }
  return { turns, began, begin, end }
}

describe('turns of callers who share a connection', () => {
  it('abuse-14: calls of one beyond its share wait in order, and keep nobody else out', async () => {
    const { turns, began, begin, end } = setUp()
    for (const name of ['1', '2', '3', '4']) begin(name)
    begin('other', BERT)
    await settle()
    expect(began).toEqual(['1', '2', 'other'])
    await end('2')
    await end('1')
    expect(began).toEqual(['1', '2', 'other', '3', '4'])
    for (const name of ['3', '4', 'other']) await end(name)
    expect(turns.size).toBe(0)
  })

  it('abuse-14: beyond the line they are refused', async () => {
    const { begin } = setUp()
    for (const name of ['1', '2', '3', '4']) begin(name)
    await expect(begin('5').turn).rejects.toMatchObject({ code: 'policy.limit' })
  })

  it('abuse-41: one that is given up in line never has its turn', async () => {
    const { turns, began, begin, end } = setUp()
    for (const name of ['1', '2']) begin(name)
    const third = begin('3')
    begin('4')
    third.abort()
    await expect(third.turn).rejects.toMatchObject({ code: 'caller.cancelled' })
    await end('1')
    expect(began).toEqual(['1', '2', '4'])
    for (const name of ['2', '4']) await end(name)
    expect(turns.size).toBe(0)
  })

  it('callers whom nobody told apart need none, and neither does who only listens', () => {
    const { turns } = setUp()
    expect(turns.take(recordCall('tools/call').call)).toBeUndefined()
    expect(turns.take(recordCall('subscriptions/listen', {}, { principal: ANNA }).call)).toBeUndefined()
  })
})

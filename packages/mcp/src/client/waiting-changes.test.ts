import { expect, it } from 'vitest'
import { WaitingChanges } from './waiting-changes.ts'

const updated = (uri: string) => ({ method: 'notifications/resources/updated', params: { uri } })
const TOOLS = { method: 'notifications/tools/list_changed', params: {} }

it('gives each change once, as it was last, and what comes while it gives them', () => {
  const waiting = new WaitingChanges({ toolsListChanged: true })
  for (const change of [TOOLS, updated('a'), TOOLS]) waiting.add(change)
  const given = []
  for (const change of waiting.take()) {
    if (given.push(change) === 1) waiting.add(updated('b'))
  }
  expect(given).toEqual([TOOLS, updated('a'), updated('b')])
  expect([...waiting.take()]).toEqual([])
})

it('abuse-16: beyond a bound says only that what is watched has changed, and forgets what is not watched', () => {
  const waiting = new WaitingChanges({ resourceSubscriptions: ['a', 'b'], taskIds: ['t'] })
  for (let i = 0; i < 10_000; i++) {
    waiting.add(updated(`a/${i}`))
    waiting.add(updated(`strange/${i}`))
  }
  waiting.add(updated(`b/${'x'.repeat(10_000)}`))
  for (const taskId of ['t', 'u']) waiting.add({ method: 'notifications/tasks', params: { taskId } })
  waiting.add(TOOLS)
  expect(waiting.size).toBeLessThanOrEqual(1_028)
  const given = [...waiting.take()]
  expect(given).toContainEqual(updated('a'))
  expect(given).toContainEqual(updated('b'))
  expect(given).toContainEqual(TOOLS)
  expect(given.filter(({ method }) => method === 'notifications/tasks')).toMatchObject([{ params: { taskId: 't' } }])
})

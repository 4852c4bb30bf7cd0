import { expect, test } from 'vitest'
import { nodeOfState, nodeOfTask, toNodeName, withNode, withoutNode } from './node-hint.ts'

test('what callers carry names the process that has the rest of it', () => {
  const node = toNodeName()
  expect(toNodeName()).not.toBe(node)
  expect(nodeOfState(`run:${withNode(node, 'xs1.box')}`)).toBe(node)
  expect(withoutNode(withNode(node, 'xs1.box'))).toBe('xs1.box')
  expect(nodeOfTask(`1ab2c.${node}.xs1.box`)).toBe(node)
  expect(nodeOfTask(`${node}-random`)).toBe(node)
})

test.each(['', 'run:', 'run:xs1.AAAA', 'own:nabcdefghijkl:xs1', 'run:nABCDEFGHIJKL:x', 7, undefined, null, {}])(
  'the state %j names none',
  (state) => {
    expect(nodeOfState(state)).toBeUndefined()
  },
)

test.each([
  '',
  '1ab2c.xs1.AAAA',
  'random',
  'nabcdefghijkl',
  'nabcdefghijkl.x',
  '.',
  `1.nabcdefghijkl`,
  'x'.repeat(9_000),
  7,
  null,
])('the task %j names none', (id) => {
  expect(nodeOfTask(id)).toBeUndefined()
})

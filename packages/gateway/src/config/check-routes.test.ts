import { expect, test } from 'vitest'
import { parseConfig } from './parse.ts'

const read = (route: string) =>
  parseConfig(`servers: { a: { command: a } }\nroutes: { search: ${route} }`, { path: 'crosspoint.yaml' }).config

test('a route is complete: every tool has a cost and a weight', () => {
  expect(read('{ tools: [a__x, { tool: a__y, cost: 3, when: "view == \\"v\\"" }] }').routes.get('search')).toEqual({
    name: 'search',
    by: 'order',
    hide: false,
    unchecked: false,
    tools: [
      { tool: 'a__x', cost: 1, weight: 1 },
      { tool: 'a__y', cost: 3, weight: 1, when: 'view == "v"' },
    ],
  })
})

test.each([
  ['{ tools: [a__x] }', 'Must name two tools at least'],
  ['{ tools: [a__x, a__x] }', 'This tool is there already'],
  ['{ tools: [a__x, search] }', 'A route cannot lead to itself'],
  ['{ by: luck, tools: [a__x, a__y] }', 'Must be order, cost, latency or weight'],
  ['{ tools: [a__x, { tool: a__y, when: "tool.name == 1" }] }', 'The condition cannot be used'],
  ['{ tools: [a__x, { tool: a__y, when: "arguments.key ==" }] }', 'The condition cannot be used'],
  ['{ tools: [a__x, a__y] }, other: { tools: [a__x, search] }', '"search" is a route, and routes lead to tools'],
])('a route that leads nowhere is refused: %s', (route, message) => {
  expect(() => read(route)).toThrow(message)
})

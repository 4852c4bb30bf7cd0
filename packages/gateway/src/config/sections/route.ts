import { z } from 'zod'
import { text, truth, whole } from './shapes.ts'

const member = z.strictObject({
  tool: text.describe('Its merged name, `<server>__<tool>`.'),
  cost: whole(0, 1_000_000).prefault(1).describe('What a call costs, next to the others.'),
  weight: whole(1, 100).prefault(1).describe('How much of the calls it gets, next to the others.'),
  when: text
    .describe('Calls it may get: a condition over `principal`, `arguments`, `view`, `client` and `now`. Default: all.')
    .optional(),
})

export const route = z
  .strictObject(
    {
      by: z
        .enum(['order', 'cost', 'latency', 'weight'], { error: 'Must be order, cost, latency or weight' })
        .default('order')
        .describe('Which tool gets a call: the first (`order`), the cheapest, the quickest of late, or by lot.'),
      tools: z
        .array(z.union([text, member], { error: 'Must be the name of a tool, or a mapping with "tool"' }), {
          error: 'Must be a list of tools',
        })
        .min(2, 'Must name two tools at least')
        .max(32, 'Must not name more than 32 tools')
        .describe('Tools that do the same, by merged name; the first says what the tool is.'),
      hide: truth().prefault(false).describe('The tools behind it are not listed by themselves.'),
      unchecked: truth()
        .prefault(false)
        .describe('Tools that take other arguments than the first are taken too, and not left out.'),
    },
    { error: 'Must be a mapping with "tools"' },
  )
  .describe('One tool that several servers offer.')

import { z } from 'zod'
import { defineOperation } from './operation.ts'
import { mapping, name, roleName, scopeName, text } from './shapes.ts'

const tag = 'policy'
const effect = z.enum(['allow', 'deny'])
const covered = {
  tools: z.array(z.string()).optional(),
  resources: z.array(z.string()).optional(),
  prompts: z.array(z.string()).optional(),
}

export const explainPolicy = defineOperation({
  tag,
  summary: 'Why a caller may use something, or may not, rule by rule',
  about: 'Nothing is called, and nothing changes.',
  role: 'viewer',
  body: z.strictObject({
    principal: z.strictObject({
      id: name,
      tenant: name.default('default'),
      roles: z.array(roleName).max(256).default([]),
      scopes: z.array(scopeName).max(256).describe('Absent: it is bound by none.').optional(),
      claims: mapping.describe('Of its token.').optional(),
    }),
    view: name.describe('Default: the view of everything.').optional(),
    kind: z.enum(['tool', 'prompt', 'resource']).default('tool'),
    name: text.describe('As the view has it: a name, or a URI.'),
    arguments: mapping.describe('Default: none.').optional(),
  }),
  answer: z.object({
    listed: z.boolean(),
    decision: z.object({ effect, rule: z.string().optional(), dryRun: z.boolean() }),
    roles: z.array(z.string()),
    scopes: z.array(z.string()).describe('Absent: it is bound by none.').optional(),
    covering: z.array(z.string()).describe('The scopes that cover the thing.'),
    rules: z
      .array(
        z.object({
          name: z.string(),
          effect,
          state: z.enum(['holds', 'not', 'failed', 'waits']),
          because: z.string().optional(),
        }),
      )
      .describe('All rules about the thing, those that refuse first.'),
  }),
})

export const listRules = defineOperation({
  tag,
  summary: 'The rules in force',
  role: 'viewer',
  answer: z.object({
    default: effect,
    views: z.record(z.string(), effect).describe('Defaults of views.'),
    dryRun: z.boolean(),
    scopes: z.record(z.string(), z.object(covered)),
    roles: z.record(z.string(), z.array(z.string())).describe('Scopes of roles.'),
    assign: z.array(z.object({ role: z.string(), when: z.string().describe('CEL') })),
    rules: z.array(
      z.object({
        name: z.string(),
        effect,
        ...covered,
        servers: z.array(z.string()).optional(),
        views: z.array(z.string()).optional(),
        when: z.string().describe('CEL').optional(),
        message: z.string().optional(),
      }),
    ),
  }),
})

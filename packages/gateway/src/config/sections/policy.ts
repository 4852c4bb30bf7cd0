import { z } from 'zod'
import { NAME_PATTERN, NAME_RULE } from '../names.ts'
import { section, text, texts, truth } from './shapes.ts'

const SCOPE_RULE = 'A scope is one word, such as read:file'
const RULE_NAME_RULE = 'The name of a rule is at most 64 of letters, digits, ".", "_", ":" and "-"'
const LABEL = /^[A-Za-z0-9._:-]{1,64}$/

const effect = z.enum(['allow', 'deny'], { error: 'Must be allow or deny' })
const when = text.describe('A condition in CEL: true or false of a caller, a thing and a call.')

/** Over what scopes and rules are: names and URIs, `*` for any run of characters. */
const things = {
  tools: texts.describe('Tools, by merged name (`<server>__<tool>`).').optional(),
  resources: texts.describe('Resources, templates and skills, by URI.').optional(),
  prompts: texts.describe('Prompts, by merged name (`<server>__<prompt>`).').optional(),
}

export const scopes = z
  .record(
    z.string().regex(/^[\x21\x23-\x5b\x5d-\x7e]{1,128}$/, SCOPE_RULE),
    z.strictObject(things, { error: 'Must be a mapping with "tools", "resources" and "prompts"' }),
    { error: 'Must be a mapping from scopes to what they cover' },
  )
  .default({})
  .describe('What scopes cover: a caller who has scopes may use nothing else.')

export const roles = z
  .record(
    z.string().regex(LABEL, 'The name of a role is at most 64 of letters, digits, ".", "_", ":" and "-"'),
    z.strictObject(
      { scopes: texts.describe('Scopes that whoever has the role has; `*` stands for any run of characters.') },
      { error: 'Must be a mapping with "scopes"' },
    ),
    { error: 'Must be a mapping from roles to their scopes' },
  )
  .default({})
  .describe('What roles give.')

const rule = z.strictObject(
  {
    name: z.string({ error: RULE_NAME_RULE }).regex(LABEL, RULE_NAME_RULE).describe('What the log calls the rule.'),
    effect: effect.describe('`deny` wins over `allow`.'),
    ...things,
    servers: texts.describe('Names of servers. Default: all.').optional(),
    views: texts.describe('Names of views; `*` stands for all and for `/mcp` itself. Default: all.').optional(),
    when: when.optional(),
    message: text.max(1_000).describe('What a caller is told whose arguments the rule refuses.').optional(),
  },
  { error: 'Must be a mapping with "name" and "effect"' },
)

export const policy = section(
  {
    default: effect.default('allow').describe('What becomes of what no rule and no scope speaks of.'),
    dryRun: truth().prefault(false).describe('Decides and records, and lets everything through.'),
    views: z
      .record(
        z.string().regex(NAME_PATTERN, NAME_RULE),
        z.strictObject({ default: effect.describe('As `default`, in this view.') }, { error: 'Must be a mapping' }),
        { error: 'Must be a mapping from names of views' },
      )
      .default({})
      .describe('What is different in single views.'),
    assign: z
      .array(
        z.strictObject(
          { role: text.describe('A role of `roles`.'), when: when.describe('Who has it: a condition on `principal`.') },
          { error: 'Must be a mapping with "role" and "when"' },
        ),
        { error: 'Must be a list' },
      )
      .max(1_000, 'At most 1000 of these')
      .default([])
      .describe('Roles for callers who bring none of their own.'),
    rules: z
      .array(rule, { error: 'Must be a list of rules' })
      .max(10_000, 'At most 10000 rules')
      .default([])
      .describe('Who may use what, and how.'),
  },
  'What callers may.',
)

import { z } from 'zod'
import { TOOL_NAME_PATTERN, TOOL_NAME_RULE } from '../names.ts'
import { selection, text, texts } from './shapes.ts'

export const view = z
  .strictObject(
    {
      title: text.describe('Name for people.').optional(),
      description: text.describe('What the view is for; told to clients as instructions.').optional(),
      servers: texts.describe('Names of the servers the view draws from. Default: all.').optional(),
      tools: selection.prefault({}).describe('Which tools, by merged name (`<server>__<tool>`).'),
      prompts: selection.prefault({}).describe('Which prompts, by merged name (`<server>__<prompt>`).'),
      resources: selection.prefault({}).describe('Which resources and templates, by URI.'),
      rename: z
        .record(text, z.string({ error: TOOL_NAME_RULE }).regex(TOOL_NAME_PATTERN, TOOL_NAME_RULE), {
          error: 'Must be a mapping from tool names to tool names',
        })
        .default({})
        .describe('New tool names: merged name to name in this view.'),
      describe: z
        .record(text, text, { error: 'Must be a mapping from tool names to descriptions' })
        .default({})
        .describe('New tool descriptions: merged name to description in this view.'),
    },
    { error: 'Must be a mapping' },
  )
  .describe('Some of what the servers offer, served at `/mcp/<name>`.')

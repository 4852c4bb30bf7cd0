import { z } from 'zod'
import { defineOperation } from './operation.ts'

const tag = 'config'
const names = z.array(z.string())

const issue = z
  .object({
    message: z.string().describe('Repeats no value: it may be a secret.'),
    path: z.string(),
    file: z.string(),
    line: z.int(),
    column: z.int(),
    hint: z.string().optional(),
  })
  .meta({ id: 'ConfigIssue' })

export const explainConfig = defineOperation({
  tag,
  summary: 'Every setting in force and where it comes from',
  about: 'Secrets are masked.',
  role: 'viewer',
  answer: z.object({
    path: z.string(),
    settings: z.array(
      z.object({
        path: z.string(),
        value: z.union([z.string(), z.number(), z.boolean(), names]),
        source: z.enum(['file', 'env', 'flag', 'default']),
        place: z.string().optional(),
        writtenAs: z.string().optional(),
      }),
    ),
  }),
})

export const configDiff = z
  .object({
    added: names,
    removed: names,
    changed: names.describe('Started again.'),
    retuned: names.describe('Adjusted while they run.'),
    views: z.object({ added: names, removed: names, changed: names }),
    listenChanged: z.boolean().describe('Takes effect after a restart.'),
    guardsChanged: z.boolean().describe('Takes effect after a restart.'),
    settings: names,
    isEmpty: z.boolean(),
  })
  .meta({ id: 'ConfigDiff' })

export const reloadConfig = defineOperation({
  tag,
  summary: 'Read the file again and go over to what it says',
  about: 'A bad file is not used. What the file says cannot be sent: what is started comes from there alone.',
  role: 'admin',
  answer: configDiff,
})

export const validateConfig = defineOperation({
  tag,
  summary: 'Say whether a text could be the configuration',
  about: 'Nothing of it is started, and no file that it names is read.',
  role: 'admin',
  maxBytes: 2 * 1024 * 1024,
  body: z.strictObject({
    text: z.string().max(1024 * 1024),
    format: z.enum(['yaml', 'json']).describe('Default: as the text looks.').optional(),
  }),
  answer: z.object({ valid: z.boolean(), errors: z.array(issue), warnings: z.array(issue) }),
})

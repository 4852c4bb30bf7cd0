import { z } from 'zod'
import { section } from './shapes.ts'

export const log = section(
  {
    level: z
      .enum(['debug', 'info', 'warn', 'error', 'silent'], { error: 'Must be debug, info, warn, error or silent' })
      .default('info')
      .describe('Least severe line that is written, to stderr.'),
  },
  'The log.',
)

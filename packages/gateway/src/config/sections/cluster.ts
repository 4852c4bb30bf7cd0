import { section, text } from './shapes.ts'

export const cluster = section(
  {
    redis: text
      .regex(/^rediss?:\/\/|\$\{/, 'Must be a redis:// or rediss:// URL')
      .describe('The Redis server they share, as rediss://user:password@host:6379/0. A secret.')
      .optional(),
  },
  'What several gateways share that serve the same callers.',
)

import { z } from 'zod'
import { host, section, text, whole } from './shapes.ts'

const secret = text.regex(/^.{32,}$|\$\{/, 'Must have 32 letters at least')

const listen = z
  .strictObject(
    {
      host: host.default('127.0.0.1').describe('Address to bind.'),
      port: whole(0, 65_535).prefault(8_362).describe('Port to bind; 0 takes any free one.'),
    },
    { error: 'Must be a mapping with "host" and "port"' },
  )
  .prefault({})
  .describe('Where other gateways of the cluster reach this one; callers have no business there.')

export const cluster = section(
  {
    redis: text
      .regex(/^rediss?:\/\/|\$\{/, 'Must be a redis:// or rediss:// URL')
      .describe('The Redis server they share, as rediss://user:password@host:6379/0. A secret.')
      .optional(),
    secret: secret
      .describe(
        'What they trust each other by, and seal with what callers carry: 32 letters at least, the same for all of them. With `redis`, requests may reach any of them.',
      )
      .optional(),
    previousSecret: secret.describe('Another one that opens what is sealed, while it is changed.').optional(),
    listen,
    address: text
      .regex(/^https?:\/\/[^\s/?#@]+$|\$\{/, 'Must be an http(s) URL without a path, such as "http://10.0.0.7:8362"')
      .describe(
        'Where others reach `listen`. Default: its host and port; the name of this machine where all addresses are bound.',
      )
      .optional(),
    leaseMs: whole(200, 600_000)
      .prefault(3_000)
      .describe(
        'How long one that says nothing any more counts as there. One whose process ended is found out at once.',
      ),
  },
  'What several gateways share that serve the same callers.',
)

import { z } from 'zod'
import { HOUR_MS, section, text, whole } from './shapes.ts'

export const STORE_KINDS = ['embedded', 'postgres'] as const

export const store = section(
  {
    kind: z
      .enum(STORE_KINDS, { error: `Must be ${STORE_KINDS.join(' or ')}` })
      .default('embedded')
      .describe('A file of this machine, or a PostgreSQL server that several gateways can share.'),
    path: text
      .describe(
        'The file of an embedded store, relative to this file. Default: crosspoint/store.db in your state folder ($XDG_STATE_HOME, else ~/.local/state; %LOCALAPPDATA% on Windows).',
      )
      .optional(),
    url: text
      .regex(/^postgres(?:ql)?:\/\/|\$\{/, 'Must be a postgres:// URL')
      .describe('The PostgreSQL database, as postgres://user:password@host/database?sslmode=verify-full. A secret.')
      .optional(),
    maxConnections: whole(2, 1_000).prefault(10).describe('Most connections to PostgreSQL of one gateway.'),
    timeoutMs: whole(100, HOUR_MS / 60)
      .prefault(5_000)
      .describe('Longest wait for the store: for a connection, for a query, for another process that writes.'),
  },
  'Where keys and evidence are kept.',
)

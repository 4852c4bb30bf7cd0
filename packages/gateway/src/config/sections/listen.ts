import { z } from 'zod'
import { section, text, whole } from './shapes.ts'

export const listen = section(
  {
    host: text
      .regex(/^(?:[\w.:%-]+|\$\{.+\})$/, 'Must be a host name or an IP address, without brackets or port')
      .default('127.0.0.1')
      .describe('Address to bind.'),
    port: whole(0, 65_535).prefault(8360).describe('Port to bind; 0 takes any free one.'),
    allowedHosts: z
      .array(text.regex(/^[^\s/@]+$/, 'Must be a host name, with or without a port'), {
        error: 'Must be a list of host names',
      })
      .default([])
      .describe('`Host` header values accepted besides the loopback names, as `name` (any port) or `name:port`.'),
    allowedOrigins: z
      .array(
        text.regex(
          /^[a-z][a-z0-9+.-]*:\/\/[^\s/?#]+$|\$\{/i,
          'Must be an origin such as "https://example.com", without a path',
        ),
        {
          error: 'Must be a list of origins',
        },
      )
      .default([])
      .describe('`Origin` header values accepted besides our own on loopback, such as `https://example.com`.'),
    maxConnections: whole(1, 1_000_000)
      .prefault(20_000)
      .describe('Most connections open at once; a client that listens has one for that alone.'),
  },
  'Where the gateway listens.',
)

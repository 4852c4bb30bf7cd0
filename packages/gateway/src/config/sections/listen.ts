import { host, hosts, origins, section, whole } from './shapes.ts'

export const listen = section(
  {
    host: host.default('127.0.0.1').describe('Address to bind.'),
    port: whole(0, 65_535).prefault(8360).describe('Port to bind; 0 takes any free one.'),
    allowedHosts: hosts
      .default([])
      .describe('`Host` header values accepted besides the loopback names, as `name` (any port) or `name:port`.'),
    allowedOrigins: origins
      .default([])
      .describe('`Origin` header values accepted besides our own on loopback, such as `https://example.com`.'),
    maxConnections: whole(1, 1_000_000)
      .prefault(20_000)
      .describe('Most connections open at once; a client that listens has one for that alone.'),
  },
  'Where the gateway listens.',
)

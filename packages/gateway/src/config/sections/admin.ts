import { z } from 'zod'
import { host, hosts, origins, section, text, texts, truth, whole } from './shapes.ts'

const url = text.regex(/^https?:\/\/[^\s#?]+$|\$\{/i, 'Must be an http(s) URL, such as "https://admin.example.com"')

const roles = z
  .strictObject(
    {
      admin: texts.default(['admin']).describe('Roles that may do everything.'),
      auditor: texts.default(['auditor']).describe('Roles that may read everything, evidence included.'),
      viewer: texts.default(['viewer']).describe('Roles that may read everything but evidence.'),
    },
    { error: 'Must be a mapping with "admin", "auditor" and "viewer"' },
  )
  .prefault({})
  .describe('What roles of tokens of `auth.issuers` may here.')

export const admin = section(
  {
    enabled: truth().prefault(true).describe('Whether `crosspoint up` opens the admin API.'),
    host: host
      .default('127.0.0.1')
      .describe('Address to bind. Any but this machine’s own needs `token` or `auth.issuers`.'),
    port: whole(0, 65_535)
      .describe('Port to bind; 0 takes any free one. Default: 8361, or, where that is in use, any free one.')
      .optional(),
    token: text
      .describe('What callers show as `Authorization: Bearer …`, 32 letters at least. Default: another one each start.')
      .optional(),
    resource: url
      .describe('Where callers find the admin API: tokens name it. Default: the address it listens on.')
      .optional(),
    audience: texts.default([]).describe('Names that tokens of `auth.issuers` may have for the admin API besides.'),
    roles,
    allowedHosts: hosts
      .default([])
      .describe('`Host` header values accepted besides the loopback names, as `name` (any port) or `name:port`.'),
    allowedOrigins: origins
      .default([])
      .describe('`Origin` header values accepted besides our own on loopback, such as `https://console.example.com`.'),
  },
  'The admin API: what consoles and the command line ask and tell a gateway that runs.',
)

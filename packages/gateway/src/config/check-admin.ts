import { isLoopbackHost } from './hosts.ts'
import type { WrittenConfig } from './schema.ts'

type Complain = (path: readonly PropertyKey[], message: string, hint?: string) => void

/** Whether nobody could come in who may not, and somebody who may. */
export function checkAdmin({ admin, auth, listen }: WrittenConfig, error: Complain, warn: Complain): void {
  const { enabled, host, port, token, resource } = admin
  if (token !== undefined && token.length < MIN_TOKEN) {
    error(['admin', 'token'], `Must have ${MIN_TOKEN} letters at least`, 'write what "openssl rand -base64 32" prints')
  }
  if (!enabled) return
  if (port !== undefined && port !== 0 && port === listen.port && host === listen.host) {
    error(['admin', 'port'], 'Callers are served at this port', 'choose another one')
  }
  if (resource !== undefined && !URL.canParse(resource)) error(['admin', 'resource'], 'This is not a valid URL')
  if (isLoopbackHost(host)) return
  const hasIssuers = auth !== undefined && auth.issuers.length > 0
  if (token === undefined && !hasIssuers) {
    const hint = 'add "auth.issuers" or "admin.token", or bind 127.0.0.1'
    error(['admin', 'host'], 'Whoever reaches this address could not show who they are', hint)
  }
  if (hasIssuers && resource === undefined) {
    error(
      ['admin', 'host'],
      'Tokens have to name the admin API as callers know it',
      'write "admin.resource: https://…"',
    )
  }
  if (resource === undefined || resource.startsWith('http:')) {
    const hint = 'put a proxy in front that has a certificate, and write its address as "admin.resource"'
    warn(['admin', 'host'], 'Tokens come to this address without encryption', hint)
  }
}

/** What nobody guesses. */
const MIN_TOKEN = 32

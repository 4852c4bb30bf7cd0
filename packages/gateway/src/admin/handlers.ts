import type { AdminNeeds, Handlers } from './needs.ts'
import { createAuditHandlers } from './resources/audit.ts'
import { createCallerHandlers } from './resources/callers.ts'
import { createCatalogHandlers } from './resources/catalog.ts'
import { createConfigHandlers } from './resources/config.ts'
import { createCredentialHandlers } from './resources/credentials.ts'
import { createEventHandlers } from './resources/events.ts'
import { createHealthHandlers } from './resources/health.ts'
import { createKeyHandlers } from './resources/keys.ts'
import { createPolicyHandlers } from './resources/policy.ts'
import { createServerHandlers } from './resources/servers.ts'
import { createSessionHandlers } from './resources/sessions.ts'
import { createTrafficHandlers } from './resources/traffic.ts'

/** What answers each operation. */
export function createHandlers(needs: AdminNeeds): Handlers {
  return {
    ...createHealthHandlers(needs),
    ...createServerHandlers(needs),
    ...createCatalogHandlers(needs),
    ...createPolicyHandlers(needs),
    ...createTrafficHandlers(needs),
    ...createKeyHandlers(needs),
    ...createCredentialHandlers(needs),
    ...createSessionHandlers(needs),
    ...createCallerHandlers(needs),
    ...createAuditHandlers(needs),
    ...createConfigHandlers(needs),
    ...createEventHandlers(needs),
  }
}

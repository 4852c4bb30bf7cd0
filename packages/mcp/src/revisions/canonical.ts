import { readError, writeError } from './error-codes.ts'
import type { Canonical } from './revision.ts'

/**
 * The vocabulary spoken inside, which is that of the newest revision. A newer one brings its traits and methods in
 * here; the one that was newest until then says in its own file how it differs.
 */
export const canonical: Canonical = {
  traits: {
    lifecycle: 'envelope',
    http: 'streamable',
    sessions: false,
    batching: false,
    versionHeader: 'always',
    standardHeaders: true,
    resumable: false,
    priming: false,
    serverRequests: false,
    subscriptions: 'listen',
    logLevel: 'request',
    disconnectCancels: true,
    completionContext: true,
    tasks: 'extension',
    resultType: true,
    cacheHints: true,
    errorCodes: 'modern',
    errorWithoutId: true,
  },
  adds: [
    'server/discover',
    'tools/list',
    'tools/call',
    'resources/list',
    'resources/templates/list',
    'resources/read',
    'prompts/list',
    'prompts/get',
    'completion/complete',
    'skills/list',
    'skills/get',
    'resources/directory/read',
    'subscriptions/listen',
    'tasks/get',
    'tasks/update',
    'tasks/cancel',
    'notifications/tasks',
    'notifications/cancelled',
    'notifications/progress',
    'notifications/message',
    'notifications/tools/list_changed',
    'notifications/resources/list_changed',
    'notifications/resources/updated',
    'notifications/prompts/list_changed',
    'notifications/subscriptions/acknowledged',
  ],
  readError,
  writeError,
}

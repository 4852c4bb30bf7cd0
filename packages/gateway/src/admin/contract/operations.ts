import type { z } from 'zod'
import type { OperationId } from '../routes.ts'
import * as audit from './audit.ts'
import * as callers from './callers.ts'
import * as catalog from './catalog.ts'
import * as config from './config.ts'
import * as credentials from './credentials.ts'
import { events } from './events.ts'
import { live, openapi, ready, status } from './health.ts'
import * as keys from './keys.ts'
import type { Operation } from './operation.ts'
import * as policy from './policy.ts'
import type { Received } from './received.ts'
import { listServers, readServer, restartServer } from './servers.ts'
import * as sessions from './sessions.ts'
import * as traffic from './traffic.ts'

/** The whole contract: what each operation takes and gives. */
export const OPERATIONS = {
  live,
  ready,
  status,
  openapi,
  listServers,
  readServer,
  restartServer,
  listViews: catalog.listViews,
  searchCatalog: catalog.searchCatalog,
  readCatalogItem: catalog.readCatalogItem,
  explainPolicy: policy.explainPolicy,
  listRules: policy.listRules,
  listLimits: traffic.listLimits,
  listFigures: traffic.listFigures,
  listCalls: traffic.listCalls,
  listKeys: keys.listKeys,
  createKey: keys.createKey,
  revokeKey: keys.revokeKey,
  rotateKey: keys.rotateKey,
  listCredentials: credentials.listCredentials,
  removeCredential: credentials.removeCredential,
  listSessions: sessions.listSessions,
  endSession: sessions.endSession,
  listPrincipals: callers.listPrincipals,
  searchAudit: audit.searchAudit,
  exportAudit: audit.exportAudit,
  verifyAudit: audit.verifyAudit,
  explainConfig: config.explainConfig,
  reloadConfig: config.reloadConfig,
  validateConfig: config.validateConfig,
  events,
} as const satisfies Record<OperationId, Operation>

type Operations = typeof OPERATIONS

type Part<Id extends OperationId, Name extends 'params' | 'query' | 'body'> = Operations[Id] extends {
  readonly [Key in Name]: infer Schema extends z.ZodType
}
  ? Schema
  : undefined

type OutputOf<Schema> = Schema extends z.ZodType ? z.output<Schema> : undefined
type InputOf<Schema> = Schema extends z.ZodType ? z.input<Schema> : unknown

/** What an operation is given, checked. */
export interface Given<Id extends OperationId> {
  readonly params: OutputOf<Part<Id, 'params'>>
  readonly query: OutputOf<Part<Id, 'query'>>
  readonly body: OutputOf<Part<Id, 'body'>>
}

/** What a caller of an operation says: everything together, wherever it goes. */
export type Said<Id extends OperationId> = InputOf<Part<Id, 'params'>> &
  InputOf<Part<Id, 'query'>> &
  InputOf<Part<Id, 'body'>>

/** As it comes: in JSON what is not there is absent. */
export type Answer<Id extends OperationId> = Received<z.output<Operations[Id]['answer']>>

/** As whoever answers may have it. */
export type Answered<Id extends OperationId> = Unchanged<z.output<Operations[Id]['answer']>>

type Unchanged<T> = T extends readonly (infer Item)[]
  ? readonly Unchanged<Item>[]
  : T extends object
    ? { readonly [Key in keyof T]: Unchanged<T[Key]> }
    : T

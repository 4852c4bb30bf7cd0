/**
 * Every operation of the admin API and where it is, below {@link BASE}. Plain words, so that the client brings nothing else;
 * what goes in and comes out is in `contract/`.
 */
export const ROUTES = {
  live: 'GET /health/live',
  ready: 'GET /health/ready',
  status: 'GET /status',
  openapi: 'GET /openapi.json',
  listServers: 'GET /servers',
  readServer: 'GET /servers/:name',
  restartServer: 'POST /servers/:name/restart',
  listViews: 'GET /views',
  searchCatalog: 'GET /catalog',
  readCatalogItem: 'GET /catalog/item',
  explainPolicy: 'POST /policy/explain',
  listRules: 'GET /policy/rules',
  listLimits: 'GET /limits',
  listFigures: 'GET /figures',
  listCalls: 'GET /calls',
  listKeys: 'GET /keys',
  createKey: 'POST /keys',
  revokeKey: 'POST /keys/:id/revoke',
  rotateKey: 'POST /keys/:id/rotate',
  listCredentials: 'GET /credentials',
  removeCredential: 'POST /credentials/remove',
  listSessions: 'GET /sessions',
  endSession: 'POST /sessions/:session/end',
  listPrincipals: 'GET /principals',
  searchAudit: 'GET /audit',
  exportAudit: 'GET /audit/export',
  verifyAudit: 'POST /audit/verify',
  explainConfig: 'GET /config',
  reloadConfig: 'POST /config/reload',
  validateConfig: 'POST /config/validate',
  events: 'GET /events',
} as const satisfies Record<string, `${'GET' | 'POST' | 'DELETE'} /${string}`>

export type OperationId = keyof typeof ROUTES

/** Where version 1 is. What it answers may gain members; nothing is taken away or becomes another. */
export const BASE = '/api/v1'

export interface Route {
  readonly method: string
  /** Below {@link BASE}; `:name` stands for a part of it. */
  readonly path: string
}

export function routeOf(id: OperationId): Route {
  const [method = '', path = ''] = ROUTES[id].split(' ')
  return { method, path }
}

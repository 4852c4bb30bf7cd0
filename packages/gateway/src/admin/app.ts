import { type Context, Hono } from 'hono'
import { createTraceIds } from '../node/trace-ids.ts'
import { shown } from '../shown.ts'
import type { Access, Asker } from './access.ts'
import { check, readBody } from './body.ts'
import type { Operation } from './contract/operation.ts'
import { OPERATIONS } from './contract/operations.ts'
import type { Guards } from './guards.ts'
import { createHandlers } from './handlers.ts'
import type { AdminNeeds, Asked } from './needs.ts'
import { Problem, toProblem, toRefusal } from './problem.ts'
import { mayDo } from './roles.ts'
import { BASE, type OperationId, ROUTES, routeOf } from './routes.ts'
import { toStream } from './stream.ts'

/** A request, besides what it says itself. */
export interface Bindings {
  /** Address of whoever asks. */
  readonly from: string
}

export interface AdminAppOptions extends AdminNeeds {
  readonly access: Access
  readonly guards: Guards
}

type AdminContext = Context<{ Bindings: Bindings }>
/** As the table of handlers has it, whichever it is. */
type AnyHandler = (given: { params: unknown; query: unknown; body: unknown }, asked: Asked) => unknown

/** The admin API over web-standard requests. Whose `Host` and `Origin` is let in was looked at before. */
export function createAdminApp(options: AdminAppOptions): Hono<{ Bindings: Bindings }> {
  const { access, guards, log, gateway } = options
  const handlers = createHandlers(options)
  const app = new Hono<{ Bindings: Bindings }>()
  const ids = createTraceIds()

  const refuse = (c: AdminContext, error: unknown): Response => {
    const problem = toProblem(error)
    const correlation = ids.traceId()
    const { method } = c.req
    const details = { correlation, code: problem.code, method, path: shown(c.req.path) }
    if (problem.status >= 500) log.error({ ...details, error: String(problem.cause) }, 'The admin API could not answer')
    else log.debug(details, 'The admin API refused a request')
    if (problem.code === 'unauthenticated' || problem.code === 'forbidden') {
      gateway.record({ event: 'door.refused', target: 'admin', outcome: problem.code })
    }
    const { status, headers, body } = toRefusal(problem, correlation)
    return new Response(body, { status, headers: { ...headers, ...SAFE, ...toCors(c, guards) } })
  }
  const admit = (c: AdminContext) => access.admit(c.req.header('authorization'), c.env.from)

  app.options('*', (c) => {
    const cors = toCors(c, guards)
    if (cors['access-control-allow-origin'] === undefined) return refuse(c, new Problem('not_found', 'Nothing is here'))
    return new Response(undefined, { status: 204, headers: { ...cors, ...PREFLIGHT } })
  })
  // The keys of the table are its type's keys.
  for (const id of Object.keys(OPERATIONS) as OperationId[]) {
    const operation: Operation = OPERATIONS[id]
    const handler = handlers[id] as AnyHandler // it takes what is checked below by its own contract
    const { method, path } = routeOf(id)
    app.on(method, BASE + path, async (c) => {
      try {
        // Nobody would read it, and nobody would end it.
        if (operation.form !== undefined && c.req.method === 'HEAD') throw onlyGet()
        const asker = await toAsker(operation, c, admit)
        const asked = { asker, signal: c.req.raw.signal, record: toRecord(gateway, asker) }
        const answer = await handler(await toGiven(operation, c), asked)
        return toResponse(operation, answer, toCors(c, guards))
      } catch (error) {
        return refuse(c, error)
      }
    })
  }
  // What is there is told to those only who may ask at all.
  app.all('*', async (c) => {
    try {
      await admit(c)
      throw toMissing(c)
    } catch (error) {
      return refuse(c, error)
    }
  })
  app.onError((error, c) => refuse(c, error))
  return app
}

async function toAsker(
  { role }: Operation,
  c: AdminContext,
  admit: (c: AdminContext) => Promise<Asker>,
): Promise<Asker | undefined> {
  if (role === 'anyone') return c.req.header('authorization') === undefined ? undefined : admit(c)
  const asker = await admit(c)
  if (mayDo(asker.role, role)) return asker
  throw new Problem('forbidden', `This needs the role "${role}"`, {
    hint: '"admin.roles" says which roles of tokens are good for that',
  })
}

async function toGiven({ params, query, body, maxBytes = MAX_BYTES }: Operation, c: AdminContext) {
  const isWriting = c.req.method !== 'GET' && c.req.method !== 'HEAD'
  const sent = isWriting ? await readBody(c.req.raw, maxBytes) : undefined
  if (body === undefined && isWriting) checkEmpty(sent)
  return {
    params: params && check(params, c.req.param(), 'path'),
    query: query && check(query, toQuery(c), 'query'),
    body: body && check(body, sent, 'body'),
  }
}

/** What is sent twice is no text, and so refused. */
function toQuery(c: AdminContext): Readonly<Record<string, string | string[]>> {
  const entries = Object.entries(c.req.queries()).map(([name, values]) => [
    name,
    values.length === 1 ? values[0] : values,
  ])
  return Object.fromEntries(entries)
}

function checkEmpty(sent: unknown): void {
  const isNothing = typeof sent === 'object' && sent !== null && !Array.isArray(sent) && Object.keys(sent).length === 0
  if (!isNothing) throw new Problem('invalid_request', 'Nothing can be said here', { hint: 'Send "{}"' })
}

function toResponse(operation: Operation, answer: unknown, cors: Readonly<Record<string, string>>): Response {
  const { form, status = 200, otherStatus } = operation
  const headers = { ...SAFE, ...cors }
  if (form !== undefined) {
    // Its handler gives what its contract says.
    const pieces = answer as AsyncIterable<readonly object[]>
    return new Response(toStream(pieces, form), {
      headers: { ...headers, 'content-type': form === 'events' ? 'text/event-stream' : 'application/jsonl' },
    })
  }
  const json = { ...headers, 'content-type': 'application/json' }
  if (otherStatus === undefined) return new Response(`${JSON.stringify(answer)}\n`, { status, headers: json })
  const either = answer as { readonly isOther: boolean; readonly answer: unknown } // likewise
  return new Response(`${JSON.stringify(either.answer)}\n`, {
    status: either.isOther ? otherStatus : status,
    headers: json,
  })
}

function onlyGet(): Problem {
  return new Problem('method_not_allowed', 'Only GET can be done here', { allow: 'GET' })
}

function toMissing(c: AdminContext): Problem {
  const { path } = c.req
  const methods = Object.values(ROUTES).flatMap((route) => {
    const [method = '', at = ''] = route.split(' ')
    const pattern = new RegExp(`^${BASE}${at.replaceAll('.', '[.]').replaceAll(/:\w+/g, '[^/]+')}$`)
    return pattern.test(path) ? [method] : []
  })
  if (methods.length === 0) {
    return new Problem('not_found', 'Nothing is served at this path', { hint: `${BASE}/openapi.json says what is` })
  }
  const allow = methods.join(', ')
  return new Problem('method_not_allowed', `Only ${allow} can be done here`, { allow })
}

function toRecord(gateway: AdminNeeds['gateway'], asker: Asker | undefined): Asked['record'] {
  return (event, target, about) => {
    const who = asker === undefined ? {} : { tenant: asker.tenant, principal: asker.id }
    gateway.record({
      event,
      ...who,
      ...(target === undefined ? {} : { target }),
      about: { ...about, by: 'admin-api' },
    })
  }
}

/** Of pages that may read answers. */
function toCors(c: AdminContext, guards: Guards): Readonly<Record<string, string>> {
  const origin = c.req.header('origin')
  if (origin === undefined || !guards.isAllowedOrigin(origin)) return { vary: 'origin' }
  return {
    vary: 'origin',
    'access-control-allow-origin': origin,
    'access-control-expose-headers': 'retry-after, www-authenticate',
  }
}

const PREFLIGHT = {
  'access-control-allow-methods': 'GET, POST, DELETE',
  'access-control-allow-headers': 'authorization, content-type',
  'access-control-max-age': '600',
}
/** Nothing of what is answered is to be shown, kept, framed or run by a browser. */
export const SAFE: Readonly<Record<string, string>> = {
  'cache-control': 'no-store',
  'content-security-policy': "default-src 'none'; frame-ancestors 'none'",
  'cross-origin-resource-policy': 'same-origin',
  'referrer-policy': 'no-referrer',
  'x-content-type-options': 'nosniff',
  'x-frame-options': 'DENY',
}
const MAX_BYTES = 64 * 1024

import type { JsonObject, Params } from '@crosspoint/mcp'
import type { View } from '../catalog/view.ts'
import type { Grant } from './permit.ts'
import type { Target } from './target.ts'
import type { Verdict } from './verdict.ts'
import type { Caller } from './view-policy.ts'

interface Asked {
  readonly method: string
  readonly params: Params
}

/** What is decided of what a request asks for; undefined where it asks for nothing there are rules of, or nothing there is. */
export function verdictOf({ method, params }: Asked, grant: Grant): Verdict | undefined {
  const { name, uri } = params
  switch (method) {
    case 'tools/call':
      return typeof name === 'string' ? grant.named('tools', name) : undefined
    case 'prompts/get':
      return typeof name === 'string' ? grant.named('prompts', name) : undefined
    case 'resources/read':
    case 'resources/directory/read':
    case 'skills/get':
      return typeof uri === 'string' ? grant.addressed(uri) : undefined
    case 'completion/complete':
      return verdictOfReference(params.ref, grant)
    default:
      return undefined
  }
}

function verdictOfReference(ref: unknown, grant: Grant): Verdict | undefined {
  const { type, name, uri } = (typeof ref === 'object' && ref !== null ? ref : {}) as JsonObject // its members are looked at
  if (type === 'ref/prompt') return typeof name === 'string' ? grant.named('prompts', name) : undefined
  return typeof uri === 'string' ? (grant.template(uri) ?? grant.addressed(uri)) : undefined
}

/**
 * All scopes that a token needs for a request: those its caller brought, which it would miss in the next one, and the first that
 * covers what is asked for. None for a caller whom scopes do not bind, and for what no
 * scope covers: no other token would help. Decided by names alone, so that it does not tell what there is.
 */
export function scopesFor({ facts, permit }: Caller, view: View, request: Asked): readonly string[] {
  const { scopes, policy } = permit
  if (scopes === undefined || policy.dryRun) return []
  const target = toTarget(request, view)
  if (target === undefined) return []
  const covering = policy.scopes.covering(target)
  const [first] = covering
  if (first === undefined || covering.some((name) => scopes.has(name))) return []
  return policy.scopes.names.filter((name) => name === first || facts.scopes.includes(name))
}

function toTarget({ method, params }: Asked, view: View): Target | undefined {
  const { name, uri } = params
  if (method === 'tools/call' || method === 'prompts/get') {
    const [subject, entries] =
      method === 'tools/call' ? (['tools', view.entries.tools] as const) : (['prompts', view.entries.prompts] as const)
    if (typeof name !== 'string') return undefined
    const entry = entries.get(name)
    // What is said of those behind it counts, and which of them is asked nobody knows yet.
    if (entry?.routed !== undefined) return undefined
    const known = entry?.merged ?? name
    return { subject, name: known, plain: known, server: '', item: undefined }
  }
  if (!ADDRESSED.has(method) || typeof uri !== 'string') return undefined
  return { subject: 'resources', name: uri, plain: uri, server: '', item: undefined }
}

const ADDRESSED: ReadonlySet<string> = new Set([
  'resources/read',
  'resources/subscribe',
  'resources/directory/read',
  'skills/get',
])

import type { JsonObject, Principal } from '@crosspoint/mcp'
import type { AdminNeeds, Handlers } from '../needs.ts'
import { Problem } from '../problem.ts'

export function createPolicyHandlers({ gateway }: AdminNeeds): Pick<Handlers, 'explainPolicy' | 'listRules'> {
  return {
    explainPolicy: ({ body }) => {
      const { kind, name, view, principal, arguments: args = {} } = body
      const explained = gateway.explainPolicy({
        principal: toPrincipal(principal),
        kind,
        name,
        arguments: args as JsonObject, // it came as JSON
        ...(view === undefined ? {} : { view }),
      })
      if (explained !== undefined) return explained
      const hint = 'GET /api/v1/catalog lists what there is'
      throw new Problem('not_found', `No ${kind} has this name in this view, for anybody`, { hint })
    },
    listRules: () => {
      const { scopes, roles, views, default: effect, dryRun, assign, rules } = gateway.config.policy
      return {
        default: effect,
        views: Object.fromEntries(views),
        dryRun,
        scopes: Object.fromEntries(scopes),
        roles: Object.fromEntries(roles),
        assign,
        rules,
      }
    },
  }
}

interface AskedFor {
  readonly id: string
  readonly tenant: string
  readonly roles: readonly string[]
  readonly scopes?: readonly string[] | undefined
  readonly claims?: Readonly<Record<string, unknown>> | undefined
}

function toPrincipal({ id, tenant, roles, scopes, claims }: AskedFor): Principal {
  return {
    id,
    tenant,
    ...(scopes === undefined ? {} : { scopes }),
    attributes: { roles: [...roles], ...(claims === undefined ? {} : { claims: claims as JsonObject }) }, // likewise
  }
}

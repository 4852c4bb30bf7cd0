import type { MatchConfig } from '../config/model-traffic.ts'
import { toSelector } from '../config/selection.ts'
import { ROUTED } from '../routes/resolve.ts'
import type { Asked } from './target.ts'

/** Whether a rule is about what a call asks for: the same for all calls of one thing through one view. */
export type AskedTest = (asked: Asked) => boolean
/** Whether a rule is about a caller; undefined where it is about all. */
export type CallerTest = ((principal: { readonly id: string; readonly tenant: string }) => boolean) | undefined

/** @returns two halves: what can be known when a view is made, and what only with a call */
export function toMatch(match: MatchConfig = {}): { readonly fits: AskedTest; readonly fitsCaller: CallerTest } {
  const [tools, servers, views, methods] = [
    toTest(match.tools),
    toTest(match.servers),
    toTest(match.views),
    toTest(match.methods) ?? isCounted,
  ]
  const fits: AskedTest = ({ method, server, thing, view }) =>
    methods(method) &&
    (tools === undefined || (thing !== undefined && tools(thing))) &&
    (servers === undefined || (server !== undefined && servers(server))) &&
    (views === undefined || views(view ?? ''))
  const [tenants, principals] = [toTest(match.tenants), toTest(match.principals)]
  if (tenants === undefined && principals === undefined) return { fits, fitsCaller: undefined }
  return {
    fits,
    fitsCaller: ({ id, tenant }) => (tenants?.(tenant) ?? true) && (principals?.(id) ?? true),
  }
}

function toTest(include: readonly string[] | undefined): ((name: string) => boolean) | undefined {
  return include === undefined ? undefined : toSelector({ include })
}

/** What a server answers. To ask how a task is doing is no use of it. */
function isCounted(method: string): boolean {
  return ROUTED.has(method) && !method.startsWith('tasks/')
}

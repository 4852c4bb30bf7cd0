import type { Principal } from '@crosspoint/mcp'
import type { Per } from '../config/model-traffic.ts'
import type { Asked } from './target.ts'

/** Of what is asked for, what has a count of its own. */
export function toThingKey(per: ReadonlySet<Per>, { server = '', thing = '' }: Asked): string {
  const of = per.has('tool') ? thing : per.has('server') ? server : ''
  return `${of.length}:${of}`
}

/** The lengths keep two callers apart whatever is in their names. */
export function toCallerKey(per: ReadonlySet<Per>, { tenant, id }: Principal): string {
  if (per.has('principal')) return `/${tenant.length}:${tenant}${id}`
  return per.has('tenant') ? `/${tenant.length}:${tenant}` : ''
}

import { hostname } from 'node:os'

/** Which process of which machine this is. */
export function hostAndProcess(): { readonly host: string; readonly pid: number; readonly node: string } {
  return { host: hostname(), pid: process.pid, node: process.versions.node }
}

import { type Running, start } from './child.ts'
import { root } from './installed.ts'

export const CROSSPOINT = `${root}/packages/cli/bin/crosspoint.js`

export interface Announcement {
  /** The endpoint that offers everything. */
  readonly url: string
  readonly servers: readonly { readonly name: string; readonly state: string; readonly revision?: string }[]
}

/** Starts the built gateway on a free port; it says where it is and what became of its servers. */
export function startGateway(config: string): Promise<Running<Announcement>> {
  const args = [CROSSPOINT, 'up', '--config', config, '--port', '0', '--json']
  // The line with the URL is the announcement; the tests read no other member of it than these.
  return start(process.execPath, args, (said) => ('url' in said ? (said as Announcement) : undefined))
}

/** Starts a server that says which port it got; its endpoint is `/mcp`. */
export function startServer(
  args: readonly string[],
  env: Readonly<Record<string, string>> = {},
): Promise<Running<string>> {
  return start(
    process.execPath,
    args,
    (said) => ('port' in said && typeof said.port === 'number' ? `http://127.0.0.1:${said.port}/mcp` : undefined),
    { env },
  )
}

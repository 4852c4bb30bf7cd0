import { type Running, start } from './child.ts'
import { root } from './installed.ts'

export const CROSSPOINT = `${root}/packages/cli/bin/crosspoint.js`

/** Starts the built gateway on a free port; it says the URL of the endpoint that offers everything. */
export function startGateway(config: string): Promise<Running<string>> {
  return start(process.execPath, [CROSSPOINT, 'up', '--config', config, '--port', '0', '--json'], (said) =>
    'url' in said && typeof said.url === 'string' ? said.url : undefined,
  )
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

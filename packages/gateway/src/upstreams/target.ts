import type { Target } from '@crosspoint/mcp/client'
import { childEnvironment } from '../config/child-environment.ts'
import type { TransportConfig } from '../config/model.ts'

/**
 * Whom to connect to.
 * @param own the environment of this process, of which a child inherits what its configuration allows
 */
export function toTarget(
  transport: TransportConfig,
  own: Readonly<Record<string, string | undefined>>,
  windows: boolean,
): Target {
  switch (transport.kind) {
    case 'stdio': {
      const { command, args, cwd } = transport
      const env = childEnvironment(transport, own, windows)
      // Parsed without a base folder, a configuration says nothing of a directory: ours, then.
      return { kind: 'stdio', command, args, env, ...(cwd === '' ? {} : { cwd }) }
    }
    case 'http':
      return { kind: 'http', url: transport.url, headers: transport.headers }
    case 'sse':
      return { kind: 'http', url: transport.url, headers: transport.headers, transport: 'sse' }
  }
}

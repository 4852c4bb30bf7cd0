import { serveStdio } from '@crosspoint/mcp/transports'
import type { ExitKind } from '../exit.ts'
import type { Io } from '../io.ts'
import type { DoorOptions } from '../options.ts'
import { createServing } from '../serving.ts'

/** One MCP server on standard input and output: the protocol and nothing else on standard output. */
export async function stdio(io: Io, options: DoorOptions): Promise<ExitKind> {
  const serving = await createServing(io, options, [])
  const { gateway } = serving
  try {
    // Clients that never ask again should see at once what there is; servers that take longer are announced later.
    await Promise.race([gateway.start(), serving.stopped])
    const endpoint = gateway.endpoint(options.view)
    if (endpoint === undefined) throw new Error('A gateway without its own view') // createServing checked it
    const served = serveStdio(endpoint)
    await Promise.race([served.closed, serving.stopped])
    await served.close()
  } finally {
    await serving.close()
  }
  return 'ok'
}

import type { Handle } from '@crosspoint/mcp'
import { type Endpoint, type HttpDoor, type HttpDoorOptions, openHttpDoor } from '@crosspoint/mcp/transports'

/** Doors opened by one test file, to be closed after each test. */
export interface Doors {
  /** Serves a handle at every path; gives the door and the URLs of `/mcp`, and of `/sse` for the oldest transport. */
  open(
    handle: Handle,
    endpoint?: Partial<Endpoint>,
    options?: Partial<HttpDoorOptions>,
  ): Promise<{ readonly door: HttpDoor; readonly url: string; readonly sse: string }>
  closeAll(): Promise<void>
}

export function createDoors(): Doors {
  const doors: HttpDoor[] = []
  return {
    async open(handle, endpoint = {}, options = {}) {
      const served: Endpoint = { handle, serverInfo: { name: 's', version: '1' }, ...endpoint }
      const door = await openHttpDoor({
        endpoint: (path) => (path === '/sse' ? undefined : served),
        sse: () => served,
        ...options,
      })
      doors.push(door)
      return { door, url: `${door.url}/mcp`, sse: `${door.url}/sse` }
    },
    async closeAll() {
      await Promise.all(doors.splice(0).map((door) => door.close({ drainMs: 0 })))
    },
  }
}

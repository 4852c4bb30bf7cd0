import { createGateway, type GatewayOptions, openFrontDoor } from '@crosspoint/gateway'
import { type GatewayConfig, parseConfig } from '@crosspoint/gateway/config'
import { type Clock, systemClock } from '@crosspoint/mcp'
import { openHttpDoor } from '@crosspoint/mcp/transports'
import { openRecorder } from './recorder.ts'
import { SPOKEN, type Speaks } from './speaks.ts'
import { createMatrixServer } from './upstream.ts'

/** Servers of several revisions over HTTP, and what was wrong with what they were sent since it was last asked for. */
export interface Upstreams {
  /** By name, which is the revision. */
  readonly urls: Readonly<Record<string, { readonly url: string }>>
  takeFaults(): readonly string[]
  close(): Promise<void>
}

/** One server of each revision, over the transport of the revision, each behind a recorder. */
export async function openUpstreams(revisions: readonly Speaks[] = SPOKEN): Promise<Upstreams> {
  const opened = await Promise.all(
    revisions.map(async ({ name, traits }) => {
      const { endpoint, close } = createMatrixServer(name, name)
      const door = await openHttpDoor(
        traits.http === 'sse'
          ? { endpoint: () => undefined, sse: () => endpoint }
          : { endpoint: (path) => (path === '/mcp' ? endpoint : undefined) },
      )
      const recorder = await openRecorder(door.url, name)
      return { name, close, door, recorder, url: `${recorder.url}${traits.http === 'sse' ? '/sse' : '/mcp'}` }
    }),
  )
  return {
    urls: Object.fromEntries(opened.map(({ name, url }) => [name, { url }])),
    takeFaults: () => opened.flatMap(({ name, recorder }) => recorder.takeFaults().map((fault) => `${name}: ${fault}`)),
    async close() {
      for (const { close, door, recorder } of opened) {
        close()
        await recorder.close()
        await door.close({ drainMs: 0 })
      }
    },
  }
}

export interface House {
  /** Of everything. */
  readonly url: string
  close(): Promise<void>
}

export interface HouseOptions extends Partial<Pick<GatewayOptions, 'cluster' | 'authenticate'>> {
  /** More of the configuration. */
  readonly settings?: object
}

/** A gateway with its door, over these servers. */
export async function openHouse(servers: object, { settings, ...options }: HouseOptions = {}): Promise<House> {
  const gateway = createGateway({
    config: toConfig(servers, settings),
    info: { name: 'crosspoint', version: '0' },
    clock: HASTY,
    settleMs: TIMEOUTS.connectMs,
    ...options,
  })
  await gateway.start()
  const away = gateway.status().filter(({ state }) => state !== 'ready')
  if (away.length > 0) throw new Error(`Not ready: ${JSON.stringify(away)}`)
  const door = await openFrontDoor(gateway)
  return {
    url: door.url,
    async close() {
      await door.close({ drainMs: 0 })
      await gateway.close({ graceMs: 0 })
    },
  }
}

/** As long as it takes on a machine that is busy: the clock is a fast one. */
const TIMEOUTS = { connectMs: 600_000, probeMs: 100_000, requestMs: 600_000, maxRequestMs: 900_000 }

function toConfig(servers: object, settings: object = {}): GatewayConfig {
  return parseConfig(JSON.stringify({ servers, timeouts: TIMEOUTS, ...settings }), { path: 'crosspoint.json' }).config
}

const TIMES = 10
/** Ten times as fast as the clock on the wall: what a gateway waits for is not waited for so long. */
const HASTY: Clock = {
  now: () => systemClock.now() * TIMES,
  wallNow: () => systemClock.wallNow(),
  setTimer: (ms, fire, options) => systemClock.setTimer(ms / TIMES, fire, options),
}

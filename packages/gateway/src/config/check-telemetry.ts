import { isLoopbackHost } from './hosts.ts'
import type { WrittenConfig } from './schema.ts'

type Complain = (path: readonly PropertyKey[], message: string, hint?: string) => void

/** Whether metrics have a place of their own, and collectors are where credentials do not show. */
export function checkTelemetry({ telemetry, listen, admin }: WrittenConfig, error: Complain, warn: Complain): void {
  const { traces, metrics } = telemetry
  for (const [key, of] of [
    ['traces', traces],
    ['metrics', metrics],
  ] as const) {
    if (of?.otlp === undefined) continue
    const path = ['telemetry', key, 'otlp']
    if (!URL.canParse(of.otlp)) error(path, 'This is not a valid URL')
    else if (new URL(of.otlp).password !== '') error(path, 'A password must not be part of a URL', 'use "headers"')
  }
  const { prometheus } = metrics ?? {}
  if (prometheus === undefined) return
  const at = ['telemetry', 'metrics', 'prometheus']
  const { host, port, token } = prometheus
  const isTaken = port !== 0 && [listen, admin].some((other) => other.port === port && other.host === host)
  if (isTaken) error([...at, 'port'], 'Something else of this gateway is at this port', 'choose another one')
  if (!isLoopbackHost(host) && token === undefined) {
    warn(
      [...at, 'host'],
      'Whoever reaches this address can read which tools there are and how they are used',
      'add "token"',
    )
  }
}

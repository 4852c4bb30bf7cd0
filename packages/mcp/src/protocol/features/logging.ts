import type { JsonObject } from '../../jsonrpc/frame.ts'
import { defineMethod } from '../method.ts'

/** RFC 5424 severities, least to most severe. */
export const LOG_LEVELS = ['debug', 'info', 'notice', 'warning', 'error', 'critical', 'alert', 'emergency'] as const
export type LogLevel = (typeof LOG_LEVELS)[number]

export interface LogMessageParams extends JsonObject {
  readonly level: LogLevel
  readonly logger?: string
  readonly data: unknown
}

export function isLogLevel(value: unknown): value is LogLevel {
  return (LOG_LEVELS as readonly unknown[]).includes(value)
}

/** Whether a message of `level` passes a threshold of `wanted`. */
export function isLogged(level: LogLevel, wanted: LogLevel): boolean {
  return LOG_LEVELS.indexOf(level) >= LOG_LEVELS.indexOf(wanted)
}

export const setLevel = defineMethod({
  name: 'logging/setLevel',
  kind: 'request',
  from: 'client',
  feature: 'logging',
  capability: 'logging',
})
export const logMessage = defineMethod({
  name: 'notifications/message',
  kind: 'notification',
  from: 'server',
  feature: 'logging',
  capability: 'logging',
})

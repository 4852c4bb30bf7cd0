import { McpError } from '../errors.ts'
import type { Params } from '../protocol/call.ts'
import { hasCapability, type ServerCapabilities } from '../protocol/capabilities.ts'
import { isLogLevel, type LogLevel } from '../protocol/features/logging.ts'

/**
 * Older revisions set a level for the whole session, newer ones say it with each request: the session remembers
 * it and each of its calls carries it. Until a client says what it wants it gets what is worth reading.
 */
export function toFirstLevel(capabilities: ServerCapabilities): LogLevel | undefined {
  return hasCapability(capabilities, 'logging') ? 'info' : undefined
}

/** Parses the parameters of `logging/setLevel`. */
export function parseLevel(capabilities: ServerCapabilities, params: Params): LogLevel {
  if (!hasCapability(capabilities, 'logging')) {
    throw new McpError('caller.unsupported_feature', 'Cannot set a log level: this server does not log')
  }
  if (isLogLevel(params.level)) return params.level
  throw new McpError('caller.invalid_params', 'Cannot set a log level that is not one of the eight of RFC 5424')
}

import { McpError } from '../../errors.ts'
import type { JsonObject } from '../../jsonrpc/frame.ts'
import { isObject } from '../../jsonrpc/members.ts'

/** `inputResponses` of a request. @throws {McpError} `caller.invalid_params` for what is no object */
export function parseResponses(params: JsonObject): JsonObject {
  const { inputResponses } = params
  if (inputResponses === undefined) return NO_RESPONSES
  if (isObject(inputResponses)) return inputResponses
  throw new McpError('caller.invalid_params', 'Cannot read "inputResponses": it is not an object')
}

const NO_RESPONSES: JsonObject = Object.freeze({})

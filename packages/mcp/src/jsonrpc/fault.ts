import { INVALID_PARAMS, INVALID_REQUEST, PARSE_ERROR } from './codes.ts'
import type { JsonObject } from './frame.ts'
import type { FrameLimits } from './limits.ts'
import { hasLoneSurrogate, locate } from './locate.ts'
import { shown } from './shown.ts'

/** A message that is not a JSON-RPC frame we accept. `idText` is the id as written, where one could be read. */
export class FrameFault extends Error {
  readonly rpcCode: number
  readonly idText: string | undefined

  constructor(rpcCode: number, message: string, idText?: string) {
    super(message)
    this.name = 'FrameFault'
    this.rpcCode = rpcCode
    this.idText = idText
  }
}

/** JSON that is not a frame. @param text what the value was read from, or nothing for a member of a batch */
export function refusal(what: string, value: unknown, text: string): FrameFault {
  return new FrameFault(INVALID_REQUEST, `Cannot read ${what}`, toKnownId(value, text))
}

export function toDepthFault(text: string, { maxDepth }: FrameLimits): FrameFault {
  const reason = `Cannot read a message nested deeper than ${maxDepth} levels`
  return new FrameFault(INVALID_REQUEST, reason, toIdText(locate(text, maxDepth).idText))
}

/** Half of a surrogate pair, which no UTF-8 text can carry. */
export function checkSurrogates(text: string, value: unknown): void {
  if (!hasLoneSurrogate(text)) return
  throw new FrameFault(PARSE_ERROR, 'Cannot read a string that holds half a surrogate pair', toKnownId(value, text))
}

/** A key named twice, or a number that cannot be passed on, where one of them was noticed. */
export function checkWritten(text: string, limits: FrameLimits): void {
  const { duplicateKey, inexactNumber, idText } = locate(text, limits.maxDepth)
  if (duplicateKey !== undefined && limits.duplicateKeys === 'reject') {
    const reason = `Cannot read an object that names the key "${shown(duplicateKey)}" twice`
    throw new FrameFault(INVALID_REQUEST, reason, toIdText(idText))
  }
  if (inexactNumber !== undefined && limits.inexactNumbers === 'reject') {
    const reason = `Cannot pass on the number ${shown(inexactNumber)} unchanged`
    throw new FrameFault(INVALID_PARAMS, `${reason}; send it as a string, or within ±(2^53 - 1)`, toIdText(idText))
  }
}

/** The id of a message that cannot be accepted, as it goes into the answer that says so. */
function toKnownId(value: unknown, text: string): string | undefined {
  if (typeof value !== 'object' || value === null || !Object.hasOwn(value, 'id')) return undefined
  const { id } = value as JsonObject // an object with this member
  if (typeof id === 'string') return id.length > MAX_ECHOED ? undefined : JSON.stringify(id)
  if (typeof id !== 'number') return undefined
  // A number that has changed in reading is found as it was written.
  return Number.isSafeInteger(id) && !Object.is(id, -0) ? String(id) : toIdText(locate(text, 1).idText)
}

function toIdText(written: string | undefined): string | undefined {
  if (written === undefined || INTEGER.test(written)) return written
  try {
    return typeof JSON.parse(written) === 'string' ? written : undefined
  } catch {
    return undefined // cut off or malformed: there is no id to echo
  }
}

/** Characters of an id that was not accepted. */
const MAX_ECHOED = 1_024
const INTEGER = /^-?(?:0|[1-9]\d*)$/

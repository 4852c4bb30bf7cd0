/** What a client can read. */
export interface Accepts {
  readonly json: boolean
  readonly sse: boolean
  /** It names streams before JSON: either will do, and where a stream has something for itself it gets one. */
  readonly ratherSse?: boolean
}

/** What official clients send. */
export const COMMON_ACCEPT = 'application/json, text/event-stream'

export const BOTH: Accepts = Object.freeze({ json: true, sse: true, ratherSse: false })

/** Reads an `Accept` header. Absent means anything, as HTTP has it; weights only matter where they are zero. */
export function parseAccept(header: string | undefined): Accepts {
  if (header === undefined || header === '*/*') return BOTH
  let json = false
  let sse = false
  let ratherSse = false
  for (const part of header.split(',')) {
    const [range = '', ...parameters] = part.split(';')
    if (parameters.some((parameter) => /^\s*q=0(?:\.0*)?\s*$/i.test(parameter))) continue
    switch (range.trim().toLowerCase()) {
      case '*/*':
        return BOTH
      case 'application/json':
      case 'application/*':
        json = true
        break
      case 'text/event-stream':
      case 'text/*':
        sse = true
        ratherSse ||= !json
        break
    }
  }
  return { json, sse, ratherSse }
}

/** Whether a `Content-Type` is JSON in UTF-8. */
export function isJsonType(header: string | undefined): boolean {
  if (header === 'application/json') return true
  if (header === undefined) return false
  const [type = '', ...parameters] = header.split(';')
  if (type.trim().toLowerCase() !== 'application/json') return false
  return parameters.every((parameter) => {
    const charset = /^\s*charset\s*=\s*"?([^"]*?)"?\s*$/i.exec(parameter)
    return charset === null || charset[1]?.toLowerCase() === 'utf-8'
  })
}

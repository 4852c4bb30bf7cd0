import type { z } from 'zod'
import { shown } from '../shown.ts'
import { Problem } from './problem.ts'

/** The body of a request, read within its bounds: text, then JSON that is not too deep. */
export async function readBody(request: Request, maxBytes: number): Promise<unknown> {
  const type = request.headers.get('content-type') ?? ''
  // A form of a foreign page cannot say this without being asked for its origin first.
  if (!/^application\/json\s*(?:;\s*charset="?utf-8"?\s*)?$/i.test(type)) {
    throw new Problem('unsupported_type', 'The body has to be "application/json"')
  }
  if (Number(request.headers.get('content-length') ?? 0) > maxBytes) throw tooLarge(maxBytes)
  const text = await readText(request, maxBytes)
  if (text.trim() === '') return {}
  if (depthOf(text) > MAX_DEPTH) throw new Problem('invalid_request', `The body is nested more than ${MAX_DEPTH} deep`)
  try {
    return JSON.parse(text)
  } catch (cause) {
    throw new Problem('invalid_request', 'The body is not JSON', { cause })
  }
}

/**
 * What was sent, as the contract has it.
 * @throws {Problem} that names each part that is wrong
 */
export function check<Schema extends z.ZodType>(schema: Schema, value: unknown, where: string): z.output<Schema> {
  const checked = schema.safeParse(value)
  if (checked.success) return checked.data
  const errors = checked.error.issues
    .slice(0, MAX_ISSUES)
    .map(({ path, message }) => ({ path: shown(path.map(String).join('.')), message: shown(message) }))
  throw new Problem('invalid_request', `The ${where} is not as it has to be`, {
    errors,
    hint: 'The OpenAPI document at /api/v1/openapi.json has every part',
  })
}

async function readText(request: Request, maxBytes: number): Promise<string> {
  const decoder = new TextDecoder('utf-8', { fatal: true })
  let bytes = 0
  let text = ''
  try {
    for await (const chunk of request.body ?? []) {
      bytes += chunk.byteLength
      if (bytes > maxBytes) throw tooLarge(maxBytes)
      text += decoder.decode(chunk, { stream: true })
    }
    return text + decoder.decode()
  } catch (error) {
    if (error instanceof Problem) throw error
    throw new Problem('invalid_request', 'The body cannot be read as UTF-8', { cause: error })
  }
}

/** Of text that may be JSON: brackets outside of texts. */
function depthOf(text: string): number {
  let depth = 0
  let deepest = 0
  let isText = false
  for (let at = 0; at < text.length; at++) {
    const letter = text[at]
    if (isText) {
      if (letter === '\\') at++
      else if (letter === '"') isText = false
    } else if (letter === '"') isText = true
    else if (letter === '[' || letter === '{') deepest = Math.max(deepest, ++depth)
    else if (letter === ']' || letter === '}') depth--
  }
  return deepest
}

function tooLarge(maxBytes: number): Problem {
  return new Problem('too_large', `The body may have ${maxBytes} bytes`)
}

const MAX_DEPTH = 64
const MAX_ISSUES = 20

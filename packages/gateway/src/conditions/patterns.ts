import { compileJsonSchema } from '@crosspoint/mcp/json-schema'

/** Patterns of `matches`, by their text; each is compiled once, when its condition is parsed. */
const known = new Map<string, (text: string) => boolean>()

/**
 * A pattern as a function that takes time linear in the text, whatever the pattern: texts are a caller's.
 * @throws for what is no pattern that can be matched so
 */
export function toMatcher(pattern: string): (text: string) => boolean {
  const ready = known.get(pattern)
  if (ready !== undefined) return ready
  const schema = compileJsonSchema({ type: 'string', pattern })
  const made = (text: string) => {
    const fault = schema.validate(text)
    // A check that was given up says so without a fault.
    if (fault !== undefined && fault.faults.length === 0) throw new Error('The text is too long for this pattern')
    return fault === undefined
  }
  if (known.size >= MAX_KNOWN) known.clear()
  known.set(pattern, made)
  return made
}

const MAX_KNOWN = 10_000

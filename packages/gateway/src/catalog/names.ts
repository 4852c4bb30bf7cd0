import { type NativeName, toMergedNames as toNames } from '@crosspoint/mcp'
import { digest } from '../node/digest.ts'

/** The names under which callers of the gateway see what its servers offer. */
export function toMergedNames(things: readonly NativeName[]): readonly string[] {
  return toNames(things, (text) => digest(text, DIGEST_DIGITS))
}

const DIGEST_DIGITS = 8

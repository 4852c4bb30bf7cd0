import type { JsonObject } from './frame.ts'
import { Relayed, toPieces } from './relayed.ts'

/**
 * An object as the JSON text it goes on in, in pieces. Of one that is relayed, nothing large is read or written for it:
 * its bytes are among the pieces as they came.
 */
export function toJsonPieces(object: JsonObject): readonly (string | Uint8Array)[] {
  return object instanceof Relayed ? toPieces(object, '', '') : [JSON.stringify(object)]
}

import { r20241105 } from './2024-11-05.ts'
import { r20250326 } from './2025-03-26.ts'
import { r20250618 } from './2025-06-18.ts'
import { r20251125 } from './2025-11-25.ts'
import { r20260728 } from './2026-07-28.ts'
import { canonical } from './canonical.ts'
import { composeRevisions } from './compose.ts'
import type { Revision } from './revision.ts'

const DELTAS = [r20260728, r20251125, r20250618, r20250326, r20241105] as const
const table = composeRevisions(canonical, DELTAS)

/** The name of a revision: those there are, for an editor to offer, and any other text, which is judged where it is used. */
export type RevisionName = (typeof DELTAS)[number]['name'] | (string & {})

/** Every revision, newest first. */
export const REVISIONS: readonly Revision[] = table.revisions

/** The revision of that name, or undefined for one we do not speak. Resolve it once per side, at the edge. */
export const findRevision: (name: string) => Revision | undefined = table.findRevision

function first(holds: (revision: Revision) => boolean): Revision {
  const found = REVISIONS.find(holds)
  if (found === undefined) throw new Error('No revision has the trait asked for')
  return found
}

/** The newest revision of all: what the canonical model is written in. */
export const NEWEST: Revision = first(() => true)

/** The newest revision that opens with a handshake: the most that `initialize` may ever answer. */
export const NEWEST_HANDSHAKE: Revision = first((revision) => revision.traits.lifecycle === 'handshake')

/** What an HTTP request of an older peer speaks when it names no version (streamable HTTP since then). */
export const UNNAMED_HTTP: Revision = first(
  (revision) => revision.traits.versionHeader === 'none' && revision.traits.http === 'streamable',
)

export const HANDSHAKE_REVISIONS: readonly Revision[] = REVISIONS.filter(
  (revision) => revision.traits.lifecycle === 'handshake',
)
export const ENVELOPE_REVISIONS: readonly Revision[] = REVISIONS.filter(
  (revision) => revision.traits.lifecycle === 'envelope',
)

import { findRevision, type Revision } from '@crosspoint/mcp'

/** What the matrix asks of a revision, beyond its traits. */
export interface Speaks {
  readonly name: string
  readonly traits: Revision['traits']
  /** Opens with a handshake, and is asked back by requests; the other kind says all with each request, and is asked by results. */
  readonly shakesHands: boolean
  /** Progress may say what is being done. */
  readonly progressWords: boolean
  readonly hasAudio: boolean
  /** A result may point to a resource. */
  readonly hasLinks: boolean
  readonly elicitsForms: boolean
  readonly elicitsPages: boolean
  /** What `structuredContent` may be. */
  readonly structured: 'nothing' | 'objects' | 'anything'
}

/** Every revision, oldest first. */
export const SPOKEN: readonly Speaks[] = ['2024-11-05', '2025-03-26', '2025-06-18', '2025-11-25', '2026-07-28'].map(
  toSpeaks,
)

function toSpeaks(name: string): Speaks {
  const revision = findRevision(name)
  if (revision === undefined) throw new Error(`There is no revision "${name}"`)
  const { traits } = revision
  return {
    name,
    traits,
    shakesHands: traits.lifecycle === 'handshake',
    progressWords: name >= '2025-03-26',
    hasAudio: name >= '2025-03-26',
    hasLinks: name >= '2025-06-18',
    elicitsForms: name >= '2025-06-18',
    elicitsPages: name >= '2025-11-25',
    structured: name >= '2026-07-28' ? 'anything' : name >= '2025-06-18' ? 'objects' : 'nothing',
  }
}

import type { Checkpoint } from '../stores/contract/audit-store.ts'
import { isChain, isCount, isHash, type Tail } from './chain.ts'

/** Signs checkpoints; see `node/audit-key.ts`. */
export interface Signer {
  /** By which its public key is found. */
  readonly id: string
  /** Ed25519, base64url. */
  sign(text: string): string
}

/** Public keys by their ids. */
export type Verifiers = ReadonlyMap<string, (text: string, signature: string) => boolean>

export function signCheckpoint(signer: Signer, { chain, seq, hash }: Tail, at: number): Checkpoint {
  const said = { chain, seq, hash, at }
  return { ...said, key: signer.id, signature: signer.sign(toText(said)) }
}

/** What is wrong with a checkpoint by itself; undefined where nothing is. */
export function findForgery(checkpoint: Checkpoint, verifiers: Verifiers): string | undefined {
  const { chain, seq, hash, at, key, signature } = checkpoint
  if (!isChain(chain) || !isCount(seq) || !isHash(hash) || !isCount(at)) return 'it does not have the form of one'
  const isGenuine = verifiers.get(key)
  if (isGenuine === undefined) return 'it is signed with a key that is not given'
  return isGenuine(toText(checkpoint), signature) ? undefined : 'its signature is wrong'
}

/** A line of an anchor; its members are always in this order. */
export function toAnchorLine({ chain, seq, hash, at, key, signature }: Checkpoint): string {
  return JSON.stringify({ chain, seq, hash, at, key, signature })
}

/**
 * The checkpoints of an anchor. Lines that are none are skipped where they do not begin as one, so that a log may be an
 * anchor; those that begin as one and are damaged are told.
 */
export function parseAnchor(text: string): { readonly checkpoints: readonly Checkpoint[]; readonly damaged: number[] } {
  const checkpoints: Checkpoint[] = []
  const damaged: number[] = []
  for (const [at, line] of text.split('\n').entries()) {
    const start = line.indexOf('{"chain":"')
    if (start < 0) continue
    const checkpoint = parseLine(line.slice(start))
    if (checkpoint === undefined) damaged.push(at + 1)
    else checkpoints.push(checkpoint)
  }
  return { checkpoints, damaged }
}

function parseLine(line: string): Checkpoint | undefined {
  try {
    const value = JSON.parse(line.trimEnd()) as Partial<Checkpoint> // every member is looked at below
    const { chain, seq, hash, at, key, signature } = value
    const texts = [chain, hash, key, signature].every((text) => typeof text === 'string')
    return texts && typeof seq === 'number' && typeof at === 'number' ? (value as Checkpoint) : undefined
  } catch {
    // No JSON: told as damaged.
    return undefined
  }
}

function toText({ chain, seq, hash, at }: Omit<Checkpoint, 'key' | 'signature'>): string {
  return `crosspoint-audit-checkpoint-1\n${chain}\n${seq}\n${hash}\n${at}`
}

/** Durations in seconds by how many took about as long: counts only, of a fixed size. */
export class Histogram {
  /** By the bounds of {@link BOUNDS}, and one more for what took longer than all. */
  readonly counts = new Float64Array(BOUNDS.length + 1)
  count = 0
  sum = 0
  max = 0

  record(seconds: number): void {
    // A clock that was set back makes nothing shorter than nothing.
    const taken = Math.max(seconds || 0, 0)
    const at = toBucket(taken)
    this.counts[at] = (this.counts[at] ?? 0) + 1
    this.count++
    this.sum += taken
    if (taken > this.max) this.max = taken
  }

  add(other: Histogram): void {
    for (let at = 0; at < this.counts.length; at++) {
      this.counts[at] = (this.counts[at] ?? 0) + (other.counts[at] ?? 0)
    }
    this.count += other.count
    this.sum += other.sum
    this.max = Math.max(this.max, other.max)
  }

  /**
   * What so many of all took at most, in seconds, within a quarter of it: between two bounds durations count as evenly spread.
   * @param share in (0, 1): 0.99 for p99
   * @returns undefined where there is none
   */
  quantile(share: number): number | undefined {
    if (this.count === 0) return undefined
    let left = share * this.count
    for (let at = 0; at < this.counts.length; at++) {
      const here = this.counts[at] ?? 0
      if (here === 0 || left > here) {
        left -= here
        continue
      }
      const from = BOUNDS[at - 1] ?? 0
      const to = Math.min(BOUNDS[at] ?? this.max, this.max)
      return Math.min(this.max, from + (Math.max(from, to) - from) * (left / here))
    }
    return this.max
  }

  /** The same by the bounds that the field has agreed on, of which ours are a refinement. */
  toFieldCounts(): number[] {
    const told = new Array<number>(FIELD_BOUNDS.length + 1).fill(0)
    for (let at = 0; at < this.counts.length; at++) {
      const into = FIELD_PLACES[at] ?? FIELD_BOUNDS.length
      told[into] = (told[into] ?? 0) + (this.counts[at] ?? 0)
    }
    return told
  }
}

/** A bound belongs to the bucket below it. */
function toBucket(seconds: number): number {
  let low = 0
  let high = BOUNDS.length
  while (low < high) {
    const middle = (low + high) >>> 1
    if (seconds <= (BOUNDS[middle] ?? Number.POSITIVE_INFINITY)) high = middle
    else low = middle + 1
  }
  return low
}

/** Semantic conventions of OpenTelemetry for MCP, all durations; in seconds. */
export const FIELD_BOUNDS: readonly number[] = [0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 30, 60, 120, 300]
/** Ten for each power of ten from 50 µs, and those of the field among them. */
const BOUNDS: readonly number[] = [
  ...new Set([...FIELD_BOUNDS, ...Array.from({ length: 69 }, (_, at) => round(0.00005 * 10 ** (at / 10)))]),
].sort((a, b) => a - b)
/** Which bucket of the field each of ours is a part of. */
const FIELD_PLACES: readonly number[] = BOUNDS.map((bound) => FIELD_BOUNDS.findIndex((field) => bound <= field)).map(
  (at) => (at === -1 ? FIELD_BOUNDS.length : at),
)

function round(seconds: number): number {
  return Number(seconds.toPrecision(3))
}

/** Upper bounds of the buckets, in milliseconds: from a millisecond to a day. */
export const HISTOGRAM_BOUNDS_MS: readonly number[] = [
  1, 5, 10, 50, 100, 500, 1_000, 5_000, 10_000, 60_000, 600_000, 3_600_000, 86_400_000,
]

/** Durations in fixed buckets. An observation costs the same whatever was seen before. */
export class Histogram {
  /** Observations by bucket, each with those of no other; the last is for all that is longer. */
  readonly #counts = new Float64Array(HISTOGRAM_BOUNDS_MS.length + 1)
  #count = 0
  #sumMs = 0

  get count(): number {
    return this.#count
  }

  get sumMs(): number {
    return this.#sumMs
  }

  /** Notes the same duration for so many events. One below zero, as of a clock that was set, counts as zero. */
  observe(durationMs: number, events = 1): void {
    const value = durationMs > 0 ? durationMs : 0
    let bucket = 0
    while (bucket < HISTOGRAM_BOUNDS_MS.length && value > (HISTOGRAM_BOUNDS_MS[bucket] ?? 0)) {
      bucket += 1
    }
    this.#counts[bucket] = (this.#counts[bucket] ?? 0) + events
    this.#count += events
    this.#sumMs += value * events
  }

  /** How many were at most as long as each bound, in the order of the bounds. */
  cumulative(): number[] {
    let sum = 0
    return HISTOGRAM_BOUNDS_MS.map((_, i) => (sum += this.#counts[i] ?? 0))
  }

  reset(): void {
    this.#counts.fill(0)
    this.#count = 0
    this.#sumMs = 0
  }
}

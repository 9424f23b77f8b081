import type { Segment } from './segment.js'

/** The segments of a log in their order: those that are kept, the active one last. */
export class SegmentTable {
  readonly #segments: Segment[]

  constructor(segments: readonly Segment[]) {
    this.#segments = []
    for (const segment of segments) this.push(segment)
  }

  get size(): number {
    return this.#segments.length
  }

  get oldest(): Segment | undefined {
    return this.#segments[0]
  }

  /** The last one: the one that is written to, or was last. */
  get newest(): Segment | undefined {
    return this.#segments.at(-1)
  }

  [Symbol.iterator](): IterableIterator<Segment> {
    return this.#segments[Symbol.iterator]()
  }

  /** Puts a segment behind the newest, which does not grow any more. */
  push(segment: Segment): void {
    const before = this.newest
    if (before) segment.bytesBefore = before.bytesBefore + before.recordBytes
    this.#segments.push(segment)
  }

  /** Takes the oldest out. */
  shift(): Segment | undefined {
    return this.#segments.shift()
  }

  /** The first segment that holds an event of `sequence` or one behind it; else the newest. */
  holding(sequence: number): Segment | undefined {
    const index = this.#firstIndex((segment) => segment.nextSequence > sequence)
    return this.#segments[Math.min(index, this.#segments.length - 1)]
  }

  /** The segment behind one. */
  after(segment: Segment): Segment | undefined {
    const index = this.#firstIndex((each) => each.id > segment.id)
    return this.#segments[index]
  }

  /**
   * Bytes of records from the event `sequence` on. Within a segment events count as equally long, so that no
   * index is needed.
   */
  bytesFrom(sequence: number): number {
    const segment = this.holding(sequence)
    const { newest } = this
    if (!segment || !newest) return 0
    const { bytesBefore, firstSequence, nextSequence, recordBytes } = segment
    const events = nextSequence - firstSequence
    const done = Math.min(events, Math.max(0, sequence - firstSequence))
    const share = events === 0 ? 1 : done / events
    return newest.bytesBefore + newest.recordBytes - bytesBefore - Math.round(recordBytes * share)
  }

  /** The first index for which `holds`; it holds for all behind it too. */
  #firstIndex(holds: (segment: Segment) => boolean): number {
    let low = 0
    let high = this.#segments.length
    while (low < high) {
      const middle = (low + high) >>> 1
      if (holds(this.#segments[middle] as Segment)) high = middle
      else low = middle + 1
    }
    return low
  }
}

import { HEADER_BLOCK_BYTES } from '../format/segment-header.js'
import type { Segment } from './segment.js'

/** The segments of a log in their order: those that are kept, the active one last. */
export class SegmentTable {
  readonly #segments: Segment[]

  constructor(segments: readonly Segment[]) {
    this.#segments = [...segments]
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

  push(segment: Segment): void {
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
    let bytes = 0
    for (let i = this.#segments.length - 1; i >= 0; i -= 1) {
      const { firstSequence, nextSequence, end } = this.#segments[i] as Segment
      if (nextSequence <= sequence) break
      const events = nextSequence - firstSequence
      const share = (nextSequence - Math.max(sequence, firstSequence)) / events
      bytes += (end - HEADER_BLOCK_BYTES) * share
    }
    return Math.round(bytes)
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

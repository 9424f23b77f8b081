import type { Cursor, SequenceRange } from '../format/cursors.js'

/** Which events one consumer is done with: all below a sequence, and ranges above it. */
export class DoneEvents {
  #sequence: number
  #above: SequenceRange[]
  #eventsAbove = 0

  constructor(sequence: number, above: readonly SequenceRange[] = []) {
    this.#sequence = sequence
    this.#above = [...above]
    for (const [from, to] of above) this.#eventsAbove += to - from
    this.#absorb()
  }

  /** Everything before it is done. */
  get sequence(): number {
    return this.#sequence
  }

  /** Number of events that are done above {@link DoneEvents.sequence}. */
  get eventsAbove(): number {
    return this.#eventsAbove
  }

  /** Sequence behind the last event that is done. */
  get end(): number {
    return this.#above.at(-1)?.[1] ?? this.#sequence
  }

  cursor(consumer: string): Cursor {
    return { consumer, sequence: this.#sequence, doneAbove: [...this.#above] }
  }

  /** Notes that the events [from, to) are done; gives the number of those that were not before. */
  add(from: number, to: number): number {
    const start = Math.max(from, this.#sequence)
    if (start >= to) return 0
    if (start === this.#sequence && this.#above.length === 0) {
      this.#sequence = to
      return to - start
    }
    const before = this.#sequence + this.#eventsAbove
    this.#merge(start, to)
    this.#absorb()
    return this.#sequence + this.#eventsAbove - before
  }

  /** The parts of [from, to) that are not done. */
  undone(from: number, to: number): SequenceRange[] {
    const parts: SequenceRange[] = []
    let at = Math.max(from, this.#sequence)
    for (const [start, end] of this.#above) {
      if (start >= to) break
      if (end <= at) continue
      if (start > at) parts.push([at, start])
      at = Math.max(at, end)
    }
    if (at < to) parts.push([at, to])
    return parts
  }

  #merge(from: number, to: number): void {
    const above = this.#above
    let first = above.length
    while (first > 0 && (above[first - 1] as SequenceRange)[1] >= from) first -= 1
    let behind = first
    let start = from
    let end = to
    while (behind < above.length && (above[behind] as SequenceRange)[0] <= end) {
      const [rangeFrom, rangeTo] = above[behind] as SequenceRange
      start = Math.min(start, rangeFrom)
      end = Math.max(end, rangeTo)
      this.#eventsAbove -= rangeTo - rangeFrom
      behind += 1
    }
    above.splice(first, behind - first, [start, end])
    this.#eventsAbove += end - start
  }

  /** Ranges that have become part of what is below. */
  #absorb(): void {
    let count = 0
    for (const [from, to] of this.#above) {
      if (from > this.#sequence) break
      this.#sequence = Math.max(this.#sequence, to)
      this.#eventsAbove -= to - from
      count += 1
    }
    if (count > 0) this.#above.splice(0, count)
  }
}

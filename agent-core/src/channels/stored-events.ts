/** Events of a channel that are in memory, in their order, and how much of it they take. */
import { EventBatch } from '@millrace/event'
import { Deque } from './deque.js'

/** A batch as it was put. Its memory is free again when the last of its events is done. */
export interface Entry {
  readonly batch: EventBatch
  /** Number of its first event; events are ordered by their numbers. */
  readonly sequence: number
  readonly bytes: number
  /** When it was put, in epoch milliseconds; undefined where nobody knows. */
  readonly storedAtMs: number | undefined
  /** Events that are not committed yet. */
  undone: number
}

/** Events [from, to) of an entry. */
export interface Segment {
  readonly entry: Entry
  readonly from: number
  readonly to: number
}

export class StoredEvents {
  readonly #segments = new Deque<Segment>()
  #nextSequence = 0
  #events = 0
  #bytes = 0
  #waitingBytes = 0

  /** Events that are not committed, the taken ones included. */
  get events(): number {
    return this.#events
  }

  /** Memory that they keep alive, in bytes. */
  get bytes(): number {
    return this.#bytes
  }

  /** Whether there is nothing to take. */
  get isEmpty(): boolean {
    return this.#segments.size === 0
  }

  /** Encoded length of what can be taken, in bytes. */
  get waitingBytes(): number {
    return this.#waitingBytes
  }

  /** Adds a batch at the end. Its numbers, where given, are above those of all before it. */
  add(batch: EventBatch, sequence: number = this.#nextSequence, storedAtMs?: number): void {
    const bytes = batch.retainedBytes
    const entry = { batch, sequence, bytes, storedAtMs, undone: batch.size }
    this.#nextSequence = sequence + batch.size
    this.#events += batch.size
    this.#bytes += bytes
    this.#waitingBytes += batch.byteLength
    this.#segments.push({ entry, from: 0, to: batch.size })
  }

  /** Takes from the head at least one event and at most what the limits allow. */
  take(maxEvents: number, maxBytes: number): Segment[] {
    const taken: Segment[] = []
    let events = maxEvents
    let bytes = maxBytes
    for (let head = this.#segments.peek(); head && events > 0; head = this.#segments.peek()) {
      const { entry, from, to } = head
      const fitting = this.#fitting(head, events, bytes)
      const end = from + (fitting === 0 && taken.length === 0 ? 1 : fitting)
      if (end === from) break
      const part = end < to ? { entry, from, to: end } : head
      const length = bytesOf(part)
      this.#segments.shift()
      if (end < to) this.#segments.unshift({ entry, from: end, to })
      taken.push(part)
      this.#waitingBytes -= length
      if (end < to) break
      events -= end - from
      bytes -= length
    }
    return taken
  }

  /** The events are done: their room is free. */
  drop(segments: readonly Segment[]): void {
    for (const { entry, from, to } of segments) {
      this.#events -= to - from
      entry.undone -= to - from
      if (entry.undone === 0) this.#bytes -= entry.bytes
    }
  }

  /** Puts taken events back where they were: before all that was put after them. */
  giveBack(segments: readonly Segment[]): void {
    const last = segments.at(-1)
    if (!last) return
    for (const segment of segments) this.#waitingBytes += bytesOf(segment)
    const ahead: Segment[] = []
    for (let head = this.#segments.peek(); head; head = this.#segments.peek()) {
      if (compare(head, last) > 0) break
      ahead.push(head)
      this.#segments.shift()
    }
    const merged = ahead.length === 0 ? segments : [...ahead, ...segments].sort(compare)
    for (let i = merged.length - 1; i >= 0; i -= 1) this.#segments.unshift(merged[i] as Segment)
  }

  /** How many events from the start of the segment fit. */
  #fitting(segment: Segment, maxEvents: number, maxBytes: number): number {
    const { entry, from, to } = segment
    const length = Math.min(to - from, maxEvents)
    if (entry.batch.byteLength <= maxBytes) return length
    let bytes = 0
    for (let i = 0; i < length; i += 1) {
      bytes += entry.batch.byteLengthAt(from + i)
      if (bytes > maxBytes) return i
    }
    return length
  }
}

/** The events of the segments as one batch. */
export function batchOf(segments: readonly Segment[]): EventBatch {
  const [first] = segments
  // A view pins the entry's buffer, which stays accounted for until its last event is done.
  if (first && segments.length === 1) return first.entry.batch.view(first.from, first.to)
  return EventBatch.concat(segments.map(({ entry, from, to }) => entry.batch.view(from, to)))
}

function bytesOf({ entry, from, to }: Segment): number {
  return entry.batch.view(from, to).byteLength
}

function compare(a: Segment, b: Segment): number {
  return a.entry.sequence - b.entry.sequence || a.from - b.from
}

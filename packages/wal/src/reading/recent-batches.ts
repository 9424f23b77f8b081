import type { EventBatch } from '@millrace/event'

/** A batch and the sequence of its first event. */
export interface ReadBatch {
  readonly firstSequence: number
  readonly batch: EventBatch
  /** When it was appended, in epoch milliseconds. */
  readonly appendedAtMs: number
}

/** The batches appended last, in memory: consumers that follow closely need no disk. */
export class RecentBatches {
  readonly #maxBytes: number
  #entries: (ReadBatch | undefined)[] = []
  /** Index of the oldest entry that is kept. */
  #head = 0
  #bytes = 0

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes
  }

  /** Whether anything is kept at all. */
  get isKept(): boolean {
    return this.#maxBytes > 0
  }

  add(entry: ReadBatch): void {
    this.#entries.push(entry)
    this.#bytes += entry.batch.retainedBytes
    while (this.#bytes > this.#maxBytes && this.#head < this.#entries.length) this.#dropOldest()
  }

  /** Batches from the event `sequence` on, at least one; undefined when that event is not kept. */
  from(sequence: number, maxBytes: number): ReadBatch[] | undefined {
    let index = this.#indexOf(sequence)
    if (index === undefined) return undefined
    const found: ReadBatch[] = []
    let bytes = 0
    for (; index < this.#entries.length; index += 1) {
      const entry = this.#entries[index] as ReadBatch
      if (found.length > 0 && bytes + entry.batch.byteLength > maxBytes) break
      bytes += entry.batch.byteLength
      found.push(from(entry, sequence))
    }
    return found
  }

  /** Forgets what lies before the event `sequence`. */
  dropBefore(sequence: number): void {
    for (let oldest = this.#entries[this.#head]; oldest; oldest = this.#entries[this.#head]) {
      if (oldest.firstSequence + oldest.batch.size > sequence) break
      this.#dropOldest()
    }
  }

  #dropOldest(): void {
    this.#bytes -= (this.#entries[this.#head] as ReadBatch).batch.retainedBytes
    // The place stays for a while, the memory must not.
    this.#entries[this.#head] = undefined
    this.#head += 1
    if (this.#head === this.#entries.length) {
      this.#entries = []
      this.#head = 0
    } else if (this.#head >= 1024 && this.#head * 2 >= this.#entries.length) {
      this.#entries = this.#entries.slice(this.#head)
      this.#head = 0
    }
  }

  #indexOf(sequence: number): number | undefined {
    const oldest = this.#entries[this.#head]
    if (!oldest || sequence < oldest.firstSequence) return undefined
    let low = this.#head
    let high = this.#entries.length
    while (low < high) {
      const middle = (low + high) >>> 1
      const { firstSequence, batch } = this.#entries[middle] as ReadBatch
      if (firstSequence + batch.size > sequence) high = middle
      else low = middle + 1
    }
    return low < this.#entries.length ? low : undefined
  }
}

function from(entry: ReadBatch, sequence: number): ReadBatch {
  const skipped = sequence - entry.firstSequence
  if (skipped <= 0) return entry
  const { appendedAtMs } = entry
  return { firstSequence: sequence, batch: entry.batch.view(skipped), appendedAtMs }
}

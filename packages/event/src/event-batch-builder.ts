import type { EventInit } from './event.js'
import { EventBatch } from './event-batch.js'
import { EventEncoder } from './event-encoder.js'

/** Collects events into a batch. Reusable: {@link EventBatchBuilder.build} starts anew. */
export class EventBatchBuilder {
  readonly #encoder = new EventEncoder()

  /** Number of events added since the last build. */
  get size(): number {
    return this.#encoder.size
  }

  /** Encoded length of the events added since the last build, in bytes. */
  get byteLength(): number {
    return this.#encoder.byteLength
  }

  /** @throws TypeError when a header's value is no string; nothing is added then. */
  add(event: EventInit): void {
    this.#encoder.add(event)
  }

  /** The events added so far. The builder is empty afterwards. */
  build(): EventBatch {
    if (this.size === 0) return EventBatch.empty()
    const { bytes, offsets } = this.#encoder.finish()
    return new EventBatch(bytes, offsets)
  }
}

import type { EventBatch } from './event-batch.js'
import type { Headers } from './headers.js'

/** What a program gives to make an event. */
export interface EventInit {
  /** Written in the order of the object's own keys. Default none. */
  readonly headers?: Readonly<Record<string, string>>
  /** A string is encoded as UTF-8. Default empty. */
  readonly body?: Uint8Array | string
}

/** One event of a batch: a view that decodes what is asked for, when it is asked for. */
export class Event {
  readonly #batch: EventBatch
  readonly #index: number
  #headers: Headers | undefined

  constructor(batch: EventBatch, index: number) {
    this.#batch = batch
    this.#index = index
  }

  /** All headers; of a key that stands twice the last value. Malformed UTF-8 reads as U+FFFD. */
  get headers(): Headers {
    this.#headers ??= this.#batch.headersAt(this.#index)
    return this.#headers
  }

  /** The body's bytes: a view into the batch, not to be written to. */
  get body(): Buffer {
    return this.#batch.bodyAt(this.#index)
  }
}

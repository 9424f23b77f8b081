import { abortable, type Deferred, deferred } from '@millrace/runtime'

/** Lets deliveries that overlap store their events in the order of the calls. */
export class DeliveryOrder {
  /** Deliveries under way that need only one channel, all the same one. */
  #direct = 0
  #channel: string | undefined
  #directEnded: Deferred<void> | undefined
  /** Deliveries that wait for those before them. */
  #chained = 0
  #tail: Promise<void> = Promise.resolve()

  /**
   * Whether a delivery to this one channel may begin at once: what is under way goes to the same
   * channel, which itself keeps the order of its calls.
   */
  isFree(channel: string): boolean {
    return this.#chained === 0 && (this.#direct === 0 || this.#channel === channel)
  }

  /** Notes that such a delivery began; {@link DeliveryOrder.end} must follow. */
  begin(channel: string): void {
    this.#direct += 1
    this.#channel = channel
  }

  end(): void {
    this.#direct -= 1
    if (this.#direct === 0) this.#directEnded?.resolve()
  }

  /**
   * Runs `store` when every delivery before this one has ended.
   * @throws AbortError when the signal is aborted before that.
   */
  async after(signal: AbortSignal, store: () => Promise<void>): Promise<void> {
    const before = this.#chained > 0 ? this.#tail : this.#whenDirectEnded()
    const own = deferred<void>()
    this.#chained += 1
    this.#tail = before.then(() => own.promise)
    try {
      await abortable(before, signal)
      await store()
    } finally {
      this.#chained -= 1
      own.resolve()
    }
  }

  #whenDirectEnded(): Promise<void> {
    if (this.#direct === 0) return Promise.resolve()
    this.#directEnded = deferred<void>()
    return this.#directEnded.promise
  }
}

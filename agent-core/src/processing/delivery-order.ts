import { abortable, type Deferred, deferred } from '@millrace/runtime'

/** Lets deliveries that overlap store their events in the order of the calls. */
export class DeliveryOrder {
  /** Deliveries under way that each need only one channel, which keeps the order of its calls. */
  #direct = 0
  #directEnded: Deferred<void> | undefined
  /** Deliveries that wait for those before them. */
  #chained = 0
  #tail: Promise<void> = Promise.resolve()

  /** Whether a delivery that needs only one channel may begin at once. */
  get isFree(): boolean {
    return this.#chained === 0
  }

  /** Notes that such a delivery began; {@link DeliveryOrder.end} must follow. */
  begin(): void {
    this.#direct += 1
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

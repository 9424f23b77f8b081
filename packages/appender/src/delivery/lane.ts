import type { Random, Timer } from '@millrace/runtime'
import { EventQueue, type Removed } from '../queue/event-queue.js'
import type { PageStore } from '../queue/page-store.js'
import type { Run } from '../queue/run.js'
import type { SpoolFeed } from '../spool/spool-feed.js'
import { BatchDelivery, type DeliveryContext } from './batch-delivery.js'
import { Suspects } from './suspects.js'

export interface LaneOptions {
  readonly context: DeliveryContext
  readonly pages: PageStore
  readonly batch: {
    readonly maxEvents: number
    readonly maxBytes: number
    readonly lingerMs: number
  }
  readonly backoff: { readonly minMs: number; readonly maxMs: number }
  readonly maxAgeMs: number
  readonly maxInFlight: number
  readonly random: Random
}

/**
 * One ordered pipeline: events wait in its queue until a batch is full, has waited long enough or is
 * wanted at once; then it is sent, by default one at a time.
 */
export class Lane {
  readonly queue: EventQueue
  readonly suspects: Suspects
  readonly delivery: BatchDelivery
  readonly #options: LaneOptions
  /** Where the events of this lane are kept until they are settled. */
  feed: SpoolFeed | undefined
  /** Events up to this number do not wait for others. */
  #hurryUpTo = 0
  #isScheduled = false
  #timer: Timer | undefined
  /** Deliveries that have been started and have not ended. */
  #busy = 0
  #isClosed = false

  constructor(options: LaneOptions) {
    this.#options = options
    const { context, pages, batch, maxAgeMs } = options
    this.queue = new EventQueue({
      pages,
      clock: context.clock,
      batchEvents: batch.maxEvents,
      batchBytes: batch.maxBytes,
      maxAgeMs,
    })
    this.suspects = new Suspects({ ...options, clock: context.clock })
    this.delivery = new BatchDelivery({
      context,
      queue: this.queue,
      suspects: this.suspects,
      onSettled: (run) => this.feed?.done(run),
      isKept: () => this.feed !== undefined,
    })
  }

  /** An event came. Cheap: it is called for each. */
  noticed(): void {
    if (this.#isScheduled || this.#busy >= this.#options.maxInFlight) return
    const { maxEvents, maxBytes } = this.#options.batch
    if (this.queue.events >= maxEvents || this.queue.bytes >= maxBytes) this.#schedule()
    else if (!this.#timer) this.#arm(this.#options.batch.lingerMs)
  }

  /** Events up to this number are to be sent without waiting for others. */
  hurry(sequence: number): void {
    this.#hurryUpTo = Math.max(this.#hurryUpTo, sequence)
    if (!this.#isScheduled) this.#schedule()
  }

  /** A host became usable. */
  resume(): void {
    if (!this.#isScheduled) this.#schedule()
  }

  /** Number of the oldest event that waits; Infinity when none does. */
  get oldestSequence(): number {
    const waiting = this.queue.head?.firstSequence ?? Number.POSITIVE_INFINITY
    return Math.min(waiting, this.suspects.oldest?.firstSequence ?? Number.POSITIVE_INFINITY)
  }

  /** Events that are with a receiver or on the way to one. */
  get inFlight(): number {
    return this.delivery.inFlight
  }

  /** The oldest event's place in the spool; Infinity when none waits. */
  get oldestPlace(): number {
    const { head } = this.queue
    const suspect = this.suspects.oldest
    return Math.min(
      head?.page.placeAt(head.from) ?? Number.POSITIVE_INFINITY,
      suspect?.page.placeAt(suspect.from) ?? Number.POSITIVE_INFINITY,
    )
  }

  /** How long the oldest event has waited, in milliseconds. */
  get oldestAgeMs(): number {
    const { clock } = this.#options.context
    const since = [this.queue.head, this.suspects.oldest].map((run) => run?.waitsSinceMs)
    const earliest = Math.min(...since.map((ms) => ms ?? Number.POSITIVE_INFINITY))
    return earliest === Number.POSITIVE_INFINITY ? 0 : clock.monotonic() - earliest
  }

  /** Takes the oldest event that waits out of the lane. */
  removeOldest(): Removed | undefined {
    const suspect = this.suspects.oldest
    const sequence = this.queue.head?.firstSequence ?? Number.POSITIVE_INFINITY
    if (!suspect || suspect.firstSequence > sequence) return this.queue.removeOldest()
    const removed = { sequence: suspect.firstSequence, bytes: suspect.bytes }
    this.suspects.remove(suspect)
    this.queue.release(suspect)
    return removed
  }

  /** Gives up what is not delivered. */
  close(): void {
    this.#isClosed = true
    this.#timer?.cancel()
    this.#timer = undefined
    this.delivery.close()
  }

  #schedule(): void {
    this.#isScheduled = true
    // Not inside the logger's call, and once for all records of the same turn.
    setImmediate(() => {
      this.#isScheduled = false
      this.#pump()
    })
  }

  #arm(ms: number): void {
    const { clock } = this.#options.context
    this.#timer?.cancel()
    this.#timer = clock.after(
      ms,
      () => {
        this.#timer = undefined
        this.#pump()
      },
      { ref: false },
    )
  }

  /** Starts what is due now, and a timer for what is due later. */
  #pump(): void {
    if (this.#isClosed) return
    this.#timer?.cancel()
    this.#timer = undefined
    this.#expire()
    this.feed?.refill()
    const { maxInFlight, context } = this.#options
    while (this.#busy < maxInFlight) {
      const waitMs = this.#dueInMs()
      if (waitMs > 0) {
        if (waitMs !== Number.POSITIVE_INFINITY) this.#arm(waitMs)
        return
      }
      const retryMs = context.pool.retryInMs()
      if (retryMs > 0) {
        if (retryMs !== Number.POSITIVE_INFINITY) this.#arm(retryMs)
        return
      }
      this.#busy += 1
      void this.#deliver()
    }
  }

  async #deliver(): Promise<void> {
    await this.delivery.deliverNext()
    this.#busy -= 1
    this.#pump()
  }

  /** Milliseconds until a batch should go; Infinity when nothing waits. */
  #dueInMs(): number {
    const { queue, suspects } = this
    const { batch } = this.#options
    const { head } = queue
    const suspectMs = suspects.dueInMs(head !== undefined)
    // Each delivery under way will take a batch of its own.
    const { starting } = this.delivery
    if (!head || queue.events <= starting * batch.maxEvents) {
      return starting > 0 ? Number.POSITIVE_INFINITY : suspectMs
    }
    const isFull = queue.events >= batch.maxEvents || queue.bytes >= batch.maxBytes
    if (isFull || head.attempts > 0 || head.firstSequence <= this.#hurryUpTo) return 0
    const { clock } = this.#options.context
    return Math.min(suspectMs, head.waitsSinceMs + batch.lingerMs - clock.monotonic())
  }

  #expire(): void {
    const { ledger, diagnostics } = this.#options.context
    let run: Run | undefined
    while ((run = this.queue.takeExpired())) {
      ledger.send(run)
      ledger.settle(run, 'expired')
      diagnostics.report('dropped', 'events older than queue.maxAgeMs', undefined, run.events)
      this.feed?.done(run)
      this.queue.release(run)
    }
  }
}

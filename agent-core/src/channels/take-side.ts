/** What a channel has to give: events waiting to be taken, and takes waiting for events. */
import type { ChannelCounters, TakeLimit, Transaction } from '@millrace/component'
import type { EventBatch } from '@millrace/event'
import { abortReason, type Clock, TransactionError } from '@millrace/runtime'
import { batchOf, type Segment, StoredEvents } from './stored-events.js'
import { WaitList } from './wait-list.js'

const NOTHING = Promise.resolve(undefined)

/** What the channel behind it decides. */
export interface TakeSideHost {
  /** Most events of one take. */
  transactionCapacity(): number
  counters(): ChannelCounters
  /** Events are done for good: their room is free. A promise is what their commit waits for. */
  onCommitted(segments: readonly Segment[]): Promise<unknown> | void
}

/** Order in is order out; events given back are the next to be taken. */
export class TakeSide {
  readonly stored = new StoredEvents()
  readonly #host: TakeSideHost
  readonly #clock: Clock
  readonly #waiting: WaitList<TakeLimit, Transaction | undefined>

  constructor(host: TakeSideHost, clock: Clock) {
    this.#host = host
    this.#clock = clock
    this.#waiting = new WaitList<TakeLimit, Transaction | undefined>({
      clock,
      onTimeout: () => this.#nothing(),
      onLeave: () => {},
      // A sink's runner comes with the same signal as long as it runs.
      hasSteadySignals: true,
    })
  }

  take(limit: TakeLimit, signal: AbortSignal): Promise<Transaction | undefined> {
    if (signal.aborted) return Promise.reject(abortReason(signal))
    if (!this.stored.isEmpty) return Promise.resolve(this.#open(limit))
    if (limit.waitMs > 0) return this.#waiting.wait(limit, limit.waitMs, signal)
    this.#nothing()
    return NOTHING
  }

  /** Gives waiting takes what has come. */
  serve(): void {
    let limit = this.#waiting.first
    while (limit && !this.stored.isEmpty) {
      this.#waiting.resolveFirst(this.#open(limit))
      limit = this.#waiting.first
    }
  }

  rejectAll(makeReason: () => unknown): void {
    this.#waiting.rejectAll(makeReason)
  }

  #nothing(): undefined {
    this.#host.counters().eventTakeAttemptCount += 1
  }

  #open(limit: TakeLimit): Transaction {
    const most = Math.max(1, Math.min(limit.maxEvents, this.#host.transactionCapacity()))
    const segments = this.stored.take(most, limit.maxBytes)
    const batch = batchOf(segments)
    this.#host.counters().eventTakeAttemptCount += batch.size
    return new TakeTransaction(batch, segments, (committed, kept) => this.#end(committed, kept))
  }

  #end(committed: readonly Segment[], kept: readonly Segment[]): Promise<unknown> | void {
    this.stored.giveBack(kept)
    const before = this.stored.events
    this.stored.drop(committed)
    this.#host.counters().eventTakeSuccessCount += before - this.stored.events
    this.#noteTimes(committed)
    const done = committed.length > 0 ? this.#host.onCommitted(committed) : undefined
    if (kept.length > 0) this.serve()
    return done
  }

  /** One look at the clock for a commit, however many events it is of. */
  #noteTimes(committed: readonly Segment[]): void {
    const { timeInChannel } = this.#host.counters()
    const nowMs = this.#clock.now()
    for (const { entry, from, to } of committed) {
      if (entry.storedAtMs !== undefined) timeInChannel.observe(nowMs - entry.storedAtMs, to - from)
    }
  }
}

type End = (committed: readonly Segment[], kept: readonly Segment[]) => Promise<unknown> | void

class TakeTransaction implements Transaction {
  readonly batch: EventBatch
  readonly #segments: readonly Segment[]
  readonly #end: End
  #isOpen = true

  constructor(batch: EventBatch, segments: readonly Segment[], end: End) {
    this.batch = batch
    this.#segments = segments
    this.#end = end
  }

  async commit({ except = [] }: { readonly except?: readonly number[] } = {}): Promise<void> {
    this.#check()
    const { size } = this.batch
    const wrong = except.find((index) => !Number.isInteger(index) || index < 0 || index >= size)
    if (wrong !== undefined) throw new RangeError(`Event index ${wrong} is not in [0, ${size})`)
    this.#isOpen = false
    const { committed, kept } =
      except.length === 0
        ? { committed: this.#segments, kept: [] }
        : split(this.#segments, new Set(except))
    const done = this.#end(committed, kept)
    if (done) await done
  }

  async rollback(): Promise<void> {
    this.#check()
    this.#isOpen = false
    await this.#end([], this.#segments)
  }

  #check(): void {
    if (!this.#isOpen) throw new TransactionError('The transaction has ended before')
  }
}

/** Cuts the segments in runs of events that are in `except` and runs of those that are not. */
function split(segments: readonly Segment[], except: ReadonlySet<number>) {
  const committed: Segment[] = []
  const kept: Segment[] = []
  let index = 0
  for (const { entry, from, to } of segments) {
    let start = from
    for (let at = from + 1; at <= to; at += 1) {
      const isKept = except.has(index + at - 1 - from)
      if (at < to && except.has(index + at - from) === isKept) continue
      const run = isKept ? kept : committed
      run.push({ entry, from: start, to: at })
      start = at
    }
    index += to - from
  }
  return { committed, kept }
}

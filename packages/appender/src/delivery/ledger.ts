import { type Clock, type Deferred, deferred } from '@millrace/runtime'
import { type DropReason, DROP_REASONS } from '../appender-state.js'
import type { Run } from '../queue/run.js'

interface Waiter {
  readonly upTo: number
  remaining: number
  readonly settled: Deferred<boolean>
}

/**
 * What became of every record. At every instant
 * accepted = delivered + deadLettered + dropped + queued + spooled + inFlight;
 * each method moves events from one of these to another.
 */
export class Ledger {
  /** Number of the last record. */
  sequence = 0
  delivered = 0
  deadLettered = 0
  queued = 0
  inFlight = 0
  /** Events that are in the spool and not in memory. */
  spooled = 0
  /** Bytes of what is queued and in flight. */
  heldBytes = 0
  resent = 0
  split = 0
  readonly dropped: Record<DropReason, number>
  readonly #clock: Clock
  /** Records that have a number and no fate yet: their mapper runs. */
  #open = 0
  #waiters: Waiter[] = []

  constructor(clock: Clock) {
    this.#clock = clock
    const none = DROP_REASONS.map((reason) => [reason, 0])
    this.dropped = Object.fromEntries(none) as Record<DropReason, number>
  }

  /** Events held in memory. */
  get held(): number {
    return this.queued + this.inFlight
  }

  /** Events without a fate. */
  get open(): number {
    return this.held + this.spooled
  }

  get droppedTotal(): number {
    return DROP_REASONS.reduce((sum, reason) => sum + this.dropped[reason], 0)
  }

  get accepted(): number {
    return this.sequence - this.#open
  }

  /** A record came: its number. {@link queue} or {@link refuse} follows. */
  begin(): number {
    this.#open += 1
    this.sequence += 1
    return this.sequence
  }

  queue(bytes: number): void {
    this.#open -= 1
    this.queued += 1
    this.heldBytes += bytes
  }

  /** The record is given up before it was queued. */
  refuse(reason: DropReason): void {
    this.#open -= 1
    this.dropped[reason] += 1
  }

  /** The record is in the spool, and not in memory. */
  spool(): void {
    this.#open -= 1
    this.spooled += 1
  }

  /** Events of a spool that was found: as if they were accepted here, but nobody waits for them by number. */
  recover(events: number): void {
    this.sequence += events
    this.spooled += events
  }

  /** An event comes back from the spool. */
  load(bytes: number): void {
    this.spooled -= 1
    this.queued += 1
    this.heldBytes += bytes
  }

  /** Events that are in the spool only are given up. `sequence`: see {@link Waiter}. */
  dropSpooled(events: number, sequence: number, reason: DropReason): void {
    this.spooled -= events
    this.dropped[reason] += events
    for (const waiter of this.#waiters) if (sequence <= waiter.upTo) waiter.remaining -= events
    this.#wake()
  }

  /** The run on its way stays in the spool: the appender closes. */
  keep(run: Run): void {
    this.inFlight -= run.events
    this.heldBytes -= run.bytes
    this.spooled += run.events
  }

  /** The appender closes: what is open now will not be settled any more. */
  abandon(): void {
    for (const waiter of this.#waiters) waiter.settled.resolve(false)
  }

  send(run: Run): void {
    this.queued -= run.events
    this.inFlight += run.events
  }

  putBack(run: Run): void {
    this.queued += run.events
    this.inFlight -= run.events
  }

  /** The run on its way is settled. */
  settle(run: Run, outcome: 'delivered' | 'dead-lettered' | DropReason): void {
    this.inFlight -= run.events
    this.heldBytes -= run.bytes
    if (outcome === 'delivered') this.delivered += run.events
    else if (outcome === 'dead-lettered') this.deadLettered += run.events
    else this.dropped[outcome] += run.events
    for (const waiter of this.#waiters) waiter.remaining -= countUpTo(run, waiter.upTo)
    this.#wake()
  }

  /** One event that waits is given up. */
  drop(event: { sequence: number; bytes: number }, reason: DropReason): void {
    this.queued -= 1
    this.heldBytes -= event.bytes
    this.dropped[reason] += 1
    if (this.#waiters.length === 0) return
    for (const waiter of this.#waiters) if (event.sequence <= waiter.upTo) waiter.remaining -= 1
    this.#wake()
  }

  /**
   * Resolves true when all that is accepted by now is settled, false at the deadline; never rejects.
   * Keeps the process alive until then.
   */
  settled(timeoutMs: number): Promise<boolean> {
    if (this.open === 0) return Promise.resolve(true)
    const waiter = { upTo: this.sequence, remaining: this.open, settled: deferred<boolean>() }
    this.#waiters.push(waiter)
    const timer = this.#clock.after(timeoutMs, () => waiter.settled.resolve(false), { ref: true })
    return waiter.settled.promise.finally(() => {
      timer.cancel()
      this.#waiters = this.#waiters.filter((other) => other !== waiter)
    })
  }

  #wake(): void {
    for (const waiter of this.#waiters) if (waiter.remaining === 0) waiter.settled.resolve(true)
  }
}

function countUpTo(run: Run, sequence: number): number {
  if (!run.hasHoles && run.lastSequence <= sequence) return run.events
  let count = 0
  for (let i = run.from; i < run.to; i += 1) {
    if (!run.page.isHole(i) && run.page.sequenceAt(i) <= sequence) count += 1
  }
  return count
}

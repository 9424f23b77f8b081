import { type Clock, messageOf } from '@millrace/runtime'
import type { DeadLetters } from '../dead-letter/dead-letters.js'
import type { Diagnostics } from '../diagnostics.js'
import type { EventQueue } from '../queue/event-queue.js'
import type { Run } from '../queue/run.js'
import type { HostPool, Lease } from './host-pool.js'
import type { Ledger } from './ledger.js'
import { failureOf, rpcOutcomeOf } from './outcome.js'
import type { RpcStatistics } from './rpc-statistics.js'
import type { Suspects } from './suspects.js'

/** Refusals of one batch after which it is halved. */
const HALVING_REFUSALS = 2

/** What all lanes of an appender share. */
export interface DeliveryContext {
  readonly pool: HostPool
  readonly ledger: Ledger
  readonly statistics: RpcStatistics
  readonly deadLetters: DeadLetters
  readonly diagnostics: Diagnostics
  readonly clock: Clock
}

export interface BatchDeliveryOptions {
  readonly context: DeliveryContext
  readonly queue: EventQueue
  readonly suspects: Suspects
  /** The events need not be kept any more. */
  readonly onSettled: (run: Run) => void
  /** Whether the events are in a spool, which keeps them when the appender closes. */
  readonly isKept: () => boolean
}

/**
 * Carries single batches of one lane to a receiver and decides by the outcome what becomes of them:
 * acknowledged ones are released, all others stay and are tried again.
 */
export class BatchDelivery {
  readonly #context: DeliveryContext
  readonly #queue: EventQueue
  readonly #suspects: Suspects
  readonly #onSettled: (run: Run) => void
  readonly #isKept: () => boolean
  readonly #onTheWay = new Set<Run>()
  /** Deliveries that look for a connection and have not taken a batch yet. */
  starting = 0
  #isClosed = false

  constructor(options: BatchDeliveryOptions) {
    this.#context = options.context
    this.#queue = options.queue
    this.#suspects = options.suspects
    this.#onSettled = options.onSettled
    this.#isKept = options.isKept
  }

  /** Events of all runs that are on the way. */
  get inFlight(): number {
    let events = 0
    for (const run of this.#onTheWay) events += run.events
    return events
  }

  /** Sends the next batch, if there is a host and still something to send. Never rejects. */
  async deliverNext(): Promise<void> {
    const { ledger, pool, diagnostics } = this.#context
    try {
      const lease = await this.#lease()
      if (!lease) return
      const run = this.#isClosed ? undefined : this.#take()
      if (!run) {
        pool.release(lease)
        return
      }
      this.#onTheWay.add(run)
      ledger.send(run)
      await this.#send(lease, run)
    } catch (error) {
      diagnostics.report('internal', messageOf(error), error)
    }
  }

  /** An event that cannot be sent as it is: to the dead letters, if there are any. */
  async bury(run: Run, reason: 'refused' | 'oversize', host?: string): Promise<void> {
    const { ledger, deadLetters } = this.#context
    this.#onTheWay.add(run)
    const isKept = deadLetters.isEnabled && (await deadLetters.bury(run, reason, host))
    this.#suspects.remove(run)
    if (!this.#finish(run)) return
    const lost = reason === 'oversize' ? 'oversize' : 'rejected'
    ledger.settle(run, isKept ? 'dead-lettered' : lost)
    this.#onSettled(run)
    this.#queue.release(run)
  }

  /** Gives everything up that is queued or on the way; what is in the spool stays there. */
  close(): void {
    this.#isClosed = true
    for (const run of this.#onTheWay) this.#abandon(run)
    this.#onTheWay.clear()
    for (let run = this.#queue.takeWhole(); run; run = this.#queue.takeWhole()) this.#giveUp(run)
    for (let run = this.#suspects.oldest; run; run = this.#suspects.oldest) {
      this.#suspects.remove(run)
      this.#giveUp(run)
    }
  }

  #giveUp(run: Run): void {
    this.#context.ledger.send(run)
    this.#abandon(run)
  }

  #abandon(run: Run): void {
    const { ledger } = this.#context
    if (this.#isKept() && run.page.placeAt(run.from) > 0) ledger.keep(run)
    else ledger.settle(run, 'close-deadline')
  }

  async #lease(): Promise<Lease | undefined> {
    this.starting += 1
    try {
      return await this.#context.pool.acquire(this.#peek()?.refusedBy)
    } finally {
      this.starting -= 1
    }
  }

  #peek(): Run | undefined {
    return this.#suspects.peek(this.#queue.events > 0) ?? this.#queue.head
  }

  #take(): Run | undefined {
    return this.#suspects.take(this.#queue.events > 0) ?? this.#queue.take()
  }

  async #send(lease: Lease, run: Run): Promise<void> {
    const { statistics, ledger, pool, clock } = this.#context
    if (run.attempts > 0) ledger.resent += run.events
    run.attempts += 1
    const startMs = clock.monotonic()
    try {
      await lease.connection.client.appendBatch(run.batch())
    } catch (error) {
      statistics.add(rpcOutcomeOf(error), clock.monotonic() - startMs)
      // A connection stays good when a batch is refused; it is at rest until the host's time comes.
      if (failureOf(error) === 'refused') pool.release(lease)
      else pool.discard(lease)
      if (this.#finish(run)) await this.#failed(lease, run, error)
      return
    }
    statistics.add('ok', clock.monotonic() - startMs)
    pool.release(lease)
    if (this.#finish(run)) this.#delivered(lease, run)
  }

  #delivered(lease: Lease, run: Run): void {
    const { ledger, diagnostics } = this.#context
    const { host } = lease
    if (!host.isTrusted) diagnostics.report('recovered', `${host.name} acknowledges batches again`)
    host.succeeded(run.events)
    this.#suspects.accepted(run, host.name)
    ledger.settle(run, 'delivered')
    this.#onSettled(run)
    this.#queue.release(run)
  }

  async #failed(lease: Lease, run: Run, error: unknown): Promise<void> {
    const { diagnostics } = this.#context
    const { host } = lease
    const failure = failureOf(error)
    if (failure === 'oversize') {
      await this.#tooLarge(run)
      return
    }
    const kind = failure === 'refused' ? 'refused' : 'delivery-failed'
    diagnostics.report(kind, `batch to ${host.name} failed: ${messageOf(error)}`, error)
    if (failure === 'refused') await this.#refused(lease, run)
    else {
      host.failed()
      if (this.#suspects.has(run)) {
        this.#queue.distrust(run)
        this.#suspects.inconclusive(run)
        this.#context.ledger.putBack(run)
      } else this.#putBack(run)
    }
  }

  /** The batch exceeds a limit of this side: halved until the event is found that does. */
  async #tooLarge(run: Run): Promise<void> {
    if (run.events > 1) this.#halve(run)
    else await this.bury(run, 'oversize')
  }

  async #refused({ host }: Lease, run: Run): Promise<void> {
    const isTest = this.#suspects.has(run)
    if (!run.refusedBy.includes(host.name)) run.refusedBy = [...run.refusedBy, host.name]
    if (!isTest) this.#suspects.othersRefused(host.name)
    // A refused test says nothing about a host that took others before: these go on at once, and if
    // it is full by now, it will refuse them too.
    if (!isTest || !host.isTrusted) host.refused()
    if (run.events > 1) {
      run.refusals += 1
      if (run.refusals < HALVING_REFUSALS) this.#putBack(run)
      else this.#halve(run)
      return
    }
    const suspect = isTest ? run : this.#queue.isolate(run)
    const usable = this.#context.pool.readyNames()
    if (this.#suspects.refused(suspect, host.name, usable)) {
      await this.bury(suspect, 'refused', host.name)
    } else this.#context.ledger.putBack(suspect)
  }

  #halve(run: Run): void {
    const { ledger, clock } = this.#context
    const { head, rest } = run.cut(Math.ceil(run.events / 2), clock.monotonic())
    ledger.split += 1
    if (rest) {
      rest.refusals = Math.min(run.refusals, HALVING_REFUSALS - 1)
      this.#putBack(rest)
    }
    head.refusals = Math.min(run.refusals, HALVING_REFUSALS - 1)
    this.#putBack(head)
  }

  #putBack(run: Run): void {
    this.#context.ledger.putBack(run)
    this.#queue.putBack(run)
  }

  /** Whether the run's fate is still open: `close` decides for all that is on the way. */
  #finish(run: Run): boolean {
    return this.#onTheWay.delete(run)
  }
}

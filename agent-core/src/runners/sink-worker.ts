/** One sink with its channel: take, write, commit; roll back when the sink fails. */
import type {
  Channel,
  Sink,
  SinkCounters,
  SinkStartContext,
  StartContext,
  StopOptions,
  Transaction,
  WriteResult,
} from '@millrace/component'
import type { EventBatch } from '@millrace/event'
import { type Clock, EventDeliveryError, type Logger, RateLimit } from '@millrace/runtime'
import type { OnBytes } from '../processing/on-bytes.js'
import { type Buried, type DeadLetters, whyKept } from './dead-letters.js'

/** Most bytes of one write beyond its first event. */
const MAX_WRITE_BYTES = 64 * 1024 * 1024
/** How often one sink's rejections are logged, in milliseconds. */
const LOG_INTERVAL_MS = 10_000

export interface SinkWorkerOptions {
  readonly name: string
  readonly sink: Sink
  readonly channel: Channel
  readonly counters: SinkCounters
  /** Where events go that the sink refuses for good; without one they stay in the channel. */
  readonly deadLetters?: DeadLetters | undefined
  readonly logger: Logger
  readonly clock: Clock
  /** Told the bytes of each batch. */
  readonly onBytes?: OnBytes | undefined
}

/** What one attempt came to. */
export interface Attempt {
  /** Events that are done: stored by the sink, or dead letters. 0: the channel had none, or all are kept. */
  readonly stored: number
  /** Events that the sink refuses for good and that stay in the channel: no dead-letter channel took them. */
  readonly rejected: number
}

const EMPTY: Attempt = { stored: 0, rejected: 0 }

export class SinkWorker {
  readonly name: string
  readonly channel: Channel
  readonly counters: SinkCounters
  readonly #sink: Sink
  readonly #deadLetters: DeadLetters | undefined
  readonly #logger: Logger
  readonly #rateLimit: RateLimit
  readonly #clock: Clock
  readonly #onBytes: OnBytes | undefined
  #isUp = false
  #writes = new AbortController()
  /** Gives the write under way up, if there is one. */
  #giveUp: ((reason: unknown) => void) | undefined

  constructor(options: SinkWorkerOptions) {
    this.name = options.name
    this.channel = options.channel
    this.counters = options.counters
    this.#sink = options.sink
    this.#deadLetters = options.deadLetters
    this.#logger = options.logger
    this.#clock = options.clock
    this.#onBytes = options.onBytes
    this.#rateLimit = new RateLimit({ intervalMs: LOG_INTERVAL_MS, clock: options.clock })
  }

  async start(context: StartContext): Promise<void> {
    const sinkContext: SinkStartContext = {
      ...context,
      counters: this.counters,
      isChannelDurable: this.channel.isDurable,
    }
    this.#beginDeadLetters()
    await this.#sink.start?.(sinkContext)
    this.#writes = new AbortController()
    this.#isUp = true
  }

  async stop(options: StopOptions): Promise<void> {
    this.#isUp = false
    this.abortWrite()
    try {
      await this.#sink.stop?.(options)
    } finally {
      this.abandonWrite()
    }
  }

  /** Lets it write again after {@link SinkWorker.abortWrite}, without a new start. */
  allowWrites(): void {
    if (this.#writes.signal.aborted) this.#writes = new AbortController()
  }

  /** Asks the write under way to end. */
  abortWrite(): void {
    this.#writes.abort()
  }

  /** Does not wait for the write under way any longer: its events go back to the channel. */
  abandonWrite(): void {
    this.#giveUp?.(
      new EventDeliveryError('MILLRACE_DELIVERY_FAILED', 'The write did not end in time'),
    )
  }

  /**
   * One round. Waits up to `waitMs` for events.
   * @throws what the channel or the sink throws; the events are then back in the channel.
   */
  async attempt(waitMs: number, signal: AbortSignal): Promise<Attempt> {
    if (!this.#isUp) {
      const message = `The sink ${this.name} is not running`
      throw new EventDeliveryError('MILLRACE_DELIVERY_FAILED', message)
    }
    const transaction = await this.#take(waitMs, signal)
    if (!transaction) {
      this.counters.batchEmptyCount += 1
      return EMPTY
    }
    const { size } = transaction.batch
    this.#onBytes?.(transaction.batch.byteLength, 'sink')
    if (size < this.#sink.batchSize) this.counters.batchUnderflowCount += 1
    else this.counters.batchCompleteCount += 1
    this.counters.eventDrainAttemptCount += size
    const result = await this.#write(transaction)
    if (result && result.rejected.length > 0) return this.#settleRejected(transaction, result)
    await this.#commit(transaction)
    this.counters.eventDrainSuccessCount += size
    this.#noteAge(transaction.batch)
    return { stored: size, rejected: 0 }
  }

  /** One look at one event and at the clock for a delivery, however many events it is of. */
  #noteAge(batch: EventBatch): void {
    const timestampMs = Number(batch.headerAt(0, 'timestamp') ?? Number.NaN)
    if (Number.isFinite(timestampMs)) {
      this.counters.eventAge.observe(this.#clock.now() - timestampMs, batch.size)
    }
  }

  async #take(waitMs: number, signal: AbortSignal): Promise<Transaction | undefined> {
    const limit = { maxEvents: this.#sink.batchSize, maxBytes: MAX_WRITE_BYTES, waitMs }
    try {
      return await this.channel.take(limit, signal)
    } catch (error) {
      if (!signal.aborted) this.counters.channelReadFail += 1
      throw error
    }
  }

  async #write(transaction: Transaction): Promise<WriteResult | void> {
    try {
      return await new Promise<WriteResult | void>((resolve, reject) => {
        this.#giveUp = reject
        this.#sink.write(transaction.batch, this.#writes.signal).then(resolve, reject)
      })
    } catch (error) {
      this.counters.eventWriteFail += 1
      await transaction.rollback()
      throw error
    } finally {
      this.#giveUp = undefined
    }
  }

  /** What cannot be committed goes back: a storage that failed, an index that no event has. */
  async #commit(transaction: Transaction, except: readonly number[] = []): Promise<void> {
    try {
      await transaction.commit({ except })
    } catch (error) {
      // Where the failed commit has ended the transaction, there is nothing left to roll back.
      await transaction.rollback().catch(() => {})
      throw error
    }
  }

  /**
   * The one place that says what becomes of events that a sink refuses for good: they are put into the
   * dead-letter channel and then committed with the others, so that a crash between doubles one there and
   * loses none. What it does not take, and everything without one, stays in the channel.
   */
  async #settleRejected(transaction: Transaction, { rejected }: WriteResult): Promise<Attempt> {
    const { batch } = transaction
    const indexes = new Set(rejected.map(({ index }) => index))
    const strange = [...indexes].find(
      (index) => !Number.isInteger(index) || index < 0 || index >= batch.size,
    )
    if (strange !== undefined) return this.#refuseIndex(transaction, strange)
    const buried = await this.#deadLetters?.put(batch, rejected, this.#writes.signal)
    const kept = buried?.kept ?? [...indexes]
    await this.#commit(transaction, kept)
    this.counters.eventDrainSuccessCount += batch.size - indexes.size
    if (kept.length > 0) this.counters.eventWriteFail += 1
    this.#logRejected(rejected, buried)
    return { stored: batch.size - kept.length, rejected: kept.length }
  }

  /** A sink that names an event which it was not given says nothing reliable about the others. */
  async #refuseIndex(transaction: Transaction, index: number): Promise<never> {
    this.counters.eventWriteFail += 1
    await transaction.rollback()
    const message = `The sink rejects the event ${index} of a batch of ${transaction.batch.size}`
    throw new EventDeliveryError('MILLRACE_DELIVERY_FAILED', message)
  }

  #logRejected(rejected: WriteResult['rejected'], buried: Buried | undefined): void {
    const name = this.#deadLetters?.name
    const isMoved = buried?.kept.length === 0
    const held = this.#rateLimit.admit(isMoved ? 'dead letters' : 'rejected')
    if (held === undefined) return
    const before = held > 0 ? `; as were those of ${held} batches before` : ''
    const what = `${rejected.length} events are rejected for good (${oneLine(rejected[0]?.reason) || 'no reason given'})`
    if (isMoved) this.#logger.warn(`${what} and are in the dead-letter channel ${name}${before}`)
    else if (buried) {
      this.#logger.error(`${what}; ${whyKept(buried, name ?? '')}; they are kept and tried again`)
    } else {
      this.#logger.error(`${what} and block the head of the channel; they are kept and tried again`)
    }
  }

  #beginDeadLetters(): void {
    const deadLetters = this.#deadLetters
    if (!deadLetters) return
    deadLetters.eventCount = 0
    if (!this.channel.isDurable || deadLetters.channel.isDurable) return
    this.#logger.warn(
      `the dead-letter channel ${deadLetters.name} does not survive the process, as the sink's own channel does`,
    )
  }
}

/** A reason comes from outside: it must not make lines of its own, or colour a terminal. */
function oneLine(reason = ''): string {
  return reason.replaceAll(/\p{Cc}+/gu, ' ')
}

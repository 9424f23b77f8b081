import type { SourceStartContext } from '@millrace/component'
import type { EventBatch } from '@millrace/event'
import {
  Backoff,
  type Clock,
  delay,
  type Logger,
  MillraceError,
  RateLimit,
} from '@millrace/runtime'

const FIRST_RETRY_MS = 100
const MAX_RETRY_MS = 4_000
const WARN_INTERVAL_MS = 10_000

export interface StubbornDeliveryHost {
  readonly context: SourceStartContext
  readonly logger: Logger
  readonly clock: Clock
}

/**
 * Delivery for senders that cannot be told of a refusal: what a channel refuses is put again until
 * it is stored. Only what can never be stored (an event that is larger than the channel, or one that
 * an interceptor fails on) is dropped, with an error in the log.
 */
export class StubbornDelivery {
  readonly #host: StubbornDeliveryHost
  readonly #warnings: RateLimit

  constructor(host: StubbornDeliveryHost) {
    this.#host = host
    this.#warnings = new RateLimit({ intervalMs: WARN_INTERVAL_MS, clock: host.clock })
  }

  /**
   * Resolves when the events are stored, or dropped for good.
   * @throws AbortError when the signal is aborted first.
   */
  async deliver(batch: EventBatch, signal: AbortSignal): Promise<void> {
    const { counters } = this.#host.context
    if (batch.size === 0) return
    counters.eventReceivedCount += batch.size
    counters.appendBatchReceivedCount += 1
    await this.#store(batch, signal)
    counters.appendBatchAcceptedCount += 1
  }

  async #store(batch: EventBatch, signal: AbortSignal): Promise<void> {
    const { context, clock } = this.#host
    const backoff = new Backoff({ minMs: FIRST_RETRY_MS, maxMs: MAX_RETRY_MS, jitter: 'none' })
    for (;;) {
      try {
        await context.deliver(batch, signal)
        context.counters.eventAcceptedCount += batch.size
        return
      } catch (error) {
        if (signal.aborted) throw error
        context.counters.channelWriteFail += 1
        const advice = adviceOn(error)
        if (advice === 'split' && batch.size > 1) {
          const half = batch.size >> 1
          await this.#store(batch.slice(0, half), signal)
          return this.#store(batch.slice(half), signal)
        }
        if (advice !== 'repeat') return this.#drop(batch, error)
        const held = this.#warnings.admit('refused')
        if (held !== undefined) {
          this.#host.logger.warn('the channel refused events, which are put again', error)
        }
        await delay(backoff.next(), { signal, clock })
      }
    }
  }

  #drop(batch: EventBatch, error: unknown): void {
    this.#host.context.counters.genericProcessingFail += 1
    if (this.#warnings.admit('dropped') === undefined) return
    const what = `${batch.size} ${batch.size === 1 ? 'event is' : 'events are'}`
    this.#host.logger.error(`${what} dropped: they can never be stored`, error)
  }
}

function adviceOn(error: unknown): 'repeat' | 'split' | 'drop' {
  if (!MillraceError.is(error)) return 'drop'
  if (error.code === 'MILLRACE_CHANNEL_TRANSACTION_TOO_LARGE') return 'split'
  return /^MILLRACE_(CHANNEL|STORAGE|LOG)_/.test(error.code) ? 'repeat' : 'drop'
}

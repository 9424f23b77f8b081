import {
  defineSource,
  option,
  type PollableSource,
  type SourceStartContext,
} from '@millrace/component'
import { EventBatch } from '@millrace/event'
import {
  type Clock,
  delay,
  LifecycleError,
  type Logger,
  MillraceError,
  RateLimit,
} from '@millrace/runtime'

/** Flume's `StressSource`: makes events as fast as the channel takes them, for load tests. */
export const stressSource = defineSource({
  alias: 'stress',
  classNames: ['org.apache.flume.source.StressSource'],
  summary: 'Makes events of one size as fast as the channel takes them; for load tests.',
  options: {
    size: option.int('size', {
      description: 'Length of each body.',
      unit: 'bytes',
      default: 500,
      max: 128 * 1_024 * 1_024,
    }),
    maxTotalEvents: option.long('maxTotalEvents', {
      description: 'Events that it tries to store before it makes no more; -1 is no limit.',
      default: -1,
      min: -1,
    }),
    maxSuccessfulEvents: option.long('maxSuccessfulEvents', {
      description: 'Events that it stores before it makes no more; -1 is no limit.',
      default: -1,
      min: -1,
    }),
    batchSize: option.int('batchSize', {
      description: 'Events of one round.',
      default: 1,
      min: 1,
    }),
    maxEventsPerSecond: option.int('maxEventsPerSecond', {
      description: 'Most events that it makes in a second; 0 is no limit.',
      default: 0,
    }),
    backoffSleepIncrementMs: option.duration('backoffSleepIncrement', {
      description: 'Growth of the wait for each round in a row that stored nothing.',
      unit: 'ms',
      default: 1_000,
    }),
    maxBackoffSleepMs: option.duration('maxBackoffSleep', {
      description: 'Longest wait between two rounds.',
      unit: 'ms',
      default: 5_000,
    }),
  },
  batchSize: (options) => ({ key: 'batchSize', events: options.batchSize }),
  create: ({ options, logger, clock }) => new StressSource(options, { logger, clock }),
})

export interface StressSourceOptions {
  readonly size: number
  readonly maxTotalEvents: number
  readonly maxSuccessfulEvents: number
  readonly batchSize: number
  readonly maxEventsPerSecond: number
  readonly backoffSleepIncrementMs: number
  readonly maxBackoffSleepMs: number
}

/** What bodies consist of, as in Flume. */
const FILLING = 0x7f
const WARN_INTERVAL_MS = 5_000

/** The events are made once and put again and again. */
export class StressSource implements PollableSource {
  readonly backoffSleepIncrementMs: number
  readonly maxBackoffSleepMs: number
  readonly #options: StressSourceOptions
  readonly #logger: Logger
  readonly #clock: Clock
  readonly #warnings: RateLimit
  #context: SourceStartContext | undefined
  #batch = EventBatch.empty()
  #tried = 0
  #stored = 0
  /** When the next batch is due, in milliseconds of the monotonic clock. */
  #dueMs = 0

  constructor(options: StressSourceOptions, host: { logger: Logger; clock: Clock }) {
    this.#options = options
    this.#logger = host.logger
    this.#clock = host.clock
    this.#warnings = new RateLimit({ intervalMs: WARN_INTERVAL_MS, clock: host.clock })
    this.backoffSleepIncrementMs = options.backoffSleepIncrementMs
    this.maxBackoffSleepMs = options.maxBackoffSleepMs
  }

  async start(context: SourceStartContext): Promise<void> {
    const { size, batchSize } = this.#options
    const body = Buffer.alloc(size, FILLING)
    this.#batch = EventBatch.of(Array.from({ length: batchSize }, () => ({ body })))
    this.#context = context
  }

  async stop(): Promise<void> {
    this.#context = undefined
    this.#batch = EventBatch.empty()
  }

  async process(signal: AbortSignal): Promise<'ready' | 'backoff'> {
    const context = this.#context
    if (!context) throw new LifecycleError('MILLRACE_LIFECYCLE_STATE', 'The source is not started')
    const batch = this.#batch.view(0, this.#allowed())
    if (batch.size === 0) return 'backoff'
    await this.#waitFor(batch.size, signal)
    this.#tried += batch.size
    try {
      await context.deliver(batch, signal)
    } catch (error) {
      if (!MillraceError.is(error) || !error.code.startsWith('MILLRACE_CHANNEL_')) throw error
      context.counters.channelWriteFail += 1
      if (this.#warnings.admit('refused') !== undefined) {
        this.#logger.warn('the channel refused events', error)
      }
      return 'backoff'
    }
    this.#stored += batch.size
    context.counters.eventAcceptedCount += batch.size
    if (batch.size > 1) context.counters.appendBatchAcceptedCount += 1
    return 'ready'
  }

  /** Events that the limits leave. */
  #allowed(): number {
    const { maxTotalEvents, maxSuccessfulEvents, batchSize } = this.#options
    const left = (limit: number, done: number) =>
      limit < 0 ? batchSize : Math.max(0, limit - done)
    return Math.min(
      batchSize,
      left(maxTotalEvents, this.#tried),
      left(maxSuccessfulEvents, this.#stored),
    )
  }

  async #waitFor(events: number, signal: AbortSignal): Promise<void> {
    const { maxEventsPerSecond } = this.#options
    if (maxEventsPerSecond === 0) return
    const now = this.#clock.monotonic()
    const dueMs = Math.max(now, this.#dueMs)
    this.#dueMs = dueMs + (events * 1_000) / maxEventsPerSecond
    if (dueMs > now) await delay(dueMs - now, { signal, clock: this.#clock })
  }
}

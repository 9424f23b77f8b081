import {
  defineSource,
  option,
  type PollableSource,
  type SourceStartContext,
} from '@millrace/component'
import { EventBatch } from '@millrace/event'
import { LifecycleError, type Logger, MillraceError, RateLimit } from '@millrace/runtime'

/** Flume's `seq` source: counts upward from 0, for tests. */
export const seqSource = defineSource({
  alias: 'seq',
  classNames: ['org.apache.flume.source.SequenceGeneratorSource'],
  summary: 'Makes events whose bodies are the numbers 0, 1, 2, …; for tests.',
  options: {
    batchSize: option.int('batchSize', {
      description: 'Events of one round.',
      default: 1,
      min: 1,
    }),
    totalEvents: option.long('totalEvents', {
      description: 'Number of events after which it makes no more.',
      default: '9223372036854775807',
    }),
    backoffSleepIncrementMs: option.duration('backoffSleepIncrement', {
      description: 'Growth of the wait for each round in a row that made nothing.',
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
  create: (context) => new SeqSource(context.options, context.logger),
})

export interface SeqSourceOptions {
  readonly batchSize: number
  readonly totalEvents: number
  readonly backoffSleepIncrementMs: number
  readonly maxBackoffSleepMs: number
}

const WARN_INTERVAL_MS = 5_000

/**
 * Each number is delivered until it is stored, then never again: the counter advances only after a
 * successful put. It goes on counting after a stop and a start, and begins at 0 in a new object.
 */
export class SeqSource implements PollableSource {
  readonly backoffSleepIncrementMs: number
  readonly maxBackoffSleepMs: number
  readonly #options: SeqSourceOptions
  readonly #logger: Logger
  readonly #warnings = new RateLimit({ intervalMs: WARN_INTERVAL_MS })
  #context: SourceStartContext | undefined
  #stored = 0

  constructor(options: SeqSourceOptions, logger: Logger) {
    this.#options = options
    this.#logger = logger
    this.backoffSleepIncrementMs = options.backoffSleepIncrementMs
    this.maxBackoffSleepMs = options.maxBackoffSleepMs
  }

  async start(context: SourceStartContext): Promise<void> {
    this.#context = context
  }

  async stop(): Promise<void> {
    this.#context = undefined
  }

  async process(signal: AbortSignal): Promise<'ready' | 'backoff'> {
    const context = this.#context
    if (!context) throw new LifecycleError('MILLRACE_LIFECYCLE_STATE', 'The source is not started')
    const { batchSize, totalEvents } = this.#options
    const count = Math.min(batchSize, totalEvents - this.#stored)
    if (count <= 0) return 'backoff'
    const batch = EventBatch.of(numbers(this.#stored, count))
    try {
      await context.deliver(batch, signal)
    } catch (error) {
      if (!MillraceError.is(error) || !error.code.startsWith('MILLRACE_CHANNEL_')) throw error
      context.counters.channelWriteFail += 1
      if (this.#warnings.admit('refused') !== undefined) {
        this.#logger.error('the channel refused the events, which are made again', error)
      }
      return 'backoff'
    }
    this.#stored += count
    if (batchSize > 1) context.counters.appendBatchAcceptedCount += 1
    context.counters.eventAcceptedCount += count
    return count < batchSize ? 'backoff' : 'ready'
  }
}

function* numbers(first: number, count: number): Iterable<{ body: string }> {
  for (let i = 0; i < count; i += 1) yield { body: String(first + i) }
}

import { defineSink, option, type Sink, type SinkStartContext } from '@millrace/component'
import type { EventBatch } from '@millrace/event'
import type { Logger } from '@millrace/runtime'

/** Flume's `null` sink: takes events and forgets them. */
export const nullSink = defineSink({
  alias: 'null',
  classNames: ['org.apache.flume.sink.NullSink'],
  summary: 'Takes events and discards them.',
  isMonitored: false,
  options: {
    batchSize: option.int('batchSize', {
      description: 'Most events of one transaction.',
      default: 100,
      min: 1,
    }),
    logEveryNEvents: option.int('logEveryNEvents', {
      description: 'Writes a line to the log each time this many events are gone.',
      default: 10_000,
      min: 1,
    }),
  },
  batchSize: (options) => ({ key: 'batchSize', events: options.batchSize }),
  create: (context) => new NullSink(context.options, context.logger),
})

export interface NullSinkOptions {
  readonly batchSize: number
  readonly logEveryNEvents: number
}

export class NullSink implements Sink {
  readonly batchSize: number
  readonly #logEveryNEvents: number
  readonly #logger: Logger
  #discarded = 0
  #nextLine: number

  constructor(options: NullSinkOptions, logger: Logger) {
    this.batchSize = options.batchSize
    this.#logEveryNEvents = options.logEveryNEvents
    this.#nextLine = options.logEveryNEvents
    this.#logger = logger
  }

  async start(_context: SinkStartContext): Promise<void> {
    this.#discarded = 0
    this.#nextLine = this.#logEveryNEvents
  }

  async write(batch: EventBatch): Promise<void> {
    this.#discarded += batch.size
    if (this.#discarded < this.#nextLine) return
    this.#logger.info(`${this.#discarded} events discarded`)
    const passed = Math.floor(this.#discarded / this.#logEveryNEvents)
    this.#nextLine = (passed + 1) * this.#logEveryNEvents
  }
}

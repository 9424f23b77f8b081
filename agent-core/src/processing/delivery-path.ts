/** What a source's batches go through: interceptors, selector, channels. Replaced as a whole. */
import type { Deliver, Interceptor, StartContext, StopOptions } from '@millrace/component'
import type { ChannelProcessor } from './channel-processor.js'

export class DeliveryPath {
  readonly deliver: Deliver
  readonly #interceptors: readonly Interceptor[]
  readonly #processor: ChannelProcessor

  constructor(interceptors: readonly Interceptor[], processor: ChannelProcessor) {
    this.#interceptors = interceptors
    this.#processor = processor
    this.deliver = processor.deliver
  }

  /** The figures of each interceptor, in their order. */
  get metrics(): readonly (Readonly<Record<string, number>> | undefined)[] {
    return this.#interceptors.map(({ metrics }) => metrics)
  }

  /** Resolves when every delivery that has begun is over. */
  whenIdle(): Promise<void> {
    return this.#processor.whenIdle()
  }

  async start(context: StartContext): Promise<void> {
    for (const interceptor of this.#interceptors) await interceptor.start?.(context)
  }

  async stop(options: StopOptions): Promise<void> {
    for (const interceptor of this.#interceptors) await interceptor.stop?.(options)
  }
}

/** A source as the agent starts it: its interceptors, the source, and its runner. */
import type {
  Deliver,
  Interceptor,
  PollableSource,
  Source,
  SourceCounters,
  StartContext,
  StopOptions,
} from '@millrace/component'
import type { Clock, Logger } from '@millrace/runtime'
import { PollableSourceRunner } from '../runners/pollable-source-runner.js'
import type { Startable } from './supervised.js'

export interface SourcePartOptions {
  readonly source: Source
  readonly interceptors: readonly Interceptor[]
  readonly deliver: Deliver
  readonly counters: SourceCounters
  readonly logger: Logger
  readonly clock: Clock
}

export class SourcePart implements Startable {
  readonly #options: SourcePartOptions
  readonly #runner: PollableSourceRunner | undefined

  constructor(options: SourcePartOptions) {
    const { source, logger, clock } = options
    this.#options = options
    if (isPollable(source)) this.#runner = new PollableSourceRunner({ source, logger, clock })
  }

  async start(context: StartContext): Promise<void> {
    const { source, interceptors, deliver, counters, clock } = this.#options
    for (const interceptor of interceptors) await interceptor.start?.(context)
    counters.started(clock.now())
    await source.start?.({ ...context, deliver, counters })
    this.#runner?.start()
  }

  async stop(options: StopOptions): Promise<void> {
    const { source, interceptors, counters, clock } = this.#options
    await this.#runner?.stop(options)
    await source.stop?.(options)
    counters.stopped(clock.now())
    for (const interceptor of interceptors) await interceptor.stop?.(options)
  }
}

function isPollable(source: Source): source is PollableSource {
  return typeof source.process === 'function'
}

/** A source as the agent starts it: what its events go through, the source, and its runner. */
import type {
  PollableSource,
  Source,
  SourceCounters,
  StartContext,
  StopOptions,
} from '@millrace/component'
import { type Clock, type Logger, withDeadline } from '@millrace/runtime'
import type { DeliveryPath } from '../processing/delivery-path.js'
import { PollableSourceRunner } from '../runners/pollable-source-runner.js'
import { DeliveryGate } from './delivery-gate.js'
import type { Startable } from './supervised.js'

export interface SourcePartOptions {
  readonly source: Source
  readonly path: DeliveryPath
  readonly counters: SourceCounters
  readonly logger: Logger
  readonly clock: Clock
}

export class SourcePart implements Startable {
  readonly #options: SourcePartOptions
  readonly #runner: PollableSourceRunner | undefined
  readonly #gate: DeliveryGate
  #path: DeliveryPath
  #context: StartContext | undefined

  constructor(options: SourcePartOptions) {
    const { source, logger, clock, path } = options
    this.#options = options
    this.#path = path
    this.#gate = new DeliveryGate((batch, signal) => this.#path.deliver(batch, signal))
    if (isPollable(source)) this.#runner = new PollableSourceRunner({ source, logger, clock })
  }

  /** The figures of each interceptor, in their order. */
  get interceptorMetrics(): readonly (Readonly<Record<string, number>> | undefined)[] {
    return this.#path.metrics
  }

  async start(context: StartContext): Promise<void> {
    const { source, counters, clock } = this.#options
    this.#context = context
    await this.#path.start(context)
    counters.started(clock.now())
    await source.start?.({ ...context, deliver: this.#gate.deliver, counters })
    this.#runner?.start()
  }

  async stop(options: StopOptions): Promise<void> {
    const { source, counters, clock } = this.#options
    // What is held back needs its answer before the source can stop.
    this.#gate.open()
    await this.#runner?.stop(options)
    await source.stop?.(options)
    counters.stopped(clock.now())
    await this.#path.stop(options)
  }

  /** Holds back what comes from now on; resolves when what was under way is over, or at the deadline. */
  async pause({ deadlineMs }: StopOptions): Promise<void> {
    this.#gate.close()
    await withDeadline(this.#path.whenIdle(), deadlineMs, () => {}, this.#options.clock)
  }

  /** Lets go what was held back. */
  resume(): void {
    this.#gate.open()
  }

  /**
   * Sends events another way from now on. Only while nothing is under way.
   * @throws what an interceptor of the new path throws at its start; the new path is in place then too.
   */
  async reroute(path: DeliveryPath, options: StopOptions): Promise<void> {
    const old = this.#path
    this.#path = path
    await old.stop(options)
    if (this.#context) await path.start(this.#context)
  }
}

function isPollable(source: Source): source is PollableSource {
  return typeof source.process === 'function'
}

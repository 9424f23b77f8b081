/** Drives the sinks of one group, or one sink alone, as long as the agent runs. */
import type { Outcome, SinkHandle, SinkProcessor } from '@millrace/component'
import {
  Backoff,
  type Clock,
  delay,
  EventDeliveryError,
  type Logger,
  type Random,
  RateLimit,
  withDeadline,
} from '@millrace/runtime'
import { EventLoopTurn } from './event-loop-turn.js'
import type { SinkWorker } from './sink-worker.js'

/** First and longest ceiling of the wait after a failure, in milliseconds. */
const MIN_FAILURE_WAIT_MS = 1_000
const MAX_FAILURE_WAIT_MS = 5_000
/** Growth and longest wait after rounds without events, for a channel that does not wait itself. */
const IDLE_STEP_MS = 1_000
const MAX_IDLE_MS = 5_000
/** Shortest wait for an event, in milliseconds: with `keep-alive = 0` the loop would never rest. */
const MIN_TAKE_WAIT_MS = 1_000
/** Wait for an event when others of the group could have some, or while draining, in milliseconds. */
const SHORT_TAKE_WAIT_MS = 100
/** How long an aborted write may take to give up, in milliseconds. */
const ABORT_GRACE_MS = 100
const LOG_INTERVAL_MS = 10_000

export interface SinkRunnerOptions {
  readonly processor: SinkProcessor
  /** The group's sinks by name. */
  readonly workers: ReadonlyMap<string, SinkWorker>
  readonly logger: Logger
  readonly clock: Clock
  readonly random: Random
}

export interface SinkRunnerStop {
  /** How long sinks go on with what memory channels hold, in milliseconds. 0: not at all. */
  readonly drainMs: number
  /** When a write that is still under way is given up, in milliseconds. */
  readonly deadlineMs: number
}

export class SinkRunner {
  readonly #options: SinkRunnerOptions
  readonly #turn = new EventLoopTurn()
  readonly #backoff: Backoff
  readonly #rateLimit: RateLimit
  /** Whether all sinks take from one channel: then it may be waited for without harm to others. */
  readonly #hasOneChannel: boolean
  #stopping = new AbortController()
  #draining: AbortController | undefined
  #ended: Promise<void> | undefined
  #idleRounds = 0
  /** What the attempts of the round under way came to. */
  #stored = 0
  #rejected = 0
  #waitMs = 0

  constructor(options: SinkRunnerOptions) {
    const { clock, random, workers } = options
    this.#options = options
    this.#backoff = new Backoff({
      minMs: MIN_FAILURE_WAIT_MS,
      maxMs: MAX_FAILURE_WAIT_MS,
      random,
    })
    this.#rateLimit = new RateLimit({ intervalMs: LOG_INTERVAL_MS, clock })
    this.#hasOneChannel = new Set([...workers.values()].map(({ channel }) => channel)).size <= 1
  }

  start(): void {
    if (this.#ended) return
    this.#stopping = new AbortController()
    this.#draining = undefined
    for (const worker of this.#options.workers.values()) worker.allowWrites()
    this.#ended = this.#run()
  }

  /** Ends every wait at once; a write under way has its time until the deadline. */
  async stop({ drainMs, deadlineMs }: SinkRunnerStop): Promise<void> {
    const ended = this.#ended
    if (!ended) return
    const { clock } = this.#options
    const draining = new AbortController()
    if (drainMs > 0) this.#draining = draining
    else draining.abort()
    const timer = clock.after(drainMs, () => draining.abort())
    this.#stopping.abort()
    await withDeadline(ended, deadlineMs, () => this.#abortWrites(), clock)
    await withDeadline(ended, ABORT_GRACE_MS, () => this.#abandonWrites(), clock)
    await withDeadline(ended, ABORT_GRACE_MS, () => this.#logHanging(), clock)
    timer.cancel()
    this.#ended = undefined
  }

  #abortWrites(): void {
    this.#draining?.abort()
    for (const worker of this.#options.workers.values()) worker.abortWrite()
  }

  #abandonWrites(): void {
    for (const worker of this.#options.workers.values()) worker.abandonWrite()
  }

  #logHanging(): void {
    this.#options.logger.error('the sink processor did not come back; it is left behind')
  }

  async #run(): Promise<void> {
    await this.#rounds(this.#stopping.signal, () => true)
    const draining = this.#draining
    if (draining) await this.#rounds(draining.signal, () => this.#isToDrain())
  }

  async #rounds(signal: AbortSignal, goesOn: () => boolean): Promise<void> {
    const { clock } = this.#options
    while (!signal.aborted && goesOn()) {
      if (this.#turn.isDue(clock.monotonic())) await this.#turn.next(clock)
      const pauseMs = await this.#round(clock.monotonic(), signal)
      if (pauseMs > 0) await this.#pause(pauseMs, signal)
    }
  }

  async #pause(ms: number, signal: AbortSignal): Promise<void> {
    const { clock } = this.#options
    try {
      await delay(ms, { signal, clock })
      this.#turn.passed(clock.monotonic())
    } catch (error) {
      if (!signal.aborted) throw error
    }
  }

  /** One call of the processor; answers how long to wait before the next, in milliseconds. */
  async #round(nowMs: number, signal: AbortSignal): Promise<number> {
    this.#stored = 0
    this.#rejected = 0
    try {
      const outcome = await this.#options.processor.process(
        (sink) => this.#attempt(sink, signal),
        signal,
      )
      if (this.#rejected > 0) return this.#afterRejection()
      if (outcome === 'backoff') return this.#afterIdleRound(nowMs)
      this.#idleRounds = 0
      this.#backoff.reset()
      return 0
    } catch (error) {
      return signal.aborted ? 0 : this.#afterFailure(error)
    }
  }

  async #attempt({ name }: SinkHandle, signal: AbortSignal): Promise<Outcome> {
    const worker = this.#options.workers.get(name)
    if (!worker) {
      const message = `The processor names sink ${name}, which is not one of the group`
      throw new EventDeliveryError('MILLRACE_DELIVERY_FAILED', message)
    }
    this.#waitMs = this.#takeWaitMs(worker)
    const isWaiting = worker.channel.size.events === 0
    const { stored, rejected } = await worker.attempt(this.#waitMs, signal)
    // What it waited for came from the event loop. A sink that keeps up goes on right behind each
    // put: yielding here would only let the channel fill.
    if (isWaiting) this.#turn.passed(this.#options.clock.monotonic())
    this.#stored += stored
    this.#rejected += rejected
    return stored + rejected > 0 ? 'ready' : 'backoff'
  }

  #takeWaitMs({ channel }: SinkWorker): number {
    if (this.#draining) return SHORT_TAKE_WAIT_MS
    if (this.#hasOneChannel) return Math.max(channel.keepAliveMs, MIN_TAKE_WAIT_MS)
    // An empty channel must not hold up the others; when all were empty, one is waited for.
    return this.#idleRounds > 0 ? SHORT_TAKE_WAIT_MS : 0
  }

  /** A take that waited for an event has been wait enough. */
  #afterIdleRound(beganMs: number): number {
    this.#idleRounds += 1
    const waitedMs = this.#options.clock.monotonic() - beganMs
    if (waitedMs * 2 >= this.#waitMs) return 0
    return Math.min(this.#idleRounds * IDLE_STEP_MS, MAX_IDLE_MS)
  }

  /** Waits longer each time, unless other events got through. */
  #afterRejection(): number {
    if (this.#stored > 0) this.#backoff.reset()
    return this.#backoff.next()
  }

  #afterFailure(error: unknown): number {
    const pauseMs = this.#backoff.next()
    const held = this.#rateLimit.admit('failure')
    if (held !== undefined) {
      const before = held > 0 ? ` (${held} more failures since the last line)` : ''
      const { logger } = this.#options
      logger.warn(`could not deliver, next attempt in ${pauseMs} ms${before}`, error)
    }
    return pauseMs
  }

  /** Whether a channel that ends with the process still has events. */
  #isToDrain(): boolean {
    for (const { channel } of this.#options.workers.values()) {
      if (!channel.isDurable && channel.size.events > 0) return true
    }
    return false
  }
}

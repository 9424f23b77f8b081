/** Asks a pollable source for events as long as it runs. */
import type { PollableSource } from '@millrace/component'
import {
  type Clock,
  delay,
  type Logger,
  MillraceError,
  RateLimit,
  withDeadline,
} from '@millrace/runtime'
import { EventLoopTurn } from './event-loop-turn.js'

const DEFAULT_SLEEP_INCREMENT_MS = 1_000
const DEFAULT_MAX_SLEEP_MS = 5_000
const LOG_INTERVAL_MS = 10_000

export interface PollableSourceRunnerOptions {
  readonly source: PollableSource
  readonly logger: Logger
  readonly clock: Clock
}

/**
 * Flume's rules: after the n-th round in a row without events it waits
 * min(n × backoffSleepIncrement, maxBackoffSleep); a failed delivery is followed by the next round at
 * once, any other error by the longest wait.
 */
export class PollableSourceRunner {
  readonly #options: PollableSourceRunnerOptions
  readonly #turn = new EventLoopTurn()
  readonly #rateLimit: RateLimit
  #stopping: AbortController | undefined
  #ended: Promise<void> = Promise.resolve()
  #idleRounds = 0

  constructor(options: PollableSourceRunnerOptions) {
    this.#options = options
    this.#rateLimit = new RateLimit({ intervalMs: LOG_INTERVAL_MS, clock: options.clock })
  }

  start(): void {
    if (this.#stopping) return
    this.#stopping = new AbortController()
    this.#idleRounds = 0
    this.#ended = this.#run(this.#stopping.signal)
  }

  /** Resolves when the round under way has ended, or at the deadline. */
  async stop(options: { readonly deadlineMs: number }): Promise<void> {
    this.#stopping?.abort()
    this.#stopping = undefined
    await withDeadline(this.#ended, options.deadlineMs, () => {}, this.#options.clock)
  }

  async #run(signal: AbortSignal): Promise<void> {
    const { clock } = this.#options
    while (!signal.aborted) {
      if (this.#turn.isDue(clock.monotonic())) await this.#turn.next(clock)
      const pause = await this.#round(signal)
      if (!pause) continue
      await pause().catch(() => {})
      this.#turn.passed(clock.monotonic())
    }
  }

  /** One round; gives the wait that follows it, if there is one. */
  async #round(signal: AbortSignal): Promise<(() => Promise<void>) | undefined> {
    const { source, clock } = this.#options
    const maxMs = source.maxBackoffSleepMs ?? DEFAULT_MAX_SLEEP_MS
    try {
      const outcome = await source.process(signal)
      if (outcome === 'ready') {
        this.#idleRounds = 0
        return undefined
      }
      this.#idleRounds += 1
      const stepMs = source.backoffSleepIncrementMs ?? DEFAULT_SLEEP_INCREMENT_MS
      const pauseMs = Math.min(this.#idleRounds * stepMs, maxMs)
      if (pauseMs === 0) return undefined
      return async () => {
        if (source.idle) await source.idle(pauseMs, signal)
        else await delay(pauseMs, { signal, clock })
      }
    } catch (error) {
      if (signal.aborted) return undefined
      const held = this.#rateLimit.admit('failure')
      if (held !== undefined) this.#options.logger.warn('a round failed', error)
      if (MillraceError.is(error) && error.code.startsWith('MILLRACE_DELIVERY_')) return undefined
      return () => delay(maxMs, { signal, clock })
    }
  }
}

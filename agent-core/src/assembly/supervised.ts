/** Keeps one component running: starts it, restarts it when it breaks, and stops it. */
import {
  abortable,
  Backoff,
  type Clock,
  delay,
  LifecycleError,
  type Logger,
  MillraceError,
  messageOf,
  type Random,
  withDeadline,
} from '@millrace/runtime'
import type { StartContext, StopOptions } from '@millrace/component'

/** Wait before a component is started again, in milliseconds. */
const MIN_RESTART_MS = 250
const MAX_RESTART_MS = 10_000
/** A component that ran for so long, in milliseconds, begins its waits from the shortest. */
const STABLE_MS = 60_000
/** How long a component that broke may take to stop before it is started again, in milliseconds. */
const CLEAN_UP_MS = 5_000

export type SupervisedState = 'idle' | 'starting' | 'running' | 'failed' | 'stopped'

/** What is started and stopped: a component with all that belongs to it. */
export interface Startable {
  start(context: StartContext): Promise<void>
  stop(options: StopOptions): Promise<void>
}

export interface SupervisedOptions {
  /** As `kind name`. */
  readonly name: string
  readonly part: Startable
  readonly logger: Logger
  readonly clock: Clock
  readonly random: Random
}

export class Supervised {
  readonly name: string
  readonly #options: SupervisedOptions
  readonly #backoff: Backoff
  #state: SupervisedState = 'idle'
  /** Ends restarts; a new one for each start. */
  #life = new AbortController()
  /** Tells the failure of an earlier run from one of this run. */
  #run = 0
  #runningSinceMs = 0
  #reviving: Promise<void> = Promise.resolve()

  constructor(options: SupervisedOptions) {
    this.name = options.name
    this.#options = options
    this.#backoff = new Backoff({
      minMs: MIN_RESTART_MS,
      maxMs: MAX_RESTART_MS,
      random: options.random,
    })
  }

  get state(): SupervisedState {
    return this.#state
  }

  /**
   * Starts it, again and again with back-off, until it runs or the signal is aborted.
   * @throws LifecycleError with the last failure as its cause.
   */
  async start(signal: AbortSignal): Promise<void> {
    this.#life = new AbortController()
    let cause: unknown
    while (!signal.aborted) {
      try {
        await this.#attempt(signal)
        return
      } catch (error) {
        // That the time was over says less than why the attempts before failed.
        if (!signal.aborted || cause === undefined) cause = error
        if (!isWorthRetry(error)) break
        await this.#waitAfter(error, signal)
      }
    }
    cause ??= signal.reason
    throw new LifecycleError(
      'MILLRACE_LIFECYCLE_START_FAILED',
      `${this.name} could not start: ${messageOf(cause)}`,
      { component: this.name, cause },
    )
  }

  /**
   * Starts it, and goes on trying in the background for ever. Resolves when the first attempt has
   * ended or the signal is aborted, whichever comes first.
   */
  async startSupervised(patience: AbortSignal): Promise<void> {
    this.#life = new AbortController()
    const { signal } = this.#life
    const first = this.#attempt(signal)
    this.#reviving = first.catch((error: unknown) => this.#revive(error, signal))
    await abortable(first, patience).catch(() => {})
  }

  /**
   * Stops it and ends restarts. Resolves at the deadline at the latest; whether it stopped by then is
   * in the log.
   */
  async stop({ deadlineMs }: StopOptions): Promise<void> {
    const wasStarted = this.#state !== 'idle' && this.#state !== 'stopped'
    this.#state = 'stopped'
    this.#run += 1
    this.#life.abort()
    await Promise.all([
      this.#stopPart(deadlineMs, wasStarted),
      withDeadline(this.#reviving, deadlineMs, () => {}, this.#options.clock),
    ])
  }

  async #attempt(signal: AbortSignal): Promise<void> {
    const { part, clock } = this.#options
    this.#run += 1
    const run = this.#run
    this.#state = 'starting'
    let early: { readonly error: unknown } | undefined
    const fail = (error: unknown) => {
      if (run !== this.#run) return
      if (this.#state === 'starting') early ??= { error }
      else this.#onFailure(error)
    }
    const starting = part.start({ signal, fail })
    try {
      await abortable(starting, signal)
      if (early) throw early.error
      // It was stopped meanwhile.
      if (run !== this.#run) throw new LifecycleError('MILLRACE_LIFECYCLE_STATE', 'Stopped')
    } catch (error) {
      if (run === this.#run) this.#state = 'failed'
      // A start that was given up can still come to its end.
      starting.then(() => this.#stopPart(CLEAN_UP_MS)).catch(() => {})
      await this.#stopPart(CLEAN_UP_MS)
      throw error
    }
    this.#state = 'running'
    this.#runningSinceMs = clock.monotonic()
  }

  #onFailure(error: unknown): void {
    if (this.#state !== 'running') return
    this.#run += 1
    this.#state = 'failed'
    if (this.#options.clock.monotonic() - this.#runningSinceMs >= STABLE_MS) this.#backoff.reset()
    this.#reviving = this.#revive(error, this.#life.signal)
  }

  async #revive(failure: unknown, signal: AbortSignal): Promise<void> {
    await this.#stopPart(CLEAN_UP_MS)
    let error = failure
    while (!signal.aborted) {
      await this.#waitAfter(error, signal)
      if (signal.aborted) return
      try {
        await this.#attempt(signal)
        this.#options.logger.info(`${this.name} runs again`)
        return
      } catch (again) {
        error = again
      }
    }
  }

  async #waitAfter(failure: unknown, signal: AbortSignal): Promise<void> {
    if (signal.aborted) return
    const { logger, clock } = this.#options
    const pauseMs = this.#backoff.next()
    logger.error(`${this.name} failed, next start in ${pauseMs} ms`, failure)
    await delay(pauseMs, { signal, clock }).catch(() => {})
  }

  async #stopPart(deadlineMs: number, isLogged = true): Promise<void> {
    const { part, logger, clock } = this.#options
    const late = () => {
      throw new LifecycleError('MILLRACE_LIFECYCLE_STOP_DEADLINE', `Not within ${deadlineMs} ms`)
    }
    try {
      await withDeadline(part.stop({ deadlineMs }), deadlineMs, late, clock)
    } catch (error) {
      if (isLogged) logger.error(`${this.name} did not stop cleanly`, error)
    }
  }
}

/** What only a person can change: waiting for it would hold up the message that says so. */
const FINAL_CODES: readonly string[] = ['MILLRACE_LOG_FLUME_DATA', 'MILLRACE_LOG_VERSION']

/** A configuration that is wrong stays wrong. */
function isWorthRetry(error: unknown): boolean {
  if (!MillraceError.is(error)) return true
  return !error.code.startsWith('MILLRACE_CONFIG_') && !FINAL_CODES.includes(error.code)
}

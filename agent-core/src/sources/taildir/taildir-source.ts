import type { PollableSource, SourceStartContext, StopOptions } from '@millrace/component'
import {
  AbortError,
  type Clock,
  delay,
  LifecycleError,
  type Logger,
  messageOf,
  throwIfAborted,
  withDeadline,
} from '@millrace/runtime'
import { TailSession, type TailSessionOptions } from './tail-session.js'

export interface TaildirSourceOptions extends TailSessionOptions {
  readonly backoffSleepIncrementMs: number
  readonly maxBackoffSleepMs: number
}

export interface TaildirSourceHost {
  readonly logger: Logger
  readonly clock: Clock
}

/**
 * A line is read again and again until the channels have stored it; then its file's position moves.
 * Positions are stored every `writePosInterval` and at the stop: a crash doubles what was delivered
 * since, and loses nothing.
 */
export class TaildirSource implements PollableSource {
  readonly backoffSleepIncrementMs: number
  readonly maxBackoffSleepMs: number
  readonly #options: TaildirSourceOptions
  readonly #host: TaildirSourceHost
  #session: TailSession | undefined
  /** Changes with each start and stop. */
  #life: object = {}
  #isRefused = false

  constructor(options: TaildirSourceOptions, host: TaildirSourceHost) {
    this.#options = options
    this.#host = host
    this.backoffSleepIncrementMs = options.backoffSleepIncrementMs
    this.maxBackoffSleepMs = options.maxBackoffSleepMs
  }

  /** @throws LifecycleError when the position file cannot be read. */
  async start(context: SourceStartContext): Promise<void> {
    await this.stop({ deadlineMs: 0 })
    throwIfAborted(context.signal)
    const life = {}
    this.#life = life
    let session: TailSession
    try {
      session = await TailSession.open(this.#options, { ...this.#host, context })
    } catch (cause) {
      const { positionFile } = this.#options
      const message = `The position file ${positionFile} cannot be read: ${messageOf(cause)}`
      throw new LifecycleError('MILLRACE_LIFECYCLE_START_FAILED', message, { cause })
    }
    throwIfAborted(context.signal)
    if (this.#life !== life) throw new AbortError('The source was stopped while it started')
    this.#session = session
  }

  async stop(options: StopOptions): Promise<void> {
    const session = this.#session
    this.#session = undefined
    this.#life = {}
    if (!session) return
    const { clock, logger } = this.#host
    const late = () => logger.warn('the positions could not be stored within the deadline')
    await withDeadline(session.close(), Math.max(options.deadlineMs, 1), late, clock)
  }

  async process(signal: AbortSignal): Promise<'ready' | 'backoff'> {
    const session = this.#session
    if (!session) throw new LifecycleError('MILLRACE_LIFECYCLE_STATE', 'The source is not started')
    const round = await session.round(signal)
    this.#isRefused = round.isRefused
    return round.delivered > 0 && !round.isRefused ? 'ready' : 'backoff'
  }

  /** While the channel is full, changes of files are no reason to try again. */
  async idle(maxMs: number, signal: AbortSignal): Promise<void> {
    const session = this.#session
    if (!session || this.#isRefused) await delay(maxMs, { signal, clock: this.#host.clock })
    else await session.idle(maxMs, signal)
  }
}

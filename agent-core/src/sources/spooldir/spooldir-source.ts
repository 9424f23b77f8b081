import { existsSync } from 'node:fs'
import { join } from 'node:path'
import type {
  EventDeserializer,
  InputFile,
  PollableSource,
  SourceStartContext,
  StopOptions,
} from '@millrace/component'
import {
  AbortError,
  type Clock,
  delay,
  LifecycleError,
  type Logger,
  messageOf,
  MillraceError,
  RateLimit,
  throwIfAborted,
  withDeadline,
} from '@millrace/runtime'
import { readTracker, type StoredOffset } from './position-tracker.js'
import type { Candidate, SpoolDirectory } from './spool-directory.js'
import { SpooledFile } from './spooled-file.js'

export interface SpooldirSourceOptions {
  readonly spoolDir: string
  readonly trackerDir: string
  /** Whether the tracker's file stays when its file is finished. */
  readonly isTrackerKept: boolean
  readonly pollDelayMs: number
  readonly maxBackoffMs: number
  readonly batchSize: number
  readonly inputCharset: string
  /** Longest line in characters, before what the deserializer is told. */
  readonly maxLineLength: number | undefined
  readonly decodeErrorPolicy: 'FAIL' | 'REPLACE' | 'IGNORE'
  /** Names of the headers for a file's path and for its name. */
  readonly pathHeader: string | undefined
  readonly nameHeader: string | undefined
}

export interface SpooldirSourceHost {
  readonly directory: SpoolDirectory
  readonly createDeserializer: (input: InputFile) => EventDeserializer
  readonly logger: Logger
  readonly clock: Clock
}

const TRACKER_FILE = '.flumespool-main.meta'
/** First wait after a refused batch, in milliseconds; each further one is twice as long. */
const FIRST_RETRY_MS = 250
const WARN_INTERVAL_MS = 10_000

/**
 * One file after the other. An event is put again until it is stored; then the offset behind it is
 * noted, so that a restart goes on there. A file that cannot be read, or that changes while it is
 * read, is set aside with an error in the log, and the next one is taken.
 */
export class SpooldirSource implements PollableSource {
  readonly backoffSleepIncrementMs: number
  readonly maxBackoffSleepMs: number
  readonly #options: SpooldirSourceOptions
  readonly #host: SpooldirSourceHost
  readonly #warnings: RateLimit
  #context: SourceStartContext | undefined
  #file: SpooledFile | undefined
  #waiting: readonly Candidate[] = []
  #listedMs = Number.NEGATIVE_INFINITY
  #stored: StoredOffset | undefined
  #retryMs = 0
  /** The end of the last round; files are closed behind it. */
  #lastRound: Promise<unknown> = Promise.resolve()

  constructor(options: SpooldirSourceOptions, host: SpooldirSourceHost) {
    this.#options = options
    this.#host = host
    this.#warnings = new RateLimit({ intervalMs: WARN_INTERVAL_MS, clock: host.clock })
    this.backoffSleepIncrementMs = options.pollDelayMs
    this.maxBackoffSleepMs = options.pollDelayMs
  }

  /** @throws LifecycleError when the directory is missing, or nothing can be noted about it. */
  async start(context: SourceStartContext): Promise<void> {
    await this.stop({ deadlineMs: 0 })
    throwIfAborted(context.signal)
    this.#context = context
    try {
      await this.#host.directory.prepare()
      this.#stored = await readTracker(this.#trackerPath)
    } catch (cause) {
      const message = `${this.#options.spoolDir} cannot be used: ${messageOf(cause)}`
      throw new LifecycleError('MILLRACE_LIFECYCLE_START_FAILED', message, { cause })
    }
    this.#waiting = []
    this.#retryMs = 0
    throwIfAborted(context.signal)
    if (this.#context !== context) throw new AbortError('The source was stopped while it started')
  }

  async stop(options: StopOptions): Promise<void> {
    if (!this.#context) return
    this.#context = undefined
    const closing = this.#lastRound.then(() => this.#leave())
    const { clock } = this.#host
    await withDeadline(closing, options.deadlineMs, () => undefined, clock)
  }

  process(signal: AbortSignal): Promise<'ready' | 'backoff'> {
    const context = this.#context
    if (!context) {
      const message = 'The source is not started'
      return Promise.reject(new LifecycleError('MILLRACE_LIFECYCLE_STATE', message))
    }
    const round = this.#round(context, signal)
    this.#lastRound = round.catch(() => undefined)
    return round
  }

  async idle(maxMs: number, signal: AbortSignal): Promise<void> {
    await delay(this.#retryMs > 0 ? this.#retryMs : maxMs, { signal, clock: this.#host.clock })
  }

  get #trackerPath(): string {
    return join(this.#options.trackerDir, TRACKER_FILE)
  }

  /** Delivers one batch, of the file at hand or of the next one that has any. */
  async #round(context: SourceStartContext, signal: AbortSignal): Promise<'ready' | 'backoff'> {
    while (this.#context === context && !signal.aborted) {
      this.#file ??= await this.#openNext()
      const file = this.#file
      if (!file) break
      try {
        const batch = await file.next(this.#options.batchSize)
        if (batch.size === 0) await this.#finish(file)
        else return (await this.#deliver(file, context, signal)) ? 'ready' : 'backoff'
      } catch (error) {
        if (!isOfFile(error)) throw error
        await this.#setAside(file, messageOf(error))
      }
    }
    return 'backoff'
  }

  async #deliver(
    file: SpooledFile,
    { deliver, counters }: SourceStartContext,
    signal: AbortSignal,
  ): Promise<boolean> {
    const batch = await file.next(this.#options.batchSize)
    counters.eventReceivedCount += batch.size
    counters.appendBatchReceivedCount += 1
    try {
      await deliver(batch, signal)
    } catch (error) {
      if (!MillraceError.is(error) || !error.code.startsWith('MILLRACE_CHANNEL_')) throw error
      counters.channelWriteFail += 1
      const { maxBackoffMs } = this.#options
      this.#retryMs = Math.min(maxBackoffMs, Math.max(FIRST_RETRY_MS, this.#retryMs * 2))
      if (this.#warnings.admit('refused') !== undefined) {
        this.#host.logger.warn('the channel refused events, which are put again', error)
      }
      return false
    }
    this.#retryMs = 0
    counters.eventAcceptedCount += batch.size
    counters.appendBatchAcceptedCount += 1
    await file.commit()
    return true
  }

  async #openNext(): Promise<SpooledFile | undefined> {
    const candidate = await this.#next()
    if (!candidate) return undefined
    const { nameHeader, pathHeader, inputCharset, decodeErrorPolicy, maxLineLength } = this.#options
    const start = this.#stored?.file === candidate.path ? this.#stored.offset : 0
    this.#stored = undefined
    try {
      return await SpooledFile.open({
        candidate,
        trackerPath: this.#trackerPath,
        start: start <= Number(candidate.stats.size) ? start : 0,
        charset: inputCharset,
        decodeErrorPolicy,
        maxLineLength,
        createDeserializer: this.#host.createDeserializer,
        headers: {
          ...(pathHeader === undefined ? {} : { [pathHeader]: candidate.path }),
          ...(nameHeader === undefined ? {} : { [nameHeader]: candidate.name }),
        },
      })
    } catch (error) {
      if (this.#warnings.admit(candidate.path) !== undefined) {
        this.#host.logger.error(`${candidate.path} cannot be opened`, error)
      }
      return undefined
    }
  }

  /** The file that was begun before a stop, else the next one by `consumeOrder`. */
  async #next(): Promise<Candidate | undefined> {
    const { clock, directory } = this.#host
    const now = clock.monotonic()
    if (this.#waiting.length === 0 || now - this.#listedMs >= this.#options.pollDelayMs) {
      this.#waiting = await directory.list()
      this.#listedMs = now
    }
    const begun = this.#waiting.find(({ path }) => path === this.#stored?.file)
    const next = begun ?? this.#waiting[0]
    this.#waiting = this.#waiting.filter((each) => each !== next)
    return next
  }

  async #finish(file: SpooledFile): Promise<void> {
    const { candidate, hasChanged } = file
    const { directory, logger } = this.#host
    if (hasChanged) return this.#setAside(file, 'it changed while it was read')
    if (directory.isRepeated(candidate)) {
      return this.#setAside(file, 'it is read, but a finished file has its name already')
    }
    try {
      await directory.finish(candidate)
    } catch (error) {
      if (existsSync(candidate.path)) throw error
      logger.warn(`${candidate.path} is read, and was removed meanwhile`)
    }
    this.#file = undefined
    await file.close({ isTrackerKept: this.#options.isTrackerKept })
    logger.info(`${candidate.path} is finished`)
  }

  async #setAside(file: SpooledFile, reason: string): Promise<void> {
    const { directory, logger } = this.#host
    const { candidate } = file
    if (this.#context) this.#context.counters.eventReadFail += 1
    this.#file = undefined
    try {
      const path = await directory.setAside(candidate)
      logger.error(`${candidate.path} is set aside as ${path}: ${reason}`)
    } catch (error) {
      logger.error(`${candidate.path} is not read again before a restart: ${reason}`, error)
    }
    await file.close({ isTrackerKept: false })
  }

  /** Closes the file that is not finished. Its tracker says where it is to be read on. */
  async #leave(): Promise<void> {
    const file = this.#file
    this.#file = undefined
    await file?.close({ isTrackerKept: true })
  }
}

/** Whether the file is to blame, and not what lies behind the source. */
function isOfFile(error: unknown): boolean {
  if (MillraceError.is(error)) {
    return error.code === 'MILLRACE_INPUT_INVALID' || error.code.startsWith('MILLRACE_AVRO_')
  }
  return false
}

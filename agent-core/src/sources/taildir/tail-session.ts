/** The files of a source between one start and one stop. */
import type { SourceStartContext } from '@millrace/component'
import { type Clock, type Logger, messageOf, MillraceError, RateLimit } from '@millrace/runtime'
import { batchOfSlices } from '../body-slices.js'
import { ChangeHints } from './change-hints.js'
import type { FileGroup } from './file-group.js'
import { FileFinder } from './file-finder.js'
import { type Lines, LineWindow } from './line-window.js'
import { PositionFile } from './position-file.js'
import { type TailedFileEntry, TailedFiles } from './tailed-files.js'

export interface TailSessionOptions {
  readonly groups: readonly FileGroup[]
  readonly positionFile: string
  readonly byteOffsetHeader: boolean
  readonly skipToEnd: boolean
  readonly idleTimeoutMs: number
  readonly writePositionsMs: number
  readonly batchSize: number
  readonly maxBatchCount: number
  readonly cachePatternMatching: boolean
  readonly maxLineBytes: number
}

export interface TailSessionHost {
  readonly context: SourceStartContext
  readonly logger: Logger
  readonly clock: Clock
}

/** While files are written to, all of them are looked at so often, in milliseconds. */
const LOOK_INTERVAL_MS = 1_000
const WARN_INTERVAL_MS = 5_000
const BYTE_OFFSET_HEADER = 'byteoffset'

/** What became of a round. */
export interface Round {
  /** Events that were delivered. */
  readonly delivered: number
  readonly isRefused: boolean
}

export class TailSession {
  readonly #options: TailSessionOptions
  readonly #host: TailSessionHost
  readonly #positionFile: PositionFile
  readonly #files: TailedFiles
  readonly #finder: FileFinder
  readonly #hints: ChangeHints
  readonly #window = new LineWindow()
  readonly #warnings: RateLimit
  #lookedMs = Number.NEGATIVE_INFINITY
  #savedMs: number
  #savedVersion = -1
  #isClosed = false

  private constructor(
    options: TailSessionOptions,
    host: TailSessionHost,
    parts: {
      readonly positionFile: PositionFile
      readonly files: TailedFiles
      readonly finder: FileFinder
    },
  ) {
    this.#options = options
    this.#host = host
    this.#positionFile = parts.positionFile
    this.#files = parts.files
    this.#finder = parts.finder
    this.#hints = new ChangeHints(host.logger)
    this.#warnings = new RateLimit({ intervalMs: WARN_INTERVAL_MS, clock: host.clock })
    this.#savedMs = host.clock.monotonic()
  }

  /** @throws an error of the system when the position file cannot be read. */
  static async open(options: TailSessionOptions, host: TailSessionHost): Promise<TailSession> {
    const { logger, clock } = host
    const positionFile = new PositionFile(options.positionFile, logger)
    const stored = await positionFile.load()
    const files = new TailedFiles({ ...options, logger, clock })
    const finder = new FileFinder({ ...options, files, stored, logger, clock })
    return new TailSession(options, host, { positionFile, files, finder })
  }

  /** Reads and delivers what there is, as far as it is known or time to look for it. */
  async round(signal: AbortSignal): Promise<Round> {
    await this.#look(signal)
    let delivered = 0
    let isRefused = false
    for (const entry of this.#files.due) {
      if (this.#isClosed || signal.aborted || isRefused) break
      const read = await this.#read(entry, signal)
      delivered += read.delivered
      isRefused = read.isRefused
    }
    if (!isRefused) delivered += await this.#closeIdle(signal)
    await this.#saveInTime()
    return { delivered, isRefused }
  }

  /** Waits until something changes, or there is something else to do. */
  async idle(maxMs: number, signal: AbortSignal): Promise<void> {
    const { clock } = this.#host
    const saveMs =
      this.#files.version !== this.#savedVersion
        ? Math.max(0, this.#savedMs + this.#options.writePositionsMs - clock.monotonic())
        : maxMs
    await this.#hints.wait(Math.min(maxMs, saveMs), signal, clock)
  }

  /** Stores the positions and closes everything. */
  async close(): Promise<void> {
    if (this.#isClosed) return
    this.#isClosed = true
    this.#hints.close()
    await this.#save()
    await this.#files.closeAll()
  }

  async #look(signal: AbortSignal): Promise<void> {
    const now = this.#host.clock.monotonic()
    let isDue = now - this.#lookedMs >= LOOK_INTERVAL_MS
    for (const { directory, names } of this.#hints.take()) {
      for (const name of names) isDue = !this.#finder.lookAt(directory, name) || isDue
    }
    if (!isDue) return
    this.#lookedMs = now
    // Watched first: what changes behind the look is told.
    for (const directory of this.#finder.directories) this.#hints.watch(directory)
    await this.#finder.lookAround(signal)
  }

  /** Reads one file to its end, or as many batches as it may have in a row. */
  async #read(entry: TailedFileEntry, signal: AbortSignal): Promise<Round> {
    const { maxBatchCount, batchSize } = this.#options
    let delivered = 0
    try {
      for (let batches = 0; batches < maxBatchCount; batches += 1) {
        const lines = await entry.file.next(batchSize, this.#window)
        if (this.#isClosed) break
        if (!lines) {
          await this.#files.finish(entry)
          break
        }
        if (!(await this.#deliver(entry, lines, signal))) return { delivered, isRefused: true }
        delivered += lines.slices.length / 2
      }
    } catch (error) {
      await this.#readFailed(entry, error, signal)
    }
    if (this.#isClosed) await entry.file.close()
    return { delivered, isRefused: false }
  }

  /** False: the channel refused; the lines are read again. */
  async #deliver(entry: TailedFileEntry, lines: Lines, signal: AbortSignal): Promise<boolean> {
    const { context } = this.#host
    const { counters } = context
    const batch = this.#batchOf(entry, lines)
    counters.eventReceivedCount += batch.size
    counters.appendBatchReceivedCount += 1
    try {
      await context.deliver(batch, signal)
    } catch (error) {
      if (!MillraceError.is(error) || !error.code.startsWith('MILLRACE_CHANNEL_')) {
        throw new DeliveryFailed(error)
      }
      counters.channelWriteFail += 1
      if (this.#warnings.admit('refused') !== undefined) {
        this.#host.logger.warn('the channel refused lines, which are read again', error)
      }
      return false
    }
    this.#files.commit(entry, lines)
    counters.eventAcceptedCount += batch.size
    counters.appendBatchAcceptedCount += 1
    return true
  }

  #batchOf({ file }: TailedFileEntry, { bytes, slices, offset }: Lines) {
    const batch = batchOfSlices(bytes, slices, file.headers)
    if (!this.#options.byteOffsetHeader) return batch
    const value = (index: number) => String(offset + (slices[2 * index] ?? 0))
    return batch.withHeaders([{ name: BYTE_OFFSET_HEADER, value }])
  }

  async #readFailed(entry: TailedFileEntry, error: unknown, signal: AbortSignal): Promise<void> {
    if (error instanceof DeliveryFailed) throw error.cause
    if (signal.aborted || this.#isClosed) return
    this.#host.context.counters.eventReadFail += 1
    const { path } = entry.file
    if (this.#warnings.admit(path) !== undefined) {
      this.#host.logger.error(`${path} cannot be read`, error)
    }
    await this.#files.fail(entry)
  }

  /** Delivers unfinished lines of files that rest, and closes the files. */
  async #closeIdle(signal: AbortSignal): Promise<number> {
    let delivered = 0
    for (const entry of this.#files.idle(this.#finder.look)) {
      if (this.#isClosed || signal.aborted) break
      try {
        const rest = await entry.file.rest(this.#window)
        if (rest && !(await this.#deliver(entry, rest, signal))) break
        if (rest) delivered += 1
        if (entry.look < this.#finder.look) await this.#files.drop(entry)
        else await this.#files.close(entry)
      } catch (error) {
        await this.#readFailed(entry, error, signal)
      }
    }
    return delivered
  }

  async #saveInTime(): Promise<void> {
    const now = this.#host.clock.monotonic()
    if (this.#files.version === this.#savedVersion) return
    if (now - this.#savedMs < this.#options.writePositionsMs) return
    this.#savedMs = now
    await this.#save()
  }

  async #save(): Promise<void> {
    // Nothing is known yet, so nothing may be overwritten.
    if (this.#finder.look === 0) return
    const { version } = this.#files
    try {
      await this.#positionFile.save([...this.#files.positions, ...this.#finder.unclaimed])
      this.#savedVersion = version
    } catch (error) {
      const reason = messageOf(error)
      if (this.#warnings.admit('positions') === undefined) return
      this.#host.logger.error(`the positions could not be stored, and are as they were: ${reason}`)
    }
  }
}

/** Tells a failure behind the source from one of a file. */
class DeliveryFailed extends Error {
  constructor(cause: unknown) {
    super('The delivery failed', { cause })
  }
}

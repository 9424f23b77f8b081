import type { EventSerializer, Sink, SinkStartContext, StopOptions } from '@millrace/component'
import type { EventBatch } from '@millrace/event'
import {
  abortable,
  type Clock,
  LifecycleError,
  type Logger,
  MillraceError,
  type Timer,
  throwIfAborted,
  withDeadline,
} from '@millrace/runtime'
import { type FileSystem, OutputFile, storageError } from './output-file.js'
import { createPathNaming, type PathNaming, type PathNamingType } from './path-naming.js'

export interface FileRollSinkOptions {
  readonly directory: string
  readonly pathManager: PathNamingType
  readonly extension: string
  readonly prefix: string
  /** 0 keeps one file. */
  readonly rollIntervalMs: number
  readonly batchSize: number
  /** When a write waits until the disk has the events; `auto`: behind a durable channel. */
  readonly fsync: 'auto' | 'always' | 'never'
}

export interface FileRollSinkHost {
  readonly createSerializer: () => EventSerializer
  readonly logger: Logger
  readonly clock: Clock
  readonly files: FileSystem
}

/** Names that are tried before the directory counts as broken. */
const MAX_NAMES_TRIED = 10_000

/** The file that is written now. */
interface CurrentFile {
  readonly output: OutputFile
  readonly serializer: EventSerializer
  /** The beginning of the file, while it could not be written yet. */
  pendingHeader: Buffer | undefined
  /** Given up after a failure. */
  isBroken: boolean
}

/**
 * A write resolves once the disk has the bytes, or the system, as `fsync` says. After a failed one
 * the file ends where it ended before, so the agent's retry stands behind whole events; a file that
 * cannot be cut back, whose sync failed, or whose disk failed otherwise than by being full, is left
 * and a new one begun. No file is ever overwritten.
 */
export class FileRollSink implements Sink {
  readonly batchSize: number
  readonly #options: FileRollSinkOptions
  readonly #host: FileRollSinkHost
  #paths: PathNaming | undefined
  #current: CurrentFile | undefined
  #timer: Timer | undefined
  #syncs = false
  /** The end of the last piece of work: writes and rolls come one after the other. */
  #lastTurn: Promise<unknown> = Promise.resolve()

  constructor(options: FileRollSinkOptions, host: FileRollSinkHost) {
    this.batchSize = options.batchSize
    this.#options = options
    this.#host = host
  }

  /** @throws LifecycleError when the directory is missing or takes no file. */
  async start(context: SinkStartContext): Promise<void> {
    await this.stop({ deadlineMs: Number.POSITIVE_INFINITY })
    const { directory, pathManager, rollIntervalMs, fsync } = this.#options
    const { clock } = this.#host
    this.#syncs = fsync === 'auto' ? context.isChannelDurable : fsync === 'always'
    const turn = this.#turn(async () => {
      throwIfAborted(context.signal)
      await this.#checkDirectory(directory)
      this.#paths = createPathNaming(pathManager, { ...this.#options, clock })
      try {
        this.#current = await this.#open(this.#paths)
      } catch (error) {
        this.#paths = undefined
        throw startFailed(`No file can be made in ${directory}`, error)
      }
      if (rollIntervalMs > 0) this.#rollAt(clock.monotonic() + rollIntervalMs)
    })
    await abortable(turn, context.signal)
  }

  async stop(options: StopOptions): Promise<void> {
    this.#timer?.cancel()
    this.#timer = undefined
    const closing = this.#turn(async () => {
      this.#timer?.cancel()
      this.#timer = undefined
      this.#paths = undefined
      await this.#close()
    })
    if (options.deadlineMs === Number.POSITIVE_INFINITY) return closing
    const late = () => {
      this.#host.logger.warn('the disk did not close the last file within the deadline')
    }
    return withDeadline(closing, options.deadlineMs, late, this.#host.clock)
  }

  /** @throws StorageError when the disk is full or fails. */
  write(batch: EventBatch, signal: AbortSignal): Promise<void> {
    return this.#turn(async () => {
      throwIfAborted(signal)
      if (!this.#paths) {
        throw new LifecycleError('MILLRACE_LIFECYCLE_STATE', 'The sink is not started')
      }
      this.#current ??= await this.#open(this.#paths)
      const current = this.#current
      const events = await current.serializer.serialize(batch)
      const header = current.pendingHeader
      try {
        const bytes = header ? Buffer.concat([header, events]) : events
        await current.output.append(bytes, { sync: this.#syncs })
      } catch (error) {
        await this.#leaveBroken(current, error)
        throw error
      }
      current.pendingHeader = undefined
    })
  }

  async #checkDirectory(directory: string): Promise<void> {
    let isDirectory: boolean
    try {
      isDirectory = await this.#host.files.isDirectory(directory)
    } catch (error) {
      throw startFailed(`The directory ${directory} cannot be used`, error)
    }
    if (!isDirectory) throw startFailed(`${directory} is no directory`)
  }

  /** Makes the next file, whose name nobody has taken, and begins it. */
  async #open(paths: PathNaming): Promise<CurrentFile> {
    const output = await this.#create(paths)
    const serializer = this.#host.createSerializer()
    const pendingHeader = serializer.header?.()
    const current: CurrentFile = { output, serializer, pendingHeader, isBroken: false }
    await this.#writeHeader(current)
    return current
  }

  async #create(paths: PathNaming): Promise<OutputFile> {
    for (let tried = 1; ; tried += 1) {
      const path = paths.next()
      try {
        return await OutputFile.create(path, this.#host.files)
      } catch (error) {
        const isTaken = error instanceof Error && Reflect.get(error, 'code') === 'EEXIST'
        if (!isTaken || tried === MAX_NAMES_TRIED) {
          throw storageError(`${path} cannot be made`, error)
        }
      }
    }
  }

  /** Writes the beginning of a file; when the disk refuses, it goes in front of the first events. */
  async #writeHeader(current: CurrentFile): Promise<void> {
    if (!current.pendingHeader) return
    try {
      // The sync of the first events makes it safe too.
      await current.output.append(current.pendingHeader, { sync: false })
      current.pendingHeader = undefined
    } catch (error) {
      this.#host.logger.warn('a new file has no header yet', error)
    }
  }

  /** Gives a file up that a retry cannot go on with. */
  async #leaveBroken(current: CurrentFile, error: unknown): Promise<void> {
    const isFull = MillraceError.is(error) && error.code === 'MILLRACE_STORAGE_NO_SPACE'
    const { output } = current
    if (isFull && !output.isTorn && !output.hasLostSync) return
    if (output.isTorn) {
      const { path, goodLength } = output
      const message = `${path} may hold a part of an event behind its first ${goodLength} bytes`
      this.#host.logger.warn(`${message}; it is written again to another file`)
    }
    current.isBroken = true
    await this.#close()
  }

  async #close(): Promise<void> {
    const current = this.#current
    this.#current = undefined
    if (!current) return
    const { output, serializer } = current
    try {
      const isWhole = !current.pendingHeader && !current.isBroken
      const trailer = isWhole ? serializer.trailer?.() : undefined
      if (trailer) await output.append(trailer, { sync: this.#syncs })
    } catch (error) {
      this.#host.logger.warn(`${output.path} has no end`, error)
    }
    try {
      await output.close()
      // Failing disks are tried again and again: a file that got nothing is not left behind.
      const isWorthless = current.pendingHeader !== undefined || current.isBroken
      if (isWorthless && output.goodLength === 0) await this.#host.files.remove(output.path)
    } catch (error) {
      this.#host.logger.warn(`${output.path} did not close well`, error)
    }
  }

  #rollAt(dueMs: number): void {
    const { clock, logger } = this.#host
    const waitMs = Math.max(0, dueMs - clock.monotonic())
    this.#timer = clock.after(
      waitMs,
      () => {
        this.#rollAt(Math.max(dueMs + this.#options.rollIntervalMs, clock.monotonic()))
        const roll = this.#turn(() => this.#roll())
        roll.catch((error: unknown) => logger.warn('no new file could be begun', error))
      },
      { ref: false },
    )
  }

  async #roll(): Promise<void> {
    if (!this.#paths) return
    await this.#close()
    this.#current = await this.#open(this.#paths)
  }

  #turn<T>(work: () => Promise<T>): Promise<T> {
    const turn = this.#lastTurn.then(work)
    this.#lastTurn = turn.catch(() => undefined)
    return turn
  }
}

function startFailed(message: string, cause?: unknown): LifecycleError {
  return new LifecycleError('MILLRACE_LIFECYCLE_START_FAILED', message, { cause })
}

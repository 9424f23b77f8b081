import {
  type BatchSize,
  type Channel,
  type ChannelStartContext,
  type Reservation,
  type ReserveOptions,
  type TakeLimit,
  type Transaction,
} from '@millrace/component'
import type { EventBatch } from '@millrace/event'
import { abortable, type MillraceError } from '@millrace/runtime'
import type { Log } from '@millrace/wal'
import type { FileChannelOptions } from './file.js'
import {
  closedError,
  fullError,
  isLogGone,
  putError,
  tooLargeError,
} from './file-channel-errors.js'
import { type FileChannelHost, isLogKept, openLog, SINKS } from './file-channel-log.js'
import { PutSide, type Size } from './put-side.js'
import { ReadAhead } from './read-ahead.js'
import type { Segment } from './stored-events.js'
import { TakeSide } from './take-side.js'

const EMPTY: Size = { events: 0, bytes: 0 }

/** A log that is open, and what belongs to this opening of it. */
interface Opened {
  readonly log: Log
  readonly takes: TakeSide
  readonly readAhead: ReadAhead
  readonly context: ChannelStartContext
  /** Appends under way: they take up room before the log counts them. */
  pending: Size
}

/**
 * Events in a durable log, in the order in which they were put. What `put` resolved survives the
 * process and the machine (with `fsyncPerTransaction = false` the process only); what was taken and
 * not committed is given again after a restart. How full the channel is follows from the log; only a
 * small window of it is in memory.
 */
export class FileChannel implements Channel {
  readonly isDurable = true
  readonly #name: string
  readonly #host: FileChannelHost
  readonly #puts: PutSide
  #options: FileChannelOptions
  #opened: Opened | undefined
  /** What the log held when it was closed. */
  #closedSize = EMPTY
  /** The end of the last close: a log is opened again after it. */
  #closing: Promise<void> = Promise.resolve()
  /** Counts starts and stops: a start that was stopped meanwhile gives its log up. */
  #run = 0
  /** Failures of the disk since the start, by what they hit. */
  #failures = { puts: 0, takes: 0, commits: 0 }

  constructor(name: string, options: FileChannelOptions, host: FileChannelHost) {
    this.#name = name
    this.#options = options
    this.#host = host
    const puts = {
      keepAliveMs: () => this.keepAliveMs,
      hasRoom: (size: Size) => this.#hasRoom(size),
      store: (batch: EventBatch) => this.#store(batch),
      full: (size: Size) => this.#full(size),
    }
    this.#puts = new PutSide(puts, host.clock)
  }

  get transactionCapacity(): number {
    return this.#options.transactionCapacity
  }

  get keepAliveMs(): number {
    return this.#options.keepAliveMs
  }

  get size(): Size {
    return this.#opened ? sizeOf(this.#opened) : this.#closedSize
  }

  /** Of the log since it was opened. */
  get metrics(): Readonly<Record<string, number | boolean>> {
    const stats = this.#opened?.log.stats()
    const isHealthy = this.#opened !== undefined && this.#opened.log.refusal === undefined
    const health = {
      Open: this.#opened !== undefined,
      Closed: this.#opened ? 0 : 1,
      Unhealthy: isHealthy ? 0 : 1,
      EventPutErrorCount: this.#failures.puts,
      EventTakeErrorCount: this.#failures.takes,
      CheckpointWriteErrorCount: this.#failures.commits,
      // There is one file, whose two generations are written in turn.
      CheckpointBackupWriteErrorCount: 0,
    }
    if (!stats) return health
    return {
      ...health,
      ChannelSizeBytes: this.size.bytes,
      Segments: stats.segments,
      LostEventCount: stats.lostEvents,
      MaxRepeatedEvents: this.#options.maxRepeatedEvents,
      GroupCount: stats.groups,
      BatchCount: stats.batches,
      SyncCount: stats.syncs,
      BytesWritten: stats.bytesWritten,
      BytesRead: stats.bytesRead,
    }
  }

  /** @throws LogError or StorageError of the log when it cannot be opened; then nothing was changed. */
  async start(context: ChannelStartContext): Promise<void> {
    await abortable(this.stop(), context.signal)
    const run = this.#run
    const log = await openLog(this.#options, this.#host, context.signal)
    if (run !== this.#run) {
      await log.close()
      throw closedError(this.#name)
    }
    context.counters.channelCapacity = this.#options.capacity
    this.#failures = { puts: 0, takes: 0, commits: 0 }
    log.onAcceptsAgain = () => this.#puts.admit()
    const takes = this.#takeSide(log, context)
    const readAhead = new ReadAhead({
      consumer: log.consumer(SINKS),
      stored: takes.stored,
      onEvents: () => takes.serve(),
      onFailure: (error) => {
        this.#failures.takes += 1
        this.#host.logger.warn('events could not be read; the next take tries again', error)
        takes.rejectAll(() => error)
      },
    })
    this.#opened = { log, takes, readAhead, context, pending: EMPTY }
    readAhead.fill()
  }

  /** Stores what was put before, and gives the directories up. */
  async stop(): Promise<void> {
    this.#run += 1
    const opened = this.#opened
    this.#opened = undefined
    if (opened) {
      const { log, takes, readAhead } = opened
      this.#closedSize = sizeOf(opened)
      this.#puts.rejectAll(() => closedError(this.#name))
      readAhead.close()
      takes.rejectAll(() => closedError(this.#name))
      this.#closing = log.close().finally(() => {
        this.#closedSize = sizeOf(opened)
      })
    }
    await this.#closing
  }

  /** Whether the new options leave the log as it is open. */
  canReconfigure(options: FileChannelOptions): boolean {
    return isLogKept(this.#options, options)
  }

  /** Takes new limits at once; events beyond a smaller capacity stay, and puts wait meanwhile. */
  reconfigure(options: FileChannelOptions): void {
    this.#options = options
    if (this.#opened) this.#opened.context.counters.channelCapacity = options.capacity
    this.#puts.admit()
  }

  reserve(batch: BatchSize, options: ReserveOptions): Promise<Reservation> {
    if (!this.#opened) return Promise.reject(closedError(this.#name))
    const { log, context } = this.#opened
    const size = { events: batch.events, bytes: batch.encodedBytes ?? batch.bytes }
    context.counters.eventPutAttemptCount += size.events
    const { transactionCapacity } = this.#options
    const mostBytes = Math.min(byteLimitOf(this.#options), log.largestBatchBytes)
    if (size.events > transactionCapacity || size.bytes > mostBytes) {
      return Promise.reject(tooLargeError(this.#name, size, this.#options))
    }
    return this.#puts.reserve(size, options)
  }

  take(limit: TakeLimit, signal: AbortSignal): Promise<Transaction | undefined> {
    if (!this.#opened) return Promise.reject(closedError(this.#name))
    const { takes, readAhead } = this.#opened
    readAhead.fill()
    const { reading } = readAhead
    if (takes.stored.isEmpty && limit.waitMs === 0 && reading) {
      return this.#takeAfter(reading, limit, signal)
    }
    const taken = takes.take(limit, signal)
    readAhead.fill()
    return taken
  }

  /** What is being read now counts as there. */
  async #takeAfter(
    reading: Promise<void>,
    limit: TakeLimit,
    signal: AbortSignal,
  ): Promise<Transaction | undefined> {
    await abortable(reading, signal)
    if (!this.#opened) throw closedError(this.#name)
    return this.#opened.takes.take(limit, signal)
  }

  #takeSide(log: Log, context: ChannelStartContext): TakeSide {
    const consumer = log.consumer(SINKS)
    const onCommitted = (segments: readonly Segment[]) => {
      // Of a log that was closed meanwhile the events are given again.
      if (this.#opened?.log !== log) return Promise.reject(closedError(this.#name))
      let waits: Promise<unknown> | undefined
      for (const [from, to] of rangesOf(segments)) {
        const stored = consumer.acknowledge(from, to)
        if (stored) waits = waits ? Promise.all([waits, stored]) : stored
      }
      this.#puts.admit()
      return waits?.catch((error: unknown) => {
        this.#failures.commits += 1
        if (isLogGone(error)) context.fail(error)
        throw error
      })
    }
    const host = {
      transactionCapacity: () => this.transactionCapacity,
      counters: () => context.counters,
      onCommitted,
    }
    return new TakeSide(host, this.#host.clock)
  }

  #hasRoom({ events, bytes }: Size): boolean {
    if (!this.#opened || this.#opened.log.refusal) return false
    const { size } = this
    return (
      size.events + events <= this.#options.capacity &&
      size.bytes + bytes <= byteLimitOf(this.#options)
    )
  }

  async #store(batch: EventBatch): Promise<void> {
    const opened = this.#opened
    if (!opened) throw closedError(this.#name)
    addPending(opened, batch.size, batch.byteLength)
    try {
      await opened.log.append(batch)
    } catch (error) {
      this.#failures.puts += 1
      if (isLogGone(error)) opened.context.fail(error)
      throw putError(this.#name, error, this.#options)
    } finally {
      addPending(opened, -batch.size, -batch.byteLength)
    }
    opened.context.counters.eventPutSuccessCount += batch.size
    this.#puts.admit()
  }

  #full(size: Size): MillraceError {
    const refusal = this.#opened?.log.refusal
    if (refusal) return putError(this.#name, refusal, this.#options)
    return fullError(this.#name, { wanted: size, held: this.size }, this.#options)
  }
}

function byteLimitOf({ byteCapacity = Number.POSITIVE_INFINITY }: FileChannelOptions): number {
  return byteCapacity
}

function sizeOf({ log, pending }: Opened): Size {
  const { events, bytes } = log.consumer(SINKS).backlog
  return { events: events + pending.events, bytes: bytes + pending.bytes }
}

function addPending(opened: Opened, events: number, bytes: number): void {
  const { pending } = opened
  opened.pending = { events: pending.events + events, bytes: pending.bytes + bytes }
}

/** The numbers of the events of the segments, as few ranges [from, to) as possible. */
function rangesOf(segments: readonly Segment[]): [from: number, to: number][] {
  const ranges: [number, number][] = []
  for (const { entry, from, to } of segments) {
    const last = ranges.at(-1)
    if (last && last[1] === entry.sequence + from) last[1] = entry.sequence + to
    else ranges.push([entry.sequence + from, entry.sequence + to])
  }
  return ranges
}

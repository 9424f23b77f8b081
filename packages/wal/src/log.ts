import type { EventBatch } from '@millrace/event'
import type { MillraceError } from '@millrace/runtime'
import { runAsync, runSync } from './disk/steps.js'
import type { LogState } from './log-state.js'
import { checkLogOptions, type LogOptions } from './options.js'
import type { DirectoryLock } from './owner/owner-lock.js'
import { Consumer, type ConsumerLog } from './reading/consumer.js'
import { RecentBatches } from './reading/recent-batches.js'
import type { CheckpointFile } from './recovery/checkpoint-file.js'
import { type OpenedLog, openLog } from './recovery/open-log.js'
import { Quarantine } from './recovery/quarantine.js'
import type { RecoveryReport } from './recovery/finding.js'
import { CursorStore } from './writing/cursor-store.js'
import { GroupCommitter } from './writing/group-committer.js'
import { Maintenance } from './writing/maintenance.js'
import { SegmentWriter } from './writing/segment-writer.js'

/** What a log did since it was opened, and what it holds. */
export interface LogStats {
  /** Writes that were shared by all that waited. */
  readonly groups: number
  readonly batches: number
  /** `fdatasync` calls, those of checkpoints and of new segments included. */
  readonly syncs: number
  /** Bytes that all write calls to the log's own files took, filling new segments included. */
  readonly bytesWritten: number
  readonly bytesRead: number
  /** Segments that hold events which are kept. */
  readonly segments: number
  /** Files that are ready for further segments. */
  readonly freeFiles: number
  /** Sequence that the next event gets. The first event of a log has sequence 1. */
  readonly nextSequence: number
  /** Events that consumers found lost since the log was opened, those of each consumer counted. */
  readonly lostEvents: number
  /** Damaged places that consumers found since the log was opened. */
  readonly damages: number
}

/** A part of a log whose room comes free at once. */
export interface LogPart {
  /** Sequence of the first event behind it. */
  readonly nextSequence: number
  /** Epoch milliseconds. */
  readonly lastAppendedAtMs: number
}

/**
 * A durable, ordered log of event batches with independent consumers. What `append` resolved survives the
 * process and the machine; what a consumer has not acknowledged it gets again. One process owns a log.
 * Format and recovery: `docs/formats/wal.md`.
 */
export class Log {
  /** What opening found and did. */
  readonly recovery: RecoveryReport
  readonly #state: LogState
  readonly #lock: DirectoryLock
  readonly #checkpoint: CheckpointFile
  readonly #writer: SegmentWriter
  readonly #maintenance: Maintenance
  readonly #committer: GroupCommitter
  readonly #isAsync: boolean
  #lostEvents = 0
  #damages = 0
  #closing: Promise<void> | undefined
  /** Called after the log refused appends, when it takes them again or another try is worth it. */
  onAcceptsAgain: (() => void) | undefined

  /**
   * Opens a log, or makes a new one. It takes the same time whatever the backlog: the header of each segment
   * is read, and one segment.
   * @throws OptionError for an option that is not valid.
   * @throws LogError `MILLRACE_LOG_IN_USE`, `…_VERSION`, `…_DIRECTORY`, `…_FLUME_DATA`: nothing was changed.
   * @throws StorageError when the disk fails or is full.
   */
  static async open(
    options: LogOptions,
    { signal }: { readonly signal?: AbortSignal } = {},
  ): Promise<Log> {
    return new Log(await runAsync(openLog(checkLogOptions(options)), signal), true)
  }

  /** The same without waiting, for a constructor: the log is then written with `appendSync`. */
  static openSync(options: LogOptions): Log {
    return new Log(runSync(openLog(checkLogOptions(options))), false)
  }

  private constructor(opened: OpenedLog, isAsync: boolean) {
    const { checkpoint, cursors, lock, report, start } = opened
    this.recovery = report
    this.#isAsync = isAsync
    this.#lock = lock
    this.#checkpoint = checkpoint
    const consumers = new Map<string, Consumer>()
    const state: LogState = {
      ...opened.state,
      consumers,
      recent: new RecentBatches(opened.state.options.recentBytes),
    }
    this.#state = state
    this.#writer = new SegmentWriter(state, checkpoint, { ...start, isAsync })
    const store = new CursorStore(consumers)
    this.#maintenance = new Maintenance(state, {
      writer: this.#writer,
      cursors: store,
      checkpoint,
    })
    this.#committer = new GroupCommitter({
      state,
      writer: this.#writer,
      cursors: store,
      maintenance: this.#maintenance,
      isAsync,
      onCommit: () => {
        for (const consumer of consumers.values()) consumer.onReadable?.()
      },
      onAcceptsAgain: () => this.onAcceptsAgain?.(),
    })
    const consumerLog = this.#consumerLog()
    for (const cursor of cursors) {
      consumers.set(cursor.consumer, new Consumer(cursor.consumer, cursor, consumerLog))
    }
    this.#committer.start()
  }

  /**
   * Appends a batch. Resolves when it is safe, as the log's `durability` says; batches are stored in the order
   * of the calls, each whole or not at all.
   * @throws StorageError when the disk is full or fails: the batch is not stored, or, if only the sync failed,
   *   its outcome is unknown. Both can be tried again.
   * @throws LogError `MILLRACE_LOG_CLOSED`, `…_TOO_LARGE`, `…_FENCED`.
   */
  append(batch: EventBatch): Promise<void> {
    return this.#committer.append(batch)
  }

  /**
   * Appends a batch before it returns, for a log opened with `openSync`: with durability `write` the operating
   * system has it then, with `sync` the disk. Throws as `append` rejects.
   */
  appendSync(batch: EventBatch): void {
    this.#committer.appendSync(batch)
  }

  /**
   * The same for one encoded event, the bytes [from, to) of `source`, which are not kept.
   * @returns the sequence that the event got.
   */
  appendEventSync(source: Buffer, from: number, to: number): number {
    const sequence = this.#state.nextSequence
    this.#committer.appendBytesSync({ source, from, to, events: 1 })
    return sequence
  }

  /** Sequence that the next event gets. */
  get nextSequence(): number {
    return this.#state.nextSequence
  }

  /** Bytes that the files of the log hold, without free ones that wait for their next use. */
  get bytes(): number {
    let bytes = 0
    for (const { end } of this.#state.segments) bytes += end
    return bytes
  }

  /** The segment that holds the event `sequence`; undefined when it is the one that is written to. */
  partOf(sequence: number): LogPart | undefined {
    const { segments } = this.#state
    const segment = segments.holding(sequence)
    return segment === segments.newest ? undefined : segment
  }

  /**
   * Stores the cursors and gives segments free at once of which all events are acknowledged, for a log opened
   * with `openSync`.
   * @throws StorageError when the disk fails.
   */
  settleSync(): void {
    if (this.#isAsync || this.#closing) return
    if (this.#maintenance.canRelease) runSync(this.#maintenance.release())
    else if (this.#maintenance.isCheckpointDue) runSync(this.#maintenance.checkpoint())
  }

  /** A consumer that the options name. */
  consumer(name: string): Consumer {
    const consumer = this.#state.consumers.get(name)
    if (!consumer) throw new RangeError(`The log has no consumer '${name}'`)
    return consumer
  }

  /** Why appends are refused at the moment: a full or failing disk. Undefined when a try is worth it. */
  get refusal(): MillraceError | undefined {
    return this.#committer.refusal
  }

  /** Bytes of the largest batch that is taken. */
  get largestBatchBytes(): number {
    return this.#state.options.maxBatchBytes
  }

  stats(): LogStats {
    const { counts, nextSequence, pool, segments } = this.#state
    return {
      groups: this.#committer.groups,
      batches: this.#committer.batches,
      syncs: counts.syncs,
      bytesWritten: counts.bytesWritten,
      bytesRead: counts.bytesRead,
      segments: segments.size,
      freeFiles: pool.freeFiles,
      nextSequence,
      lostEvents: this.#lostEvents,
      damages: this.#damages,
    }
  }

  /**
   * Commits what waits, stores frontier and cursors, and gives the log up. Twice is the same as once. A
   * failing disk is logged: what `append` resolved is safe all the same.
   */
  close(): Promise<void> {
    this.#closing ??= this.#close()
    return this.#closing
  }

  async #close(): Promise<void> {
    await this.#committer.close()
    try {
      const isWanted = this.#state.segments.size > 0 || this.#maintenance.isCheckpointDue
      // Both slots: damage to one of them must not cost the frontier.
      for (let slot = 0; slot < 2 && isWanted; slot += 1) {
        const steps = this.#maintenance.checkpoint(true)
        await (this.#isAsync ? runAsync(steps) : runSync(steps))
      }
    } catch (error) {
      this.#state.options.logger.warn('The log was closed without its last checkpoint', error)
    }
    this.#committer.abandonCursors()
    for (const consumer of this.#state.consumers.values()) {
      consumer.onReadable = undefined
      await consumer.close().catch(() => {})
    }
    await runAsync(this.#writer.close()).catch(() => {})
    this.#checkpoint.closeSync()
    this.#lock.release()
  }

  #consumerLog(): ConsumerLog {
    const state = this.#state
    const committer = this.#committer
    const quarantine = new Quarantine(state.disk, state.options)
    return {
      disk: state.disk,
      segments: state.segments,
      recent: state.recent,
      maxRepeatedEvents: state.options.maxRepeatedEvents,
      get readableEnd() {
        return state.nextSequence
      },
      storeCursors: (isUrgent) => committer.storeCursors(isUrgent),
      cursorsStored: () => committer.cursorsStored(),
      hasRead: () => {
        let lowest = Number.POSITIVE_INFINITY
        for (const { nextSequence } of state.consumers.values()) {
          lowest = Math.min(lowest, nextSequence)
        }
        state.recent.dropBefore(lowest)
      },
      damaged: async (segment, damage) => {
        this.#damages += 1
        await quarantine.keepLogged(segment, damage)
      },
      lost: (consumer, from, to) => {
        this.#lostEvents += to - from
        state.options.logger.error(
          `${to - from} events (${from} to ${to - 1}) are lost to consumer ${consumer}`,
        )
      },
    }
  }
}

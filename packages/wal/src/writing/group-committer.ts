import type { EventBatch } from '@millrace/event'
import { deferred, LogError, MillraceError } from '@millrace/runtime'
import { runAsync, runSync, type Steps } from '../disk/steps.js'
import { encodeCursors, rangesThatFit } from '../format/cursors.js'
import { recordBytes } from '../format/record.js'
import type { LogState } from '../log-state.js'
import { storageError } from '../segments/storage-error.js'
import type { Segment } from '../segments/segment.js'
import { copyOf, type EventBytes } from './direct-record.js'
import type { CursorSnapshot, CursorStore } from './cursor-store.js'
import type { Maintenance } from './maintenance.js'
import { NamedTimers } from './named-timers.js'
import { takeGroup, type Waiting } from './waiting-batches.js'
import type { SegmentWriter } from './segment-writer.js'

interface Refusal {
  readonly error: MillraceError
  /** Monotonic time from which on a write is tried again, in milliseconds. */
  readonly until: number
}

type Due = 'cursors' | 'sync' | 'checkpoint' | 'release'

export interface CommitterParts {
  readonly state: LogState
  readonly writer: SegmentWriter
  readonly cursors: CursorStore
  readonly maintenance: Maintenance
  /** Whether disk calls are asynchronous. */
  readonly isAsync: boolean
  /** Something new can be read. */
  readonly onCommit: () => void
  /** Appends are taken again. */
  readonly onAcceptsAgain: () => void
}

/** First and longest time without a new try after a disk failed, in milliseconds. */
const MIN_RETRY_MS = 100
const MAX_RETRY_MS = 5000

/**
 * Group commit: while one group is on its way to the disk, what is appended waits, and then shares one write
 * and one `fdatasync`. Acknowledgements ride along.
 */
export class GroupCommitter {
  readonly #parts: CommitterParts
  readonly #state: LogState
  #waiting: Waiting[] = []
  #isClosed = false
  #pumping: Promise<void> | undefined
  #preparing: Promise<void> | undefined
  /** What is to be done although nothing waits. */
  readonly #due: Record<Due, boolean> = {
    cursors: false,
    sync: false,
    checkpoint: false,
    release: false,
  }
  #refusal: Refusal | undefined
  /** Set when another process has taken the log over. */
  #fence: MillraceError | undefined
  #retryMs = MIN_RETRY_MS
  readonly #timers: NamedTimers<Due | 'accept'>
  #groups = 0
  #batches = 0

  constructor(parts: CommitterParts) {
    this.#parts = parts
    this.#state = parts.state
    this.#timers = new NamedTimers(parts.state.options.clock)
  }

  /** Does what opening the log left to do: files of no use are removed. */
  start(): void {
    if (this.#parts.maintenance.wantsSegment) this.#prepare()
  }

  get groups(): number {
    return this.#groups
  }

  get batches(): number {
    return this.#batches
  }

  /** Why appends are refused at the moment. */
  get refusal(): MillraceError | undefined {
    const refusal = this.#refusal
    return refusal && this.#now() < refusal.until ? refusal.error : undefined
  }

  append(batch: EventBatch): Promise<void> {
    if (!this.#parts.isAsync) {
      try {
        this.appendSync(batch)
        return Promise.resolve()
      } catch (error) {
        return Promise.reject(error)
      }
    }
    const refused = this.#refused(batch)
    if (refused) return Promise.reject(refused)
    if (batch.size === 0) return Promise.resolve()
    const done = deferred<void>()
    this.#waiting.push({ batch, bytes: recordBytes(batch.byteLength), done })
    this.#pump()
    return done.promise
  }

  /** Writes at once. Only for a log that was opened synchronously. */
  appendSync(batch: EventBatch): void {
    const bytes = batch.bytes
    this.appendBytesSync({ source: bytes, from: 0, to: bytes.length, events: batch.size }, batch)
  }

  /**
   * The same for encoded events.
   * @param batch the same events, if they are one already.
   */
  appendBytesSync(bytes: EventBytes, batch?: EventBatch): void {
    if (this.#isShortWay && bytes.events > 0) {
      try {
        if (this.#parts.writer.appendNow(bytes)) {
          this.#groups += 1
          this.#batches += 1
          this.#appended()
          return
        }
      } catch (error) {
        throw this.#failed(error)
      }
    }
    this.#appendSync(batch ?? copyOf(bytes))
  }

  /** After a failure, and when cursors are to be stored, the whole way is taken, which does all that is due. */
  get #isShortWay(): boolean {
    if (!this.#parts.isAsync && !this.#isClosed && !this.#refusal) {
      return !this.#parts.cursors.isDirty
    }
    return false
  }

  #appendSync(batch: EventBatch): void {
    if (this.#parts.isAsync) {
      throw new LogError('MILLRACE_LOG_CLOSED', 'appendSync needs a log opened with openSync')
    }
    const refused = this.#refused(batch)
    if (refused) throw refused
    if (batch.size === 0) return
    const before = this.#state.segments.newest
    try {
      runSync(this.#commit([batch], this.#parts.cursors.isDirty))
    } catch (error) {
      throw this.#failed(error)
    }
    this.#committed(before)
    if (this.#hasWork()) this.#pump()
  }

  /** Stores the cursors soon; `isUrgent`: with the next group, which then does not wait for an append. */
  storeCursors(isUrgent: boolean): void {
    const { cursors, maintenance } = this.#parts
    cursors.changed()
    if (this.#isClosed || this.#fence) return
    if (isUrgent) this.#due.cursors = true
    if (maintenance.canRelease || (this.#refusal && maintenance.canReleaseActive)) {
      this.#due.release = true
    }
    if (this.#hasWork()) this.#pump()
    else this.#later('cursors', this.#state.options.cursorIntervalMs)
  }

  /**
   * Resolves when the cursors as they are now are stored.
   * @throws LogError when the log is closed, or taken over, before they are.
   */
  cursorsStored(): Promise<void> {
    if (this.#fence) return Promise.reject(this.#fence)
    if (this.#isClosed) return Promise.reject(closed())
    return this.#parts.cursors.wait()
  }

  /** After the last checkpoint: whoever still waits for one will have none. */
  abandonCursors(): void {
    this.#parts.cursors.fail(closed())
  }

  /** Takes nothing any more, and resolves when what waits is committed. */
  async close(): Promise<void> {
    this.#isClosed = true
    this.#timers.cancelAll()
    while (this.#pumping) await this.#pumping
    await this.#preparing
  }

  #now(): number {
    return this.#state.options.clock.monotonic()
  }

  #drive<T>(steps: Steps<T>): T | Promise<T> {
    return this.#parts.isAsync ? runAsync(steps) : runSync(steps)
  }

  #refused(batch: EventBatch): MillraceError | undefined {
    if (this.#isClosed) return closed()
    const { maxBatchBytes } = this.#state.options
    if (batch.byteLength > maxBatchBytes) {
      return new LogError(
        'MILLRACE_LOG_TOO_LARGE',
        `A batch of ${batch.byteLength} bytes is more than ${maxBatchBytes}`,
      )
    }
    return this.refusal
  }

  /** Sets something due after a while, unless that is on its way. */
  #later(what: Due, ms: number): void {
    if (this.#timers.has(what) || this.#isClosed || this.#fence) return
    this.#timers.set(what, ms, () => {
      this.#due[what] = true
      this.#pump()
    })
  }

  #hasWork(): boolean {
    const { cursors, sync, checkpoint, release } = this.#due
    return this.#waiting.length > 0 || cursors || sync || checkpoint || release
  }

  #pump(): void {
    if (this.#pumping) return
    this.#pumping = this.#run().finally(() => {
      this.#pumping = undefined
      if (this.#hasWork()) this.#pump()
    })
  }

  async #run(): Promise<void> {
    while (this.#hasWork()) {
      // The turn of the event loop ends first: all that it still brings shares the group.
      await nextTurn()
      if (this.#waiting.length > 0 || this.#due.cursors) await this.#commitNext()
      await this.#maintain()
    }
  }

  async #commitNext(): Promise<void> {
    const group = takeGroup(this.#waiting, this.#parts.writer, this.#state.options.maxGroupBytes)
    if (this.#fence) {
      for (const { done } of group) done.reject(this.#fence)
      this.#due.cursors = false
      return
    }
    const before = this.#state.segments.newest
    const isStoring = this.#due.cursors || (group.length > 0 && this.#parts.cursors.isDirty)
    this.#due.cursors = false
    try {
      const batches = group.map(({ batch }) => batch)
      await this.#drive(this.#commit(batches, isStoring))
    } catch (error) {
      const failure = this.#failed(error)
      for (const { done } of group) done.reject(failure)
      // Where the log can't be written, the checkpoint may: it stores the cursors too.
      this.#due.checkpoint ||= isStoring
      return
    }
    for (const { done } of group) done.resolve()
    this.#committed(before)
  }

  *#commit(batches: readonly EventBatch[], isStoring: boolean): Steps<void> {
    const { cursors, writer } = this.#parts
    let snapshot: CursorSnapshot | undefined
    const take = () => {
      snapshot = cursors.snapshot()
      const ranges = rangesThatFit(this.#state.options.segmentBytes, snapshot.cursors.length)
      return encodeCursors(snapshot.cursors, ranges)
    }
    yield* writer.commit(isStoring ? take() : undefined, batches, take)
    if (snapshot) cursors.stored(snapshot)
    this.#groups += 1
    this.#batches += batches.length
    this.#retryMs = MIN_RETRY_MS
    if (this.#refusal) this.#acceptAgain()
  }

  /** After a group: `before` was the active segment until then. */
  #committed(before: Segment | undefined): void {
    const { maintenance } = this.#parts
    if (this.#state.segments.newest !== before) this.#due.checkpoint = true
    if (maintenance.canRelease) this.#due.release = true
    this.#appended()
  }

  /** After each group, also one that was written at once. */
  #appended(): void {
    const { durability, syncIntervalMs, checkpointIntervalMs } = this.#state.options
    if (durability === 'write') this.#later('sync', syncIntervalMs)
    this.#later('checkpoint', checkpointIntervalMs)
    if (this.#parts.maintenance.wantsSegment) this.#prepare()
    this.#parts.onCommit()
  }

  /** Says from when on appends are tried again, and how the failure is told. */
  #failed(error: unknown): MillraceError {
    if (this.#fence) return this.#fence
    const failure = storageError('The log could not be written', error)
    const { logger, spaceCheckIntervalMs } = this.#state.options
    if (failure.code === 'MILLRACE_LOG_FENCED') return this.#giveUp(failure)
    const isSpace = failure.code === 'MILLRACE_STORAGE_NO_SPACE'
    const waitMs = isSpace ? spaceCheckIntervalMs : this.#retryMs
    if (!isSpace) this.#retryMs = Math.min(MAX_RETRY_MS, this.#retryMs * 2)
    if (!this.#refusal) logger.warn('Appends are refused for now', failure)
    this.#refusal = { error: failure, until: this.#now() + waitMs }
    this.#due.release ||= isSpace
    if (!this.#isClosed) this.#timers.set('accept', waitMs, () => this.#tryAgain())
    return failure
  }

  /** Another process has the log: nothing is written any more, and nobody waits for it in vain. */
  #giveUp(fence: MillraceError): MillraceError {
    this.#fence = fence
    this.#refusal = { error: fence, until: Number.POSITIVE_INFINITY }
    this.#timers.cancelAll()
    this.#parts.cursors.fail(fence)
    this.#state.options.logger.error('The log is given up', fence)
    return fence
  }

  /** A timer may be early by a part of a millisecond: what it says counts, not the time. */
  #tryAgain(): void {
    if (this.#refusal) this.#refusal = { ...this.#refusal, until: 0 }
    this.#parts.onAcceptsAgain()
  }

  #acceptAgain(): void {
    this.#refusal = undefined
    this.#timers.cancel('accept')
    this.#state.options.logger.info('Appends are taken again')
    this.#parts.onAcceptsAgain()
  }

  async #maintain(): Promise<void> {
    const { maintenance, writer } = this.#parts
    const { sync, checkpoint, release } = this.#due
    Object.assign(this.#due, { sync: false, checkpoint: false, release: false })
    if (this.#fence) return
    try {
      if (sync) await this.#drive(writer.sync())
      if (release) await this.#release()
      if (checkpoint && maintenance.isCheckpointDue) await this.#drive(maintenance.checkpoint())
    } catch (error) {
      if (MillraceError.is(error) && error.code === 'MILLRACE_LOG_FENCED') {
        this.#giveUp(error)
        return
      }
      this.#state.options.logger.warn('The checkpoint is not written, and tried again', error)
      this.#later('checkpoint', MAX_RETRY_MS)
    }
  }

  async #release(): Promise<void> {
    const { maintenance } = this.#parts
    let released = await this.#drive(maintenance.release())
    if (this.#refusal && (await this.#drive(maintenance.releaseActive()))) released += 1
    if (released === 0) return
    if (this.#refusal) {
      this.#refusal = { ...this.#refusal, until: 0 }
      this.#parts.onAcceptsAgain()
    }
    this.#prepare()
  }

  /** In the background: commits go on meanwhile. */
  #prepare(): void {
    if (this.#preparing) return
    const { maintenance } = this.#parts
    this.#preparing = (async () => {
      try {
        await this.#drive(maintenance.prepare())
      } catch (error) {
        // Not yet needed: when it is, the failure is told to those who append.
        this.#state.options.logger.debug('No segment could be made ready', error)
      } finally {
        this.#preparing = undefined
      }
    })()
  }
}

function closed(): LogError {
  return new LogError('MILLRACE_LOG_CLOSED', 'The log is closed')
}

function nextTurn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve))
}

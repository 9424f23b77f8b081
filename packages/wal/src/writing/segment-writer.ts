import type { EventBatch } from '@millrace/event'
import { LogError } from '@millrace/runtime'
import type { DiskFile } from '../disk/disk.js'
import { closeFile, runAsync, type Step, type Steps, syncFile, writeFully } from '../disk/steps.js'
import type { Frontier } from '../format/checkpoint.js'
import { cursorAllowance } from '../format/cursors.js'
import { recordBytes } from '../format/record.js'
import {
  encodeSegmentHeader,
  HEADER_BLOCK_BYTES,
  type SegmentHeader,
} from '../format/segment-header.js'
import type { LogState } from '../log-state.js'
import type { CheckpointFile } from '../recovery/checkpoint-file.js'
import { Preallocation } from '../segments/preallocation.js'
import type { ReadyFile } from '../segments/segment-pool.js'
import { Segment } from '../segments/segment.js'
import { copyOf, DirectRecord, type EventBytes } from './direct-record.js'
import { type EncodedGroup, encodeGroup, TERMINATOR_BYTES } from './group-encoder.js'

/**
 * Writes groups of records into the active segment, and begins a new segment when one is full, or when a write
 * or sync to it failed: what may stand there unproven is then behind the end that the new header states.
 */
export class SegmentWriter {
  readonly #state: LogState
  readonly #checkpoint: CheckpointFile
  readonly #isAsync: boolean
  #filling: Preallocation | undefined
  /** Id of the last segment that was begun, also in vain. */
  #lastId: number
  /** The active segment takes no more records. */
  #isSpent: boolean
  /** What is safe of the log. */
  #frontier: Frontier
  #isSynced = true
  /** Of segments that were left before they were synced. */
  readonly #unsynced: DiskFile[] = []
  readonly #direct = new DirectRecord()

  constructor(
    state: LogState,
    checkpoint: CheckpointFile,
    start: {
      readonly lastId: number
      readonly frontier: Frontier
      readonly filledTo: number
      readonly isAsync: boolean
    },
  ) {
    this.#state = state
    this.#checkpoint = checkpoint
    this.#isAsync = start.isAsync
    this.#lastId = start.lastId
    this.#frontier = start.frontier
    const active = state.segments.newest
    this.#isSpent = active?.handle === undefined
    if (active?.handle) this.#startFilling(active, start.filledTo)
  }

  get frontier(): Frontier {
    return this.#frontier
  }

  /** Bytes that the active segment has left; 0 when the next group begins a new one. */
  get room(): number {
    const active = this.#state.segments.newest
    if (!active || this.#isSpent) return 0
    const bytes = Math.min(active.file.bytes, this.#filling?.target ?? active.file.bytes)
    return Math.max(0, bytes - active.end)
  }

  /** Most bytes that the batches of one group take with their headers: those of an empty segment. */
  get largestGroup(): number {
    const { segmentBytes } = this.#state.options
    const cursors = recordBytes(cursorAllowance(segmentBytes))
    return segmentBytes - HEADER_BLOCK_BYTES - cursors - TERMINATOR_BYTES
  }

  /**
   * Writes one group, and syncs it unless the log's durability is `write`. Nothing of it counts when this
   * throws.
   */
  *commit(
    cursors: Buffer | undefined,
    batches: readonly EventBatch[],
    freshCursors: () => Buffer,
  ): Steps<void> {
    let needed = cursors ? recordBytes(cursors.length) : 0
    for (const batch of batches) needed += recordBytes(batch.byteLength)
    if (yield* this.#isRoomFor(needed)) yield* this.#append(cursors, batches)
    else yield* this.#begin(cursors ?? freshCursors(), batches, needed)
  }

  /**
   * Writes one short record at once, as `commit` does with durability `write`, without the detours that a call
   * of a logger would pay for.
   * @returns false when it takes more than that: a new segment, a sync, a long record.
   */
  appendNow(bytes: EventBytes): boolean {
    const { options, recent } = this.#state
    const active = this.#state.segments.newest
    const bodyBytes = bytes.to - bytes.from
    const needed = recordBytes(bodyBytes)
    const { room } = this
    if (!active?.handle || options.durability === 'sync') return false
    if (needed > room || !this.#direct.holds(bodyBytes)) return false
    const nowMs = options.clock.now()
    const id = this.#state.nextRecordId
    const firstSequence = this.#state.nextSequence
    const { seal, end: offset } = active
    const frontier = this.#frontierIn(active)
    const place = { seal, offset, frontier, id, firstSequence, nowMs, room }
    const record = this.#direct.encode(bytes, place)
    // Ids of a failed write are never used again: whatever stays of it is older than all that follows.
    this.#state.nextRecordId = id + 1
    try {
      if (active.handle.writeSync([record], offset) < record.length) {
        throw Object.assign(new Error('ENOSPC: the write was cut short'), { code: 'ENOSPC' })
      }
    } catch (error) {
      this.#giveUp(active)
      throw error
    }
    active.addMark(firstSequence, offset, id - 1)
    if (recent.isKept) recent.add({ firstSequence, batch: copyOf(bytes), appendedAtMs: nowMs })
    active.end = offset + needed
    active.nextSequence = firstSequence + bytes.events
    active.lastAppendedAtMs = nowMs
    this.#state.nextSequence = active.nextSequence
    this.#isSynced = false
    return true
  }

  /** Makes all that was written safe. */
  *sync(): Steps<void> {
    const active = this.#state.segments.newest
    if (this.#isSynced) return
    for (let file = this.#unsynced.shift(); file; file = this.#unsynced.shift()) {
      yield* syncFile(file)
      yield* closeFile(file)
    }
    if (!active?.handle) return
    const { end, nextSequence } = active
    const { nextRecordId } = this.#state
    try {
      yield* syncFile(active.handle)
    } catch (error) {
      this.#giveUp(active)
      throw error
    }
    if (active.end === end) this.#isSynced = true
    this.#frontier = { segmentId: active.id, offset: end, nextSequence, nextRecordId }
  }

  /** The next group begins a new segment. */
  spend(): void {
    this.#isSpent = true
  }

  /** Closes the files. */
  *close(): Steps<void> {
    yield* this.#leave()
    for (const file of this.#unsynced.splice(0)) yield* closeFile(file)
  }

  /** Closes the active segment. */
  *#leave(): Steps<void> {
    const filling = this.#filling
    this.#filling = undefined
    if (filling) yield step(() => filling.stop())
    const handle = this.#state.segments.newest?.detach()
    if (handle) yield* closeFile(handle)
    this.#isSpent = true
  }

  *#isRoomFor(needed: number): Steps<boolean> {
    const filling = this.#filling
    const active = this.#state.segments.newest
    if (filling && active && needed <= this.room) {
      const end = active.end + needed + TERMINATOR_BYTES
      if (end > filling.filledTo) yield step(() => filling.until(Math.min(end, filling.target)))
    }
    return needed <= this.room
  }

  *#append(cursors: Buffer | undefined, batches: readonly EventBatch[]): Steps<void> {
    const active = this.#state.segments.newest as Segment
    const handle = active.handle
    if (!handle) throw new LogError('MILLRACE_LOG_CLOSED', 'The log is closed')
    const group = this.#encode(active, cursors, batches)
    // Ids of a failed write are never used again: whatever stays of it is older than all that follows.
    this.#state.nextRecordId = group.nextRecordId
    try {
      yield* writeFully(handle, group.buffers, active.end)
      if (this.#state.options.durability === 'sync') yield* syncFile(handle)
    } catch (error) {
      this.#giveUp(active)
      throw error
    }
    this.#publish(active, group, batches)
  }

  #encode(
    active: Segment,
    cursors: Buffer | undefined,
    batches: readonly EventBatch[],
  ): EncodedGroup {
    const { nextRecordId, nextSequence, options } = this.#state
    return encodeGroup(
      {
        seal: active.seal,
        offset: active.end,
        frontier: this.#frontierIn(active),
        firstRecordId: nextRecordId,
        firstSequence: nextSequence,
        nowMs: options.clock.now(),
        room: this.room,
      },
      cursors,
      batches,
    )
  }

  /** Up to where a segment is safe. */
  #frontierIn(segment: Segment): number {
    const { segmentId, offset } = this.#frontier
    return segmentId === segment.id ? offset : HEADER_BLOCK_BYTES
  }

  /** Begins a new segment with a group. Everything before it is safe first. */
  *#begin(cursors: Buffer, batches: readonly EventBatch[], needed: number): Steps<void> {
    const previous = this.#state.segments.newest
    // A log that is written synchronously with durability `write` must not stop its process for a sync.
    const isSyncing = this.#isAsync || this.#state.options.durability === 'sync'
    if (isSyncing) yield* this.sync()
    yield* this.checkOwner()
    // From here on a header may exist that says where the previous segment ends: nothing may follow there.
    this.#isSpent = true
    const bytes = HEADER_BLOCK_BYTES + recordBytes(cursors.length) + needed + TERMINATOR_BYTES
    const ready = yield* this.#state.pool.take(bytes)
    const header = this.#header(ready, previous)
    const group = encodeGroup(
      {
        seal: header.seal,
        offset: HEADER_BLOCK_BYTES,
        frontier: HEADER_BLOCK_BYTES,
        firstRecordId: header.firstRecordId,
        firstSequence: header.firstSequence,
        nowMs: header.createdAtMs,
        room: ready.file.bytes - HEADER_BLOCK_BYTES,
      },
      cursors,
      batches,
    )
    this.#state.nextRecordId = group.nextRecordId
    try {
      yield* writeFully(ready.handle, [encodeSegmentHeader(header), ...group.buffers], 0)
      if (isSyncing) yield* syncFile(ready.handle)
    } catch (error) {
      ready.file.isSuspect = true
      this.#state.pool.give(ready.file)
      yield* closeFile(ready.handle)
      throw error
    }
    const segment = new Segment(header, ready.file)
    segment.attach(ready.handle)
    const left = this.#isSynced ? undefined : previous?.detach()
    if (left) this.#unsynced.push(left)
    yield* this.#leave()
    this.#state.segments.push(segment)
    this.#isSpent = false
    this.#publish(segment, group, batches)
    if (isSyncing) this.#setFrontier(segment)
    this.#startFilling(segment, Math.max(ready.filledTo, group.end + TERMINATOR_BYTES))
  }

  #header({ file }: ReadyFile, previous: Segment | undefined): SegmentHeader {
    const { logId, nextRecordId, nextSequence, options } = this.#state
    const salt = options.randomBytes(8)
    this.#lastId += 1
    return {
      logId,
      id: this.#lastId,
      fileNumber: file.number,
      bytes: file.bytes,
      seal: { mark: salt.readUInt32LE(0) || 1, seed: salt.readUInt32LE(4) },
      previousId: previous?.id ?? 0,
      previousEnd: previous?.end ?? 0,
      firstSequence: nextSequence,
      firstRecordId: nextRecordId,
      createdAtMs: options.clock.now(),
    }
  }

  /**
   * Another process may have taken the log over, on a file system where the lock does not reach.
   * @throws LogError `MILLRACE_LOG_FENCED`
   */
  *checkOwner(): Steps<void> {
    if (yield* this.#checkpoint.isOvertaken(this.#state.ownerId)) {
      // The files are the other one's now: not even cursors may be written to the active segment.
      this.#isSpent = true
      throw new LogError(
        'MILLRACE_LOG_FENCED',
        `${this.#state.options.checkpointDirectory}: another process has taken the log over`,
      )
    }
  }

  #publish(segment: Segment, group: EncodedGroup, batches: readonly EventBatch[]): void {
    const { options, recent } = this.#state
    segment.addMark(this.#state.nextSequence, group.start, group.firstRecordId - 1)
    let sequence = this.#state.nextSequence
    const appendedAtMs = options.clock.now()
    for (const batch of batches) {
      recent.add({ firstSequence: sequence, batch, appendedAtMs })
      sequence += batch.size
    }
    segment.end = group.end
    segment.nextSequence = group.nextSequence
    segment.lastAppendedAtMs = appendedAtMs
    this.#state.nextSequence = group.nextSequence
    if (options.durability === 'sync') this.#setFrontier(segment)
    else this.#isSynced = false
  }

  #setFrontier(segment: Segment): void {
    this.#isSynced = true
    this.#frontier = {
      segmentId: segment.id,
      offset: segment.end,
      nextSequence: segment.nextSequence,
      nextRecordId: this.#state.nextRecordId,
    }
  }

  #giveUp(segment: Segment): void {
    segment.file.isSuspect = true
    this.#isSpent = true
  }

  #startFilling(segment: Segment, filledTo: number): void {
    const { handle } = segment
    this.#filling = undefined
    if (!handle || !this.#isAsync || !this.#state.options.preallocate) return
    if (filledTo >= segment.file.bytes) return
    this.#filling = new Preallocation(handle, { from: filledTo, to: segment.file.bytes }, (steps) =>
      runAsync(steps),
    )
    this.#filling.start()
  }
}

/** Something to wait for that only the asynchronous door has. */
function step(wait: () => Promise<void>): Step {
  return { sync: () => {}, async: wait }
}

import type { Steps } from '../disk/steps.js'
import type { Checkpoint } from '../format/checkpoint.js'
import type { Cursor } from '../format/cursors.js'
import type { LogState } from '../log-state.js'
import type { CheckpointFile } from '../recovery/checkpoint-file.js'
import type { CursorStore } from './cursor-store.js'
import type { SegmentWriter } from './segment-writer.js'

/**
 * What is done beside the commits: checkpoints, giving segments free that every consumer is done with, and
 * having the next segment ready.
 */
export class Maintenance {
  readonly #state: LogState
  readonly #writer: SegmentWriter
  readonly #cursors: CursorStore
  readonly #checkpoint: CheckpointFile
  /** Of the checkpoint written last. */
  #checkpointed: { readonly nextRecordId: number; readonly cursors: readonly Cursor[] } | undefined

  constructor(
    state: LogState,
    parts: {
      readonly writer: SegmentWriter
      readonly cursors: CursorStore
      readonly checkpoint: CheckpointFile
    },
  ) {
    this.#state = state
    this.#writer = parts.writer
    this.#cursors = parts.cursors
    this.#checkpoint = parts.checkpoint
  }

  /** Whether something was written or acknowledged since the last checkpoint. */
  get isCheckpointDue(): boolean {
    return this.#cursors.isDirty || this.#checkpointed?.nextRecordId !== this.#state.nextRecordId
  }

  /** Whether every consumer is done with the oldest segment. */
  get canRelease(): boolean {
    return this.#canRelease(this.#lowest())
  }

  /** Whether every consumer is done with everything, and one segment is left. */
  get canReleaseActive(): boolean {
    return this.#state.segments.size === 1 && this.#lowest() >= this.#state.nextSequence
  }

  /** Whether the next segment should be made ready: the active one is half full. */
  get wantsSegment(): boolean {
    const { options, pool, segments } = this.#state
    if (pool.hasSurplus) return true
    const active = segments.newest
    if (!options.preallocate || !active || pool.freeFiles > 0) return false
    return active.end * 2 > active.file.bytes
  }

  /** Stores the frontier and the cursors, safely; they stand for themselves if the log is damaged. */
  *checkpoint(isClosed = false): Steps<void> {
    yield* this.#writer.checkOwner()
    yield* this.#writer.sync()
    const { directoryIds, logId, nextRecordId, ownerId, pool } = this.#state
    const snapshot = this.#cursors.snapshot()
    const checkpoint: Omit<Checkpoint, 'generation'> = {
      logId,
      ownerId,
      isClosed,
      frontier: this.#writer.frontier,
      nextFileNumber: pool.nextFileNumber,
      directoryIds,
      cursorsAsOf: nextRecordId,
      cursors: snapshot.cursors,
    }
    yield* this.#checkpoint.write(checkpoint)
    this.#cursors.stored(snapshot)
    this.#checkpointed = { nextRecordId, cursors: snapshot.cursors }
  }

  /** Gives segments back that every consumer is done with, behind a checkpoint that says so. */
  *release(): Steps<number> {
    if (!this.#canRelease(this.#lowest())) return 0
    yield* this.checkpoint()
    const lowest = this.#lowestOf(this.#checkpointed?.cursors ?? [])
    let released = 0
    while (this.#canRelease(lowest)) {
      const segment = this.#state.segments.shift()
      if (segment) this.#state.pool.give(segment.file)
      released += 1
    }
    return released
  }

  /**
   * Gives the active segment back too, when all of it is done and no other file can be had: on a full disk
   * its room is the only one.
   */
  *releaseActive(): Steps<boolean> {
    const { segments, pool } = this.#state
    const active = segments.newest
    if (!active || !this.canReleaseActive) return false
    this.#writer.spend()
    yield* this.checkpoint()
    yield* this.#writer.close()
    segments.shift()
    pool.give({ ...active.file, isSuspect: false })
    return true
  }

  /** Removes files of no use, and has one ready for the next segment if it is wanted. */
  *prepare(): Steps<void> {
    const { pool } = this.#state
    if (pool.hasSurplus) yield* pool.trim()
    if (this.wantsSegment) yield* pool.prepare()
  }

  #lowest(): number {
    let lowest = Number.POSITIVE_INFINITY
    for (const consumer of this.#state.consumers.values()) {
      lowest = Math.min(lowest, consumer.sequence)
    }
    return lowest
  }

  #lowestOf(cursors: readonly Cursor[]): number {
    return Math.min(...cursors.map(({ sequence }) => sequence))
  }

  #canRelease(lowest: number): boolean {
    const { segments } = this.#state
    const { oldest } = segments
    if (!oldest || oldest === segments.newest || oldest.nextSequence > lowest) return false
    return !this.#isRetained(lowest)
  }

  #isRetained(lowest: number): boolean {
    const { options, segments } = this.#state
    const { retention, clock } = options
    const oldest = segments.oldest
    if (!oldest || (retention.ms === undefined && retention.bytes === undefined)) return false
    if (retention.ms !== undefined && clock.now() - oldest.lastAppendedAtMs > retention.ms) {
      return false
    }
    if (retention.bytes === undefined) return true
    let bytes = 0
    for (const segment of segments) {
      if (segment === segments.newest || segment.nextSequence > lowest) break
      bytes += segment.file.bytes
    }
    return bytes <= retention.bytes
  }
}

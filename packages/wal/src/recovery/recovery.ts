/** What a log consists of, found out from its files. See `docs/formats/wal.md`, "Recovery". */
import type { Disk, DiskFile } from '../disk/disk.js'
import { closeFile, openFile, readFully, type Steps, syncFile, writeFully } from '../disk/steps.js'
import type { Checkpoint } from '../format/checkpoint.js'
import type { Cursor } from '../format/cursors.js'
import { RECORD_HEADER_BYTES } from '../format/record.js'
import {
  encodeSegmentHeader,
  HEADER_BLOCK_BYTES,
  type SegmentHeader,
} from '../format/segment-header.js'
import type { CheckedLogOptions } from '../options.js'
import type { Segment, SegmentFile } from '../segments/segment.js'
import { type Chain, chainOf } from './chain.js'
import type { Finding } from './finding.js'
import { Quarantine } from './quarantine.js'
import { type FoundFile, isNamedAsWritten, sortSegmentFiles } from './segment-files.js'
import { MIN_EVENT_BYTES, scanTail, type Tail } from './tail-scan.js'

/** So many segments from the end are searched for cursors. */
const CURSOR_SEGMENTS = 3
/** So much of a file is looked at to see whether it was ever written to, in bytes. */
const PROBE_BYTES = 64 * 1024
/** Read and written at once, in bytes. */
const COPY_BYTES = 1024 ** 2

/** Of a log that has none: it is new, or lost its checkpoint. */
const NO_CHECKPOINT: Pick<Checkpoint, 'frontier' | 'nextFileNumber'> = {
  frontier: { segmentId: 0, offset: 0, nextSequence: 1, nextRecordId: 1 },
  nextFileNumber: 1,
}

export interface RecoveredLog {
  /** Oldest first; the last one has an open file if it can be continued. */
  readonly segments: readonly Segment[]
  /** Files for further segments, and files of no use. */
  readonly free: readonly SegmentFile[]
  readonly cursors: readonly Cursor[]
  readonly nextSequence: number
  readonly nextRecordId: number
  readonly nextFileNumber: number
  /** Highest id of a segment that was ever begun. */
  readonly lastId: number
  /** Length of the last segment's file in bytes. */
  readonly lastSize: number
}

export class Recovery {
  readonly #disk: Disk
  readonly #options: CheckedLogOptions
  readonly #findings: Finding[]
  readonly #checkpoint: Checkpoint | undefined
  readonly #chain: Chain
  readonly #files: ReturnType<typeof sortSegmentFiles>

  constructor(
    disk: Disk,
    options: CheckedLogOptions,
    known: {
      readonly logId: string
      readonly checkpoint: Checkpoint | undefined
      readonly files: readonly FoundFile[]
      readonly findings: Finding[]
    },
  ) {
    this.#disk = disk
    this.#options = options
    this.#findings = known.findings
    this.#checkpoint = known.checkpoint
    this.#files = sortSegmentFiles(known.files, known.logId, known.findings)
    this.#chain = chainOf(this.#files.segments)
  }

  /** `isReadOnly`: nothing is cut, moved or opened for writing; the same is found. */
  *run(isReadOnly = false): Steps<RecoveredLog> {
    const { frontier, nextFileNumber } = this.#checkpoint ?? NO_CHECKPOINT
    const last = this.#chain.segments.at(-1)
    if (!isReadOnly) yield* this.#syncLeft()
    const tail = last && (yield* this.#recoverTail(last, isReadOnly))
    const { nextSequence: found, nextRecordId } = tail ?? frontier
    const cursors = yield* this.#recoverCursors(tail)
    const ends = cursors.map(({ sequence, doneAbove }) => doneAbove.at(-1)?.[1] ?? sequence)
    const nextSequence = Math.max(found, frontier.nextSequence, ...ends)
    if (last) last.nextSequence = nextSequence
    const lowest = Math.min(...cursors.map(({ sequence }) => sequence))
    // Where all is done nothing is lost: the file may have been on its way to its next use.
    if (last && tail && lowest < nextSequence) this.#reportDamages(last, tail)
    this.#reportMissingEnd()
    const hasHole = this.#hasHole(lowest, found < nextSequence)
    const free = yield* this.#divide(hasHole, isReadOnly)
    const segments = this.#undone(lowest, free)
    const ids = this.#files.segments.map(({ header }) => header.id)
    return {
      segments,
      free,
      cursors,
      nextSequence,
      nextRecordId: Math.max(nextRecordId, frontier.nextRecordId),
      nextFileNumber: Math.max(this.#files.highestNumber + 1, nextFileNumber),
      lastId: Math.max(frontier.segmentId, ...ids),
      lastSize: this.#chain.lastSize,
    }
  }

  /** Segments before the last one that the checkpoint does not know to be safe: they may be in memory only. */
  *#syncLeft(): Steps<void> {
    const safeId = this.#checkpoint?.frontier.segmentId ?? 0
    for (const segment of this.#chain.segments.slice(0, -1)) {
      if (segment.id < safeId) continue
      const file = yield* openFile(this.#disk, segment.file.path, 'write')
      try {
        yield* syncFile(file)
      } finally {
        yield* closeFile(file)
      }
    }
  }

  *#recoverTail(last: Segment, isReadOnly: boolean): Steps<Tail> {
    const frontier = this.#checkpoint?.frontier
    const witness = frontier?.segmentId === last.id ? frontier : undefined
    const isClosed = this.#checkpoint?.isClosed ?? false
    const file = yield* openFile(this.#disk, last.file.path, isReadOnly ? 'read' : 'write')
    try {
      const tail = yield* scanTail(file, last.header, { frontier: witness, isClosed })
      last.end = tail.end
      last.nextSequence = tail.nextSequence
      last.lastAppendedAtMs = tail.lastAppendedAtMs
      for (const { sequence, at, lastId } of tail.marks) last.addMark(sequence, at, lastId)
      const isCut = yield* this.#cut(last, tail, isReadOnly ? undefined : file)
      if (!isReadOnly) yield* makeSafe(file, last.header, tail)
      if (isCut && !isReadOnly) last.attach(file)
      else yield* closeFile(file)
      return tail
    } catch (error) {
      file.closeSync()
      throw error
    }
  }

  #reportDamages(last: Segment, { damages }: Tail): void {
    if (damages === 0) return
    this.#findings.push({
      kind: 'damage',
      path: last.file.path,
      message: `${damages} damaged ${damages === 1 ? 'place' : 'places'} below the durable frontier; the events lost there are counted when they are read`,
    })
  }

  /**
   * Copies what is cut, and makes sure that nothing in it is ever taken for a record again. Gives false when no
   * copy could be made: then it stays where it is, and the log goes on in another segment.
   */
  *#cut(last: Segment, { cut, end }: Tail, file: DiskFile | undefined): Steps<boolean> {
    if (!cut) return true
    const { from, to, atMostEvents } = cut
    const copy = file ? yield* this.#copyTail(last, { from, to }) : undefined
    if (file && copy !== undefined) {
      const zeroes = Buffer.alloc(RECORD_HEADER_BYTES)
      for (const offset of new Set([end, ...cut.headers])) {
        yield* writeFully(file, [zeroes], offset)
      }
    }
    this.#findings.push({
      kind: 'cut-tail',
      path: last.file.path,
      atMostEvents,
      bytes: { from, to },
      ...(copy === undefined ? {} : { copy }),
      message:
        `${file ? 'Cut' : 'To be cut'} at byte ${from}: the ${to - from} bytes behind it were never acknowledged, or are damaged: ` +
        `at most ${atMostEvents} events${copy === undefined ? '' : `; a copy is in ${copy}`}`,
    })
    return copy !== undefined
  }

  *#copyTail(
    last: Segment,
    range: { readonly from: number; readonly to: number },
  ): Steps<string | undefined> {
    try {
      return yield* new Quarantine(this.#disk, this.#options).keep(last, range, 'tail')
    } catch (error) {
      this.#options.logger.warn(`${last.file.path}: no copy of its end could be made`, error)
      return undefined
    }
  }

  /** The youngest cursors: of the log's last segments, or of the checkpoint. */
  *#recoverCursors(tail: Tail | undefined): Steps<Cursor[]> {
    const { consumers, checkpointDirectory } = this.#options
    const checkpoint = this.#checkpoint
    let inLog = tail?.cursors
    const segments = this.#chain.segments
    for (let back = 2; !inLog && back <= CURSOR_SEGMENTS; back += 1) {
      const segment = segments.at(-back)
      if (segment) inLog = yield* this.#cursorsIn(segment)
    }
    const isCheckpointYounger = checkpoint && checkpoint.cursorsAsOf > (inLog?.recordId ?? -1)
    const known = isCheckpointYounger ? checkpoint.cursors : (inLog?.cursors ?? [])
    if (!checkpoint && segments.length > 0) {
      this.#findings.push({
        kind: 'checkpoint',
        path: checkpointDirectory,
        message: 'There is no valid checkpoint; an opening makes it anew from the log',
      })
    }
    const oldest = segments[0]?.firstSequence ?? 1
    // Whoever only looks asks for all that there are.
    const names = consumers.length > 0 ? consumers : known.map(({ consumer }) => consumer)
    return names.map((consumer) => {
      const cursor = known.find((each) => each.consumer === consumer)
      if (cursor) return cursor
      if (segments.length > 0) {
        this.#findings.push({
          kind: 'cursor',
          path: checkpointDirectory,
          message: `Consumer ${consumer} has no position; it begins at the oldest event, ${oldest}`,
        })
      }
      return { consumer, sequence: oldest, doneAbove: [] }
    })
  }

  *#cursorsIn(segment: Segment): Steps<Tail['cursors']> {
    const file = yield* openFile(this.#disk, segment.file.path, 'read')
    try {
      const tail = yield* scanTail(file, segment.header, { frontier: undefined, isClosed: false })
      return tail.cursors
    } finally {
      yield* closeFile(file)
    }
  }

  /** The segments that are kept. Those that all are done with are free, unless they are to be retained. */
  #undone(lowest: number, free: SegmentFile[]): readonly Segment[] {
    const { segments } = this.#chain
    const { retention } = this.#options
    if (retention.ms !== undefined || retention.bytes !== undefined) return segments
    const first = segments.findIndex(({ nextSequence }) => nextSequence > lowest)
    const kept = first < 0 ? segments.length - 1 : Math.min(first, segments.length - 1)
    for (const { file } of segments.slice(0, Math.max(0, kept))) free.push(file)
    return segments.slice(Math.max(0, kept))
  }

  /** Of a log that was not closed nobody knows how much its last segment held, when that is missing. */
  #reportMissingEnd(): void {
    const checkpoint = this.#checkpoint
    const last = this.#chain.segments.at(-1)
    if (!checkpoint || checkpoint.isClosed || checkpoint.frontier.segmentId <= (last?.id ?? 0))
      return
    this.#findings.push({
      kind: 'missing',
      path: this.#options.checkpointDirectory,
      message:
        'The segment that was written last is missing: what was appended to it after the last checkpoint is not ' +
        'counted among the lost events',
      atMostEvents: Math.ceil(this.#options.segmentBytes / MIN_EVENT_BYTES),
    })
  }

  /** Whether events that are not done lie in no segment. */
  #hasHole(lowest: number, isEndMissing: boolean): boolean {
    const oldest = this.#chain.segments[0]?.firstSequence
    const isStartMissing = oldest !== undefined && oldest > lowest
    return this.#chain.hasHole || isStartMissing || isEndMissing
  }

  /**
   * Files that hold no segment of the log. Without a hole they are free or of no use; with one, a file whose
   * header can't be read may hold what is missing, and is set aside.
   */
  *#divide(hasHole: boolean, isReadOnly: boolean): Steps<SegmentFile[]> {
    const free: SegmentFile[] = []
    const kept = new Set(this.#chain.segments.map(({ file }) => file.path))
    for (const each of this.#files.segments) {
      const { file, header, size } = each
      if (kept.has(file.path)) {
        if (!isNamedAsWritten(each)) this.#reportRenamed(file, header.id)
      } else if (isNamedAsWritten(each)) free.push({ ...file, bytes: size })
      else {
        const message = 'Not part of the log any more; left alone'
        this.#findings.push({ kind: 'foreign', path: file.path, message })
      }
    }
    for (const each of this.#files.headless) {
      if (hasHole && (yield* this.#isWrittenTo(each))) yield* this.#setAside(each, isReadOnly)
      else {
        this.#reportHeadless(each)
        free.push({ ...each.file, bytes: each.size })
      }
    }
    return free
  }

  #reportRenamed(file: SegmentFile, id: number): void {
    const message = `Holds segment ${id} under another name than it was written; used where it is`
    this.#findings.push({ kind: 'renamed', path: file.path, message })
  }

  #reportHeadless({ file, isBlank, size }: FoundFile): void {
    const { path } = file
    if (!isBlank) {
      const message = 'Its header can’t be read and no segment is missing; used again'
      this.#findings.push({ kind: 'unreadable', path, message })
    } else if (size !== this.#options.segmentBytes) {
      this.#findings.push({
        kind: 'unfinished',
        path,
        message: 'Not finished; an opening removes it',
      })
    }
  }

  *#isWrittenTo({ file, isBlank }: FoundFile): Steps<boolean> {
    if (!isBlank) return true
    const handle = yield* openFile(this.#disk, file.path, 'read')
    try {
      const bytes = Buffer.alloc(PROBE_BYTES)
      const count = yield* readFully(handle, bytes, HEADER_BLOCK_BYTES)
      return bytes.subarray(0, count).some((byte) => byte !== 0)
    } finally {
      yield* closeFile(handle)
    }
  }

  *#setAside({ file }: FoundFile, isReadOnly: boolean): Steps<void> {
    const name = `${file.number}.unreadable`
    const path = isReadOnly
      ? file.path
      : yield* new Quarantine(this.#disk, this.#options).setAside(file, name)
    this.#findings.push({
      kind: 'unreadable',
      path,
      message: 'Its header can’t be read and a segment is missing; set aside',
    })
  }
}

/**
 * What is read from here on is safe: after the end of the process it may be in memory only. It is written once
 * more: the process may have ended after a sync that failed, which a system may take for done.
 */
function* makeSafe(file: DiskFile, header: SegmentHeader, { end, frontier }: Tail): Steps<void> {
  // Nothing of a segment is proven before its second group, its header neither.
  if (frontier <= HEADER_BLOCK_BYTES) yield* writeFully(file, [encodeSegmentHeader(header)], 0)
  let at = Math.max(frontier, HEADER_BLOCK_BYTES)
  while (at < end) {
    const chunk = Buffer.allocUnsafe(Math.min(COPY_BYTES, end - at))
    const count = yield* readFully(file, chunk, at)
    if (count === 0) break
    yield* writeFully(file, [chunk.subarray(0, count)], at)
    at += count
  }
  yield* syncFile(file)
}

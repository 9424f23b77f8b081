import type { DiskFile } from '../disk/disk.js'
import type { Seal } from '../format/record.js'
import { HEADER_BLOCK_BYTES, type SegmentHeader } from '../format/segment-header.js'

/** A file that holds, held or will hold a segment. */
export interface SegmentFile {
  readonly path: string
  /** Index of its data directory. */
  readonly directory: number
  readonly number: number
  /** Length in bytes that records may use. */
  bytes: number
  /** Whether writing to it failed once: it is given up when its segment is done. */
  isSuspect: boolean
}

/** Where a reader can begin in the middle of a segment. */
export interface Mark {
  /** Sequence of the first event at or behind the place. */
  readonly sequence: number
  /** Position of a record in bytes. */
  readonly at: number
  /** Records there are younger than this one. */
  readonly lastId: number
}

/** Marks lie so many bytes apart, at least. */
const MARK_DISTANCE_BYTES = 1024 ** 2

/** A part of the log: the records of one use of a file. */
export class Segment {
  readonly header: SegmentHeader
  readonly file: SegmentFile
  /** Behind the last record: of the active segment its durable frontier. Consumers do not read beyond it. */
  end: number
  /** Bytes of records in all segments before it, from some start on. */
  bytesBefore = 0
  /** Whether `end` is where the records end, and not merely the end of the file. */
  isEndKnown = true
  /** Sequence of the first event behind this segment. */
  nextSequence: number
  /** When its last record was appended, in epoch milliseconds. */
  lastAppendedAtMs: number
  readonly #marks: Mark[] = []
  /** Open as long as it is written to. */
  #handle: DiskFile | undefined

  constructor(header: SegmentHeader, file: SegmentFile) {
    this.header = header
    this.file = file
    this.end = HEADER_BLOCK_BYTES
    this.nextSequence = header.firstSequence
    this.lastAppendedAtMs = header.createdAtMs
  }

  get id(): number {
    return this.header.id
  }

  get seal(): Seal {
    return this.header.seal
  }

  get firstSequence(): number {
    return this.header.firstSequence
  }

  /** Bytes of records. */
  get recordBytes(): number {
    return this.end - HEADER_BLOCK_BYTES
  }

  /** Notes where a record begins, if the last mark is far enough away. */
  addMark(sequence: number, at: number, lastId: number): void {
    const last = this.#marks[this.#marks.length - 1]
    if (at - (last?.at ?? HEADER_BLOCK_BYTES) < MARK_DISTANCE_BYTES) return
    this.#marks.push({ sequence, at, lastId })
  }

  /** The last known place at or before the event `sequence`; undefined for the start of the segment. */
  markBefore(sequence: number): Mark | undefined {
    return this.#marks.findLast((mark) => mark.sequence <= sequence)
  }

  get handle(): DiskFile | undefined {
    return this.#handle
  }

  /** Gives the segment an open file, which it owns from here on. */
  attach(handle: DiskFile): void {
    this.#handle = handle
  }

  /** Takes the open file away, to close it or to use it again. */
  detach(): DiskFile | undefined {
    const handle = this.#handle
    this.#handle = undefined
    return handle
  }
}

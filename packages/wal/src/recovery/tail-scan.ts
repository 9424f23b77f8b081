/** Finds the end of a log in its last segment. See `docs/formats/wal.md`, "Recovery". */
import type { DiskFile } from '../disk/disk.js'
import { sizeOf, type Steps } from '../disk/steps.js'
import { type Cursor, decodeCursors } from '../format/cursors.js'
import type { Frontier } from '../format/checkpoint.js'
import { RECORD_CURSORS, RECORD_HEADER_BYTES, type RecordHeader } from '../format/record.js'
import { HEADER_BLOCK_BYTES, type SegmentHeader } from '../format/segment-header.js'
import { RecordScanner, type Scanned } from '../reading/record-scanner.js'
import type { Mark } from '../segments/segment.js'

/** What stands before a place of the log. */
export interface Position {
  /** Behind the last record, in bytes. */
  readonly end: number
  readonly nextSequence: number
  readonly lastAppendedAtMs: number
  /** The youngest cursors, and the id of their record. */
  readonly cursors: { readonly recordId: number; readonly cursors: readonly Cursor[] } | undefined
}

export interface Tail extends Position {
  /** Up to here everything was safe for certain, in bytes. */
  readonly frontier: number
  /** Above the id of every record that was found, valid or not. */
  readonly nextRecordId: number
  /** What was cut off: it was never acknowledged, or is damaged. */
  readonly cut: Cut | undefined
  /** Places below the durable frontier that hold no valid record. */
  readonly damages: number
  readonly marks: readonly Mark[]
}

export interface Cut {
  readonly from: number
  readonly to: number
  /** Number of events that may have been in it. */
  readonly atMostEvents: number
  /** Positions of headers that would be valid again, were they left. */
  readonly headers: readonly number[]
}

type Damage = Extract<Scanned, { kind: 'damage' }> & { readonly before: Position }

const NOTHING_KNOWN: Frontier = { segmentId: 0, offset: 0, nextSequence: 0, nextRecordId: 0 }
/** The shortest event in bytes: no header, no body. */
export const MIN_EVENT_BYTES = 2
/** Most bytes of a copy of what is cut off: more is never on its way at a time. */
const MAX_CUT_BYTES = 8 * 1024 ** 2
const READ_BYTES = 1024 ** 2

/** What the checkpoint knows about the segment. */
export interface Witness {
  /** The frontier, if it lies in this segment. */
  readonly frontier: Frontier | undefined
  /** The log was closed then: nothing was written behind the frontier. */
  readonly isClosed: boolean
}

/** Scans a segment from its start. */
export function* scanTail(file: DiskFile, header: SegmentHeader, witness: Witness): Steps<Tail> {
  const size = yield* sizeOf(file)
  const scan = new TailScan(file, header, witness)
  yield* scan.run(size)
  return yield* scan.finish(size)
}

class TailScan {
  readonly #scanner: RecordScanner
  #position: Position
  #frontier: number
  /** Damages not yet known to lie below the frontier. */
  #open: Damage[] = []
  /** Valid records behind the first of them. */
  #behind: RecordHeader[] = []
  #damages = 0
  readonly #marks: Mark[] = []
  readonly #known: Frontier
  readonly #isClosed: boolean
  /** Length that the segment was made with; its file may be shorter. */
  readonly #segmentBytes: number

  constructor(file: DiskFile, header: SegmentHeader, { frontier, isClosed }: Witness) {
    this.#known = frontier ?? NOTHING_KNOWN
    this.#isClosed = isClosed && frontier !== undefined
    this.#segmentBytes = header.bytes
    this.#scanner = new RecordScanner(file, header.seal, {
      at: HEADER_BLOCK_BYTES,
      lastId: header.firstRecordId - 1,
    })
    this.#scanner.takesUnreadableAsDamage = true
    this.#frontier = frontier?.offset ?? HEADER_BLOCK_BYTES
    this.#position = {
      end: HEADER_BLOCK_BYTES,
      nextSequence: header.firstSequence,
      lastAppendedAtMs: header.createdAtMs,
      cursors: undefined,
    }
  }

  *run(size: number): Steps<void> {
    for (;;) {
      const lastId = this.#scanner.lastId
      const scanned = yield* this.#scanner.next(size)
      if (!scanned) return
      if (scanned.kind === 'damage') this.#open.push({ ...scanned, before: this.#position })
      else this.#add(scanned, lastId)
    }
  }

  *finish(size: number): Steps<Tail> {
    const known = this.#known
    this.#noteShortFile(size)
    yield* this.#judgeRest(size)
    const cutAt = this.#open.find(({ from }) => from >= this.#frontier)
    this.#damages += this.#open.filter(({ from }) => from < this.#frontier).length
    const found = cutAt?.before ?? this.#position
    if (found.end < known.offset && this.#damages === 0) this.#damages = 1
    return {
      ...found,
      end: Math.max(found.end, known.offset),
      frontier: this.#frontier,
      nextSequence: Math.max(found.nextSequence, known.nextSequence),
      nextRecordId: Math.max(this.#scanner.lastId + 1, known.nextRecordId),
      cut: cutAt && (yield* this.#cut(cutAt, size)),
      damages: this.#damages,
      marks: this.#marks,
    }
  }

  /** A file that ends right behind a record, before the zeroes that follow each group, was cut short. */
  #noteShortFile(size: number): void {
    const { end } = this.#position
    if (this.#open.at(-1)?.to === size || end < this.#frontier) return
    if (size - end >= this.#terminatorBytes(end)) return
    this.#open.push({ kind: 'damage', from: end, to: size, before: this.#position })
  }

  /** What follows the last record is loss below the frontier, and behind it as it should be, or torn. */
  *#judgeRest(size: number): Steps<void> {
    const rest = this.#open.at(-1)
    if (!rest || rest.to < size || rest.header) return
    if (rest.from >= this.#frontier && !(yield* this.#isClean(rest))) return
    this.#open.pop()
    if (rest.from < this.#frontier) this.#damages += 1
  }

  #add({ header, body }: Extract<Scanned, { kind: 'record' }>, lastId: number): void {
    if (header.frontier > this.#frontier) this.#raise(header.frontier)
    if (this.#open.length > 0) this.#behind.push(header)
    const isCursors = header.type === RECORD_CURSORS
    this.#position = {
      end: this.#scanner.position,
      nextSequence: header.firstSequence + header.events,
      lastAppendedAtMs: header.appendedAtMs,
      cursors: isCursors
        ? { recordId: header.id, cursors: decodeCursors(body) }
        : this.#position.cursors,
    }
    const mark = this.#marks.at(-1)
    if (header.offset - (mark?.at ?? 0) >= READ_BYTES) {
      this.#marks.push({ sequence: header.firstSequence, at: header.offset, lastId })
    }
  }

  /** All damage below the frontier is loss, and what is valid behind it belongs to the log. */
  #raise(frontier: number): void {
    this.#frontier = frontier
    const before = this.#open.length
    this.#open = this.#open.filter(({ from }) => from >= frontier)
    this.#damages += before - this.#open.length
    const first = this.#open[0]
    this.#behind = first ? this.#behind.filter(({ offset }) => offset > first.from) : []
  }

  /** Behind each group stand zeroes, where the segment has room for them; behind a closed log stands nothing. */
  *#isClean({ from }: Damage): Steps<boolean> {
    if (this.#isClosed) return true
    const length = this.#terminatorBytes(from)
    const bytes = yield* this.#scanner.bytes(from, length)
    return bytes.length === length && bytes.every((byte) => byte === 0)
  }

  #terminatorBytes(end: number): number {
    return Math.max(0, Math.min(RECORD_HEADER_BYTES, this.#segmentBytes - end))
  }

  *#cut(first: Damage, size: number): Steps<Cut> {
    const { from, before } = first
    const damages = this.#open.filter((damage) => damage.from >= from)
    const headers = this.#behind.filter(({ offset }) => offset > from)
    for (const { header } of damages) if (header) headers.push(header)
    const isUnknown = damages.some(({ header, to }) => !header && to === size)
    const lastByte = isUnknown
      ? yield* this.#lastByte(from, Math.min(size, from + MAX_CUT_BYTES))
      : Math.max(...headers.map(({ offset, bodyBytes }) => offset + bodyBytes)) +
        RECORD_HEADER_BYTES
    const to = Math.max(from + 1, lastByte)
    const offsets = headers.map(({ offset }) => offset)
    // Damage can have turned any number of records into zeroes: only the segment's length bounds it.
    const byBytes = Math.ceil(Math.max(0, this.#segmentBytes - from) / MIN_EVENT_BYTES)
    const known = headers.map((each) => each.firstSequence + each.events - before.nextSequence)
    return { from, to, atMostEvents: Math.max(byBytes, ...known), headers: offsets }
  }

  /** Position behind the last byte of [from, to) that is not zero. */
  *#lastByte(from: number, to: number): Steps<number> {
    let last = from
    for (let at = from; at < to; at += READ_BYTES) {
      const chunk = yield* this.#scanner.bytes(at, Math.min(READ_BYTES, to - at))
      for (let i = chunk.length - 1; i >= 0; i -= 1) {
        if (chunk[i] === 0) continue
        last = at + i + 1
        break
      }
    }
    return last
  }
}

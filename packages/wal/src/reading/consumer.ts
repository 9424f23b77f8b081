import { EventBatch } from '@millrace/event'
import { LogError } from '@millrace/runtime'
import type { Cursor } from '../format/cursors.js'
import { HEADER_BLOCK_BYTES } from '../format/segment-header.js'
import type { Disk, DiskFile } from '../disk/disk.js'
import { openFile, runAsync } from '../disk/steps.js'
import { RECORD_EVENTS } from '../format/record.js'
import type { Segment } from '../segments/segment.js'
import type { SegmentTable } from '../segments/segment-table.js'
import { storageError } from '../segments/storage-error.js'
import { DoneEvents } from './done-events.js'
import type { ReadBatch, RecentBatches } from './recent-batches.js'
import { RecordScanner, type Scanned } from './record-scanner.js'

/** After so many failures to read one place, in a row, what can't be read there counts as damaged. */
const READ_ATTEMPTS = 5

/** What a consumer needs of its log. */
export interface ConsumerLog {
  readonly disk: Disk
  readonly segments: SegmentTable
  readonly recent: RecentBatches
  /** Sequence behind the last event that may be read. */
  readonly readableEnd: number
  readonly maxRepeatedEvents: number
  /** Asks for the cursors to be stored soon; `now` means with the next group. */
  storeCursors(now: boolean): void
  /** Resolves when the cursors as they are now are stored. */
  cursorsStored(): Promise<void>
  /** A consumer has read on: what all have read need not stay in memory. */
  hasRead(): void
  /** Damaged bytes were found. */
  damaged(segment: Segment, damage: Extract<Scanned, { kind: 'damage' }>): Promise<void>
  /** Events [from, to) are lost. */
  lost(consumer: string, from: number, to: number): void
}

interface Place {
  readonly segment: Segment
  readonly handle: DiskFile
  readonly scanner: RecordScanner
}

/**
 * One reader of a log with a place of its own. It gets the events in their order, once per opening, and
 * acknowledges them in any order; what it has not acknowledged it gets again after the log was reopened.
 */
export class Consumer {
  readonly name: string
  readonly #log: ConsumerLog
  readonly #done: DoneEvents
  /** Sequence of the event that is read next. */
  #next: number
  #place: Place | undefined
  #isPlaceBehind = false
  /** Settles when the read that is under way does. */
  #reading: Promise<unknown> | undefined
  #isClosed = false
  #failures = 0
  /** Events that are acknowledged and whose acknowledgement is not stored. */
  #unstored = 0
  /** Called after something new can be read. */
  onReadable: (() => void) | undefined

  constructor(name: string, cursor: Cursor, log: ConsumerLog) {
    this.name = name
    this.#log = log
    this.#done = new DoneEvents(cursor.sequence, cursor.doneAbove)
    this.#next = this.#done.sequence
  }

  /** What is not acknowledged: events exactly, bytes of the log nearly. */
  get backlog(): { readonly events: number; readonly bytes: number } {
    const { sequence, eventsAbove } = this.#done
    const events = Math.max(0, this.#log.readableEnd - sequence - eventsAbove)
    return { events, bytes: this.#log.segments.bytesFrom(sequence) }
  }

  /** All before it is acknowledged. */
  get sequence(): number {
    return this.#done.sequence
  }

  /** Sequence of the event that is read next. */
  get nextSequence(): number {
    return this.#next
  }

  cursor(): Cursor {
    return this.#done.cursor(this.name)
  }

  /** Number of acknowledged events that a crash would hand out again. */
  get unstoredEvents(): number {
    return this.#unstored
  }

  /** The acknowledgements of `events` events are stored now. */
  stored(events: number): void {
    this.#unstored -= events
  }

  /**
   * The next batches, as many as `maxBytes` allows but at least one; none when everything that is safe was
   * read. Damaged records are stepped over, counted and reported. Only one call may be under way.
   * @throws StorageError when the disk can't be read; a later call tries again.
   * @throws LogError `MILLRACE_LOG_CLOSED`
   */
  async read({ maxBytes }: { readonly maxBytes: number }): Promise<ReadBatch[]> {
    if (this.#isClosed) throw new LogError('MILLRACE_LOG_CLOSED', 'The log is closed')
    if (this.#reading) throw new Error(`Consumer ${this.name} is reading already`)
    const reading = this.#read(maxBytes)
    this.#reading = reading
    try {
      return await reading
    } finally {
      this.#reading = undefined
    }
  }

  /**
   * The events [from, to) are done: they will not be handed out again once that is stored, which the next
   * group does. Ranges may come in any order.
   * @returns a promise when more than `maxRepeatedEvents` acknowledgements are not stored: they are then.
   */
  acknowledge(from: number, to: number): Promise<void> | undefined {
    const added = this.#done.add(from, to)
    if (added === 0) return undefined
    this.#unstored += added
    const isOver = this.#unstored > this.#log.maxRepeatedEvents
    this.#log.storeCursors(isOver)
    return isOver ? this.#log.cursorsStored() : undefined
  }

  /**
   * Goes on reading at the event `sequence`, if that lies ahead: its owner has those before it already, or has
   * given them up. Not while a read is under way.
   */
  skipTo(sequence: number): void {
    if (this.#reading) throw new Error(`Consumer ${this.name} is reading`)
    if (sequence <= this.#next) return
    this.#next = sequence
    // What is skipped may be acknowledged, and its file used again, while the place still lies before it.
    this.#isPlaceBehind = this.#place !== undefined
  }

  /** Closes what is open, behind a read that is under way. */
  async close(): Promise<void> {
    this.#isClosed = true
    await this.#reading?.catch(() => {})
    await this.#leavePlace()
  }

  async #read(maxBytes: number): Promise<ReadBatch[]> {
    let batches: ReadBatch[] = []
    if (this.#isPlaceBehind) {
      this.#isPlaceBehind = false
      await this.#leavePlace()
    }
    // All that was read may be done already: then there is more to read, or nothing.
    while (batches.length === 0 && this.#next < this.#log.readableEnd) {
      const recent = this.#fromMemory(maxBytes)
      // What comes from memory lies behind the place on the disk, which is then of no use any more.
      if (recent && this.#place) await this.#leavePlace()
      batches = recent ?? (await this.#fromDisk(maxBytes))
    }
    return batches
  }

  #fromMemory(maxBytes: number): ReadBatch[] | undefined {
    const recent = this.#log.recent.from(this.#next, maxBytes)
    const last = recent?.at(-1)
    if (!recent || !last) return undefined
    this.#next = last.firstSequence + last.batch.size
    this.#log.hasRead()
    return this.#withoutDone(recent)
  }

  async #fromDisk(maxBytes: number): Promise<ReadBatch[]> {
    const found: ReadBatch[] = []
    try {
      await this.#readRecords(maxBytes, found)
      this.#failures = 0
    } catch (error) {
      this.#failures += 1
      // What was read before is given now; the next call meets the failure again.
      if (found.length === 0) throw storageError(`Consumer ${this.name} can't read`, error)
    }
    this.#log.hasRead()
    return this.#withoutDone(found)
  }

  /** Events that were acknowledged out of order before the log was reopened are not handed out again. */
  #withoutDone(batches: ReadBatch[]): ReadBatch[] {
    if (this.#done.end <= (batches[0]?.firstSequence ?? 0)) return batches
    return batches.flatMap(({ firstSequence, batch, appendedAtMs }) =>
      this.#done.undone(firstSequence, firstSequence + batch.size).map(([from, to]) => ({
        firstSequence: from,
        batch: batch.slice(from - firstSequence, to - firstSequence),
        appendedAtMs,
      })),
    )
  }

  async #readRecords(maxBytes: number, found: ReadBatch[]): Promise<void> {
    let bytes = 0
    while (bytes < maxBytes && this.#next < this.#log.readableEnd) {
      if (this.#log.segments.size === 0) {
        this.#noteGap(this.#log.readableEnd)
        break
      }
      const place = await this.#placeAt(this.#next)
      // Taken together: the active segment grows meanwhile.
      const { end, nextSequence } = place.segment
      place.scanner.takesUnreadableAsDamage = this.#failures >= READ_ATTEMPTS
      const scanned = await runAsync(place.scanner.next(end))
      if (scanned?.kind === 'record') {
        const read = this.#eventsOf(scanned)
        if (!read) continue
        bytes += read.batch.byteLength
        found.push(read)
      } else if (scanned && isDamage(place.segment, scanned)) {
        await this.#log.damaged(place.segment, scanned)
      } else if (!scanned && !(await this.#leaveSegment(place.segment, nextSequence))) break
    }
  }

  /** The part of a record that was not read before; notes a gap before it as lost. */
  #eventsOf({ header, body }: Extract<Scanned, { kind: 'record' }>): ReadBatch | undefined {
    if (header.type !== RECORD_EVENTS) return undefined
    const behind = header.firstSequence + header.events
    if (behind <= this.#next) return undefined
    let batch: EventBatch
    try {
      batch = EventBatch.scanEvents(body, header.events)
    } catch {
      // The bytes are those that were written, and yet no events: left out, and counted as a gap.
      return undefined
    }
    this.#noteGap(header.firstSequence)
    const skipped = Math.max(0, this.#next - header.firstSequence)
    const firstSequence = header.firstSequence + skipped
    this.#next = behind
    const { appendedAtMs } = header
    return { firstSequence, batch: skipped > 0 ? batch.view(skipped) : batch, appendedAtMs }
  }

  /** All before `sequence` that was not read is lost. */
  #noteGap(sequence: number): void {
    if (sequence <= this.#next) return
    for (const [from, to] of this.#done.undone(this.#next, sequence)) {
      this.#log.lost(this.name, from, to)
    }
    this.#done.add(this.#next, sequence)
    this.#next = sequence
    this.#log.storeCursors(false)
  }

  /** At the end of a segment: goes on to the next one; false when there is none to read. */
  async #leaveSegment(segment: Segment, nextSequence: number): Promise<boolean> {
    this.#noteGap(nextSequence)
    const next = this.#log.segments.after(segment)
    if (!next) return false
    await this.#leavePlace()
    this.#place = await this.#open(next)
    return true
  }

  /** Where the event `sequence` is to be read: here, or in the segment that holds it. */
  async #placeAt(sequence: number): Promise<Place> {
    if (this.#place) return this.#place
    const segment = this.#log.segments.holding(sequence)
    if (!segment) throw new Error(`No segment holds the event ${sequence}`)
    this.#place = await this.#open(segment)
    return this.#place
  }

  async #open(segment: Segment): Promise<Place> {
    const { disk } = this.#log
    const handle = await runAsync(openFile(disk, segment.file.path, 'read'))
    const start = segment.markBefore(this.#next) ?? {
      at: HEADER_BLOCK_BYTES,
      lastId: segment.header.firstRecordId - 1,
    }
    return { segment, handle, scanner: new RecordScanner(handle, segment.seal, start) }
  }

  async #leavePlace(): Promise<void> {
    const place = this.#place
    this.#place = undefined
    // A file that was only read has nothing to lose when closing it fails.
    await place?.handle.close().catch(() => {})
  }
}

/** Of a segment whose successor is missing only the file's end is known: what follows its last record is no damage. */
export function isDamage(
  segment: Segment,
  { header, to }: Extract<Scanned, { kind: 'damage' }>,
): boolean {
  return segment.isEndKnown || header !== undefined || to < segment.end
}

import { type Clock, messageOf } from '@millrace/runtime'
import type { Consumer, Log, LogPart, ReadBatch } from '@millrace/wal'
import type { DropReason } from '../appender-state.js'
import type { Lane } from '../delivery/lane.js'
import type { Ledger } from '../delivery/ledger.js'
import type { Diagnostics } from '../diagnostics.js'
import type { Run } from '../queue/run.js'

/** The one consumer of a spool. */
export const SPOOL_CONSUMER = 'delivery'
/** Read at once, in bytes. */
const READ_BYTES = 64 * 1_024
/** Wait after a failed read, in milliseconds. */
const RETRY_MS = 1_000

export interface SpoolFeedOptions {
  readonly log: Log
  readonly lane: Lane
  readonly ledger: Ledger
  readonly diagnostics: Diagnostics
  readonly clock: Clock
  /** Events and bytes that the lane's queue may hold. */
  readonly window: { readonly maxEvents: number; readonly maxBytes: number }
  /** Whether there is room in memory for so many bytes more. */
  readonly hasRoom: (bytes: number) => boolean
  /** 0: no limit. */
  readonly maxAgeMs: number
  /** All of it is settled. */
  readonly onEmpty: () => void
}

/**
 * Brings the events of one spool into its lane, in order and not more than the window allows, and strikes them
 * off when they are settled. A place is the event's sequence in the log.
 */
export class SpoolFeed {
  readonly log: Log
  readonly #options: SpoolFeedOptions
  readonly #consumer: Consumer
  /** Read and not in the queue yet. */
  #pending: ReadBatch[] = []
  /** Events on the disk come before those that are logged now. */
  #isBehind: boolean
  #isReading = false
  #isClosed = false
  /** The first place that is not in memory: what lies before it is, or is settled. */
  #nextPlace: number
  #lost = 0
  /** What was written below a place had been accepted when the record of that number was the last. */
  #marks: { readonly place: number; readonly sequence: number }[] = []

  constructor(options: SpoolFeedOptions) {
    this.#options = options
    this.log = options.log
    this.#consumer = options.log.consumer(SPOOL_CONSUMER)
    this.#isBehind = this.#consumer.backlog.events > 0
    this.#nextPlace = this.#consumer.nextSequence
  }

  /** Whether what is logged now must wait on the disk, for others there come first. */
  get isBehind(): boolean {
    return this.#isBehind
  }

  /** Events that are not settled. */
  get backlog(): number {
    return this.#consumer.backlog.events
  }

  /** Bytes that they take on the disk, nearly. */
  get backlogBytes(): number {
    return this.#consumer.backlog.bytes
  }

  /** The part with the oldest events; undefined when it is the one that is written to. */
  get oldestPart(): LogPart | undefined {
    return this.log.partOf(this.#consumer.sequence)
  }

  get hasWindow(): boolean {
    const { lane, window } = this.#options
    return lane.queue.events < window.maxEvents && lane.queue.bytes < window.maxBytes
  }

  /** The event at the place stays on the disk for now. */
  leave(place: number): void {
    if (this.#isBehind) return
    this.#isBehind = true
    this.#nextPlace = place
  }

  /** All that is spooled by now was accepted when `sequence` was the last number: somebody waits for it. */
  mark(sequence: number): void {
    if (this.#isBehind) this.#marks.push({ place: this.log.nextSequence, sequence })
  }

  /** The events of the run are settled. */
  done({ page, from, to }: Run): void {
    let start = 0
    let end = 0
    for (let i = from; i < to; i += 1) {
      const place = page.isHole(i) ? 0 : page.placeAt(i)
      if (place === 0) continue
      if (place !== end) {
        this.#acknowledge(start, end)
        start = place
      }
      end = place + 1
    }
    this.#acknowledge(start, end)
    this.#checkEmpty()
  }

  /** One event that waited in memory is settled. */
  doneAt(place: number): void {
    this.#acknowledge(place, place + 1)
  }

  /** Gives up all events before `place`. @returns how many. */
  dropBefore(place: number, reason: DropReason): number {
    const { lane, ledger } = this.#options
    let dropped = 0
    while (lane.oldestPlace < place) {
      const removed = lane.removeOldest()
      if (!removed) break
      ledger.drop(removed, reason)
      dropped += 1
    }
    dropped += this.#dropUnloaded(place, reason)
    this.#acknowledge(this.#consumer.sequence, place)
    this.#checkEmpty()
    return dropped
  }

  /** Loads what the window allows. */
  refill(): void {
    if (this.#isClosed || !this.#isBehind) return
    this.#loadPending()
    if (this.#pending.length > 0 || this.#isReading || !this.#isBehind || !this.hasWindow) return
    this.#isReading = true
    void this.#read()
  }

  close(): void {
    this.#isClosed = true
    this.#pending = []
  }

  async #read(): Promise<void> {
    const { clock, diagnostics } = this.#options
    try {
      this.#consumer.skipTo(this.#nextPlace)
      const batches = await this.#consumer.read({ maxBytes: READ_BYTES })
      this.#isReading = false
      if (this.#isClosed) return
      this.#pending = batches
      this.#countLost()
      this.refill()
      this.#checkEmpty()
    } catch (error) {
      this.#isReading = false
      if (this.#isClosed) return
      diagnostics.report('spool', `the spool cannot be read: ${messageOf(error)}`, error)
      clock.after(RETRY_MS, () => this.refill(), { ref: false })
    }
  }

  #loadPending(): void {
    const { lane, hasRoom } = this.#options
    let batch = this.#pending[0]
    let hasLoaded = false
    while (batch && this.hasWindow) {
      // What was dropped meanwhile is counted already.
      const isStale = batch.firstSequence < this.#nextPlace
      if (!isStale && lane.queue.events > 0 && !hasRoom(batch.batch.byteLength)) break
      if (!isStale) this.#load(batch)
      hasLoaded ||= !isStale
      this.#pending.shift()
      batch = this.#pending[0]
    }
    this.#catchUp()
    // The lane asks for more each time it is noticed: without something new the two would never rest.
    if (hasLoaded && lane.queue.events > 0) lane.noticed()
  }

  /** Notes that all of it is in memory or settled. */
  #catchUp(): void {
    const end = this.log.nextSequence
    const isAllRead = this.#consumer.nextSequence >= end || this.#nextPlace >= end
    if (!isAllRead || this.#pending.length > 0 || this.#isReading) return
    this.#isBehind = false
    this.#marks = []
  }

  #load({ batch, firstSequence, appendedAtMs }: ReadBatch): void {
    const { lane, ledger, clock, maxAgeMs, diagnostics } = this.#options
    const ageMs = Math.max(0, clock.now() - appendedAtMs)
    this.#nextPlace = firstSequence + batch.size
    for (let i = 0; i < batch.size; i += 1) {
      const place = firstSequence + i
      const sequence = this.#sequenceOf(place)
      if (maxAgeMs > 0 && ageMs > maxAgeMs) {
        ledger.dropSpooled(1, sequence, 'expired')
        diagnostics.report('dropped', 'events older than queue.maxAgeMs')
        this.#acknowledge(place, place + 1)
        continue
      }
      const { queue } = lane
      const writer = queue.writer()
      const start = writer.position
      writer.writeRaw(batch.size === 1 ? batch.bytes : batch.slice(i, i + 1).bytes)
      const bytes = writer.position - start
      queue.acceptSpooled(sequence, bytes, place, clock.monotonic() - ageMs)
      ledger.load(bytes)
    }
  }

  /** A number that tells those who wait whether the event came before they did. */
  #sequenceOf(place: number): number {
    while (this.#marks[0] && this.#marks[0].place <= place) this.#marks.shift()
    return this.#marks[0]?.sequence ?? this.#options.ledger.sequence
  }

  /** Gives up what is not in memory and lies before `place`. */
  #dropUnloaded(place: number, reason: DropReason): number {
    if (!this.#isBehind) return 0
    let from = this.#nextPlace
    let dropped = 0
    while (from < place) {
      const sequence = this.#sequenceOf(from)
      const to = Math.min(place, this.#marks[0]?.place ?? place)
      const events = this.#undone(from, to)
      this.#options.ledger.dropSpooled(events, sequence, reason)
      dropped += events
      from = to
    }
    this.#nextPlace = Math.max(this.#nextPlace, place)
    this.#pending = this.#pending.filter(({ firstSequence }) => firstSequence >= place)
    this.#catchUp()
    return dropped
  }

  #undone(from: number, to: number): number {
    const { sequence, doneAbove } = this.#consumer.cursor()
    let events = to - Math.max(from, sequence)
    for (const [start, end] of doneAbove) {
      events -= Math.max(0, Math.min(end, to) - Math.max(start, from))
    }
    return Math.max(0, events)
  }

  #countLost(): void {
    const { lostEvents } = this.log.stats()
    const lost = lostEvents - this.#lost
    if (lost === 0) return
    this.#lost = lostEvents
    const { ledger, diagnostics } = this.#options
    ledger.dropSpooled(lost, this.#sequenceOf(this.#pending[0]?.firstSequence ?? 0), 'damaged')
    diagnostics.report('dropped', 'events lost in a damaged spool', undefined, lost)
  }

  #acknowledge(from: number, to: number): void {
    if (from >= to || this.#isClosed) return
    // Whether it is stored decides only about what a crash delivers again.
    this.#consumer.acknowledge(from, to)?.catch(() => {})
  }

  #checkEmpty(): void {
    if (!this.#isBehind && !this.#isReading && this.backlog === 0) this.#options.onEmpty()
  }
}

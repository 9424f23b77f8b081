import type { ByteWriter } from '@millrace/event'
import type { Clock } from '@millrace/runtime'
import { copyEvents, ownCopy } from './copy-run.js'
import { LEVEL_COUNT, Page } from './page.js'
import type { PageStore } from './page-store.js'
import { Run } from './run.js'

/** Room that an event of unknown size should find, beside twice the usual size, in bytes. */
const SPARE_ROOM_BYTES = 512
/** Runs taken from the front of the array before it is moved up. */
const COMPACT_AFTER_RUNS = 256
/** A run is copied out of its page when it lies in so many times its own bytes, and some more. */
const SPARSE_FACTOR = 4
const SPARSE_SLACK_BYTES = 4_096
/** Level index of what comes back from the spool, which is not told by level. */
const SPOOLED_LEVEL = 2
/** Share of `maxAgeMs` by which the events of one run may differ in age. */
const AGE_GRAIN = 0.1

export interface EventQueueOptions {
  readonly pages: PageStore
  readonly clock: Clock
  readonly batchEvents: number
  readonly batchBytes: number
  /** 0: no limit. */
  readonly maxAgeMs: number
}

/** An event that left the queue without being delivered. */
export interface Removed {
  readonly sequence: number
  readonly bytes: number
}

/** The events of one lane that wait, in order. Sizes are numbers that are kept, never counted anew. */
export class EventQueue {
  events = 0
  bytes = 0
  readonly #options: EventQueueOptions
  readonly #runs: Run[] = []
  #head = 0
  #page: Page | undefined
  #usualBytes = 256
  /** Events that wait, by level index. */
  readonly #levels: number[] = Array.from({ length: LEVEL_COUNT }, () => 0)
  readonly #dirty = new WeakSet<Page>()
  /** Runs that have left the front of the array: run `i` of it has the number `base + i`. */
  #base = 0
  /** For each level the number of a run before which no event of that level waits. */
  readonly #searchFrom: number[] = Array.from({ length: LEVEL_COUNT }, () => 0)

  constructor(options: EventQueueOptions) {
    this.#options = options
  }

  /** Where the next event is to be written; then comes {@link accept} or {@link undo}. */
  writer(): ByteWriter {
    const page = this.#page
    if (page && page.count < page.capacity) {
      const room = page.writer.buffer.length - page.writer.position
      if (room >= this.#wantedRoom(page)) return page.writer
    }
    return this.#turnPage().writer
  }

  /** The bytes that were written since the last {@link accept}: a view. */
  written(): Buffer {
    const page = this.#page
    if (!page) return Buffer.alloc(0)
    return page.writer.buffer.subarray(page.offsets[page.count] ?? 0, page.writer.position)
  }

  /** Forgets what was written since the last {@link accept}. */
  undo(): void {
    const page = this.#page
    if (page) page.writer.position = page.offsets[page.count] ?? 0
  }

  /**
   * Takes the event in that was written to {@link writer}.
   * @param place of an event that is in the spool, too: where.
   */
  accept(level: number, sequence: number, bytes: number, place = 0): void {
    const page = this.#page
    if (!page) return
    const tail = this.#runs[this.#runs.length - 1]
    let run = tail
    if (!run || this.#head === this.#runs.length || !this.#canExtend(run, page)) {
      run = this.#begin(page, this.#options.clock.monotonic())
    }
    this.#add(run, level, sequence, bytes)
    if (place > 0) page.setPlace(page.count - 1, place)
  }

  /** The same for an event that comes back from the spool. */
  acceptSpooled(sequence: number, bytes: number, place: number, bornMs: number): void {
    const page = this.#page
    if (!page) return
    const tail = this.#runs[this.#runs.length - 1]
    let run = tail
    const isFirst = !run || this.#head === this.#runs.length
    if (!run || isFirst || !this.#canExtend(run, page, bornMs)) run = this.#begin(page, bornMs)
    this.#add(run, SPOOLED_LEVEL, sequence, bytes)
    page.setPlace(page.count - 1, place)
  }

  /** The run that is next, if any. */
  get head(): Run | undefined {
    return this.#runs[this.#head]
  }

  /** Takes the next events, at most what one batch holds; at least one. */
  take(): Run | undefined {
    const first = this.head
    if (!first) return undefined
    const { batchEvents, batchBytes, clock } = this.#options
    const hasRoom = first.events < batchEvents && first.bytes * 2 < batchBytes
    const isFragment = hasRoom && first.attempts === 0 && this.#canJoin(this.#head + 1)
    if (first.hasHoles || isFragment) return this.#gather(first)
    const { head, rest } = first.cut(fitting(first, batchEvents, batchBytes), clock.monotonic())
    if (rest) this.#runs[this.#head] = rest
    else this.#dropHead()
    this.#count(head, -1)
    return head
  }

  /** The run on bytes of its own, so that a few events do not pin a page full of dropped ones. */
  isolate(run: Run): Run {
    const copy = ownCopy(run)
    this.release(run)
    return copy
  }

  /** Says that a connection that is given up may still hold the run's bytes: they must not change. */
  distrust(run: Run): void {
    this.#dirty.add(run.page)
  }

  /** Puts a run back in front, whole. */
  putBack(run: Run): void {
    this.distrust(run)
    if (this.#head > 0) this.#runs[--this.#head] = run
    else {
      this.#runs.unshift(run)
      this.#base -= 1
    }
    this.#searchFrom.fill(this.#base + this.#head)
    this.#count(run, 1)
  }

  /** Says that a taken run is settled: its bytes are not needed any more. */
  release(run: Run): void {
    const { page } = run
    page.users -= 1
    if (page.users > 0 || page === this.#page) return
    this.#options.pages.giveBack(page, !this.#dirty.has(page))
  }

  /** Removes the first event. */
  removeOldest(): Removed | undefined {
    const run = this.head
    return run && this.#remove(this.#head, run.from)
  }

  /** The lowest level among the events that wait, or undefined. */
  get lowestLevel(): number | undefined {
    const index = this.#levels.findIndex((count) => count > 0)
    return index < 0 ? undefined : index
  }

  /** Removes the first event of a level. */
  removeOldestOf(level: number): Removed | undefined {
    const from = Math.max(this.#head, (this.#searchFrom[level] ?? 0) - this.#base)
    for (let i = from; i < this.#runs.length; i += 1) {
      const run = this.#runs[i]
      const index = run ? run.page.findLevel(level, run.from, run.to) : -1
      if (index < 0) continue
      this.#searchFrom[level] = this.#base + i
      return this.#remove(i, index)
    }
    return undefined
  }

  /** Removes the first run when all of it is older than `maxAgeMs`. The caller releases it. */
  takeExpired(): Run | undefined {
    const run = this.head
    const { maxAgeMs, clock } = this.#options
    if (!run || maxAgeMs === 0) return undefined
    if (clock.monotonic() - run.bornMs < maxAgeMs * (1 + AGE_GRAIN)) return undefined
    return this.takeWhole()
  }

  /** Removes the first run, whatever its size. The caller releases it. */
  takeWhole(): Run | undefined {
    const run = this.head
    if (!run) return undefined
    this.#dropHead()
    this.#count(run, -1)
    return run
  }

  #begin(page: Page, bornMs: number): Run {
    const waitsSinceMs = this.#options.clock.monotonic()
    const run = new Run(page, page.count, { bornMs, waitsSinceMs })
    this.#runs.push(run)
    return run
  }

  #add(run: Run, level: number, sequence: number, bytes: number): void {
    run.page.add(level, sequence)
    run.extend(bytes)
    this.#usualBytes += (bytes - this.#usualBytes) / 16
    this.events += 1
    this.bytes += bytes
    this.#levels[level] = (this.#levels[level] ?? 0) + 1
  }

  #wantedRoom(page: Page): number {
    const usual = this.#usualBytes
    const { batchEvents, batchBytes } = this.#options
    const single = usual * 2 + SPARE_ROOM_BYTES
    if (page.count === 0 || page.count % batchEvents !== 0) return single
    // A page ends between two full batches rather than inside one.
    const batch = Math.min(usual * batchEvents, batchBytes, page.writer.buffer.length / 2)
    return Math.max(single, batch)
  }

  #turnPage(): Page {
    const { pages } = this.#options
    const full = this.#page
    const next = pages.open(this.#usualBytes * 2 + SPARE_ROOM_BYTES)
    this.#page = next
    if (full?.users === 0) pages.giveBack(full, !this.#dirty.has(full))
    return next
  }

  #canExtend(run: Run, page: Page, bornMs?: number): boolean {
    if (run.page !== page || run.to !== page.count || run.attempts > 0) return false
    const { maxAgeMs, clock } = this.#options
    return maxAgeMs === 0 || (bornMs ?? clock.monotonic()) - run.bornMs < maxAgeMs * AGE_GRAIN
  }

  #canJoin(index: number): boolean {
    const next = this.#runs[index]
    return next !== undefined && next.attempts === 0
  }

  /** Copies small runs, and runs with holes, together into one batch. */
  #gather(first: Run): Run {
    const { batchEvents, batchBytes, clock } = this.#options
    const parts: Run[] = []
    let events = 0
    let bytes = 0
    for (let i = this.#head; i < this.#runs.length; i += 1) {
      const run = this.#runs[i]
      if (!run || events >= batchEvents || bytes >= batchBytes) break
      if (i > this.#head && (first.attempts > 0 || !this.#canJoin(i))) break
      parts.push(run)
      events += run.events
      bytes += run.bytes
    }
    const page = new Page(Math.min(bytes, batchBytes + first.bytes), events)
    const gathered = new Run(page, 0, first)
    gathered.attempts = first.attempts
    gathered.refusals = first.refusals
    gathered.refusedBy = first.refusedBy
    for (const part of parts) {
      const copied = copyEvents(gathered, part, { maxEvents: batchEvents, maxBytes: batchBytes })
      const { head, rest } = part.cut(copied, clock.monotonic())
      if (rest) this.#runs[this.#head] = rest
      else this.#dropHead()
      this.release(head)
      if (rest) break
    }
    this.#count(gathered, -1)
    return gathered
  }

  #remove(runIndex: number, eventIndex: number): Removed | undefined {
    const run = this.#runs[runIndex]
    if (!run) return undefined
    const { page } = run
    const level = page.levelAt(eventIndex)
    const removed = {
      sequence: page.sequenceAt(eventIndex),
      bytes: page.byteLengthAt(eventIndex),
    }
    run.remove(eventIndex)
    this.events -= 1
    this.bytes -= removed.bytes
    this.#levels[level] = (this.#levels[level] ?? 0) - 1
    if (run.events === 0) {
      if (runIndex === this.#head) this.#dropHead()
      else this.#dropFromMiddle(runIndex)
      this.release(run)
    } else if (run.span > SPARSE_FACTOR * run.bytes + SPARSE_SLACK_BYTES) {
      this.#runs[runIndex] = this.isolate(run)
    }
    return removed
  }

  #dropHead(): void {
    this.#head += 1
    if (this.#head < this.#runs.length && this.#head < COMPACT_AFTER_RUNS) return
    this.#runs.splice(0, this.#head)
    this.#base += this.#head
    this.#head = 0
  }

  #dropFromMiddle(runIndex: number): void {
    this.#runs.splice(runIndex, 1)
    const number = this.#base + runIndex
    this.#searchFrom.forEach((from, level) => {
      if (from > number) this.#searchFrom[level] = from - 1
    })
  }

  #count(run: Run, sign: 1 | -1): void {
    this.events += sign * run.events
    this.bytes += sign * run.bytes
    for (let i = run.from; i < run.to; i += 1) {
      if (run.page.isHole(i)) continue
      const level = run.page.levelAt(i)
      this.#levels[level] = (this.#levels[level] ?? 0) + sign
    }
  }
}

/** How many of the run's events a batch takes. */
function fitting(run: Run, maxEvents: number, maxBytes: number): number {
  const count = Math.min(run.events, maxEvents)
  if (run.bytes <= maxBytes) return count
  const start = run.page.offsets[run.from] ?? 0
  let fits = 1
  while (fits < count && (run.page.offsets[run.from + fits + 1] ?? 0) - start <= maxBytes) fits += 1
  return fits
}

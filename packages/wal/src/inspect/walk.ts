/** Goes through the records of a log in their order, without changing anything. */
import { EventBatch } from '@millrace/event'
import type { Disk, DiskFile } from '../disk/disk.js'
import { closeFile, openFile, runAsync } from '../disk/steps.js'
import { RECORD_EVENTS, type RecordHeader } from '../format/record.js'
import { HEADER_BLOCK_BYTES } from '../format/segment-header.js'
import { isDamage } from '../reading/consumer.js'
import { RecordScanner, type Scanned } from '../reading/record-scanner.js'
import type { Segment } from '../segments/segment.js'
import { isStill } from './still-there.js'
import type { Survey } from './survey.js'

/** What stands next in a log. */
export type Walked =
  /** A valid record; `batch` is there when it holds events. */
  | {
      readonly kind: 'record'
      readonly segment: Segment
      readonly header: RecordHeader
      readonly batch: EventBatch | undefined
    }
  /** Bytes [from, to) of a segment that hold no valid record, and the sequences around them. */
  | {
      readonly kind: 'damage'
      readonly segment: Segment
      readonly from: number
      readonly to: number
      readonly header: RecordHeader | undefined
      /** Id of the record before it. */
      readonly lastId: number
    }
  /** Events [from, to) that no record holds. */
  | {
      readonly kind: 'gap'
      readonly segment: Segment | undefined
      readonly from: number
      readonly to: number
    }

export interface WalkOptions {
  /** Sequence of the first event that is wanted. Default: the oldest one. */
  readonly from?: number
  readonly signal?: AbortSignal | undefined
}

/**
 * Every record, damaged place and gap from an event on, to the end that the survey found. What a live owner
 * gave free meanwhile is left out: all consumers are done with it.
 */
export async function* walkLog(survey: Survey, options: WalkOptions = {}): AsyncGenerator<Walked> {
  const { nextSequence, segments } = survey.recovered
  const walk = new Walk(survey, options)
  for (const segment of segments) {
    if (options.from === undefined || segment.nextSequence > walk.next) yield* walk.segment(segment)
  }
  yield* walk.gapTo(nextSequence, undefined)
}

class Walk {
  /** Sequence of the event that is expected next. */
  next: number
  readonly #disk: Disk
  readonly #isLive: boolean
  readonly #signal: AbortSignal | undefined

  constructor({ disk, lowestSequence, owner, recovered }: Survey, options: WalkOptions) {
    this.#disk = disk
    this.#isLive = owner !== undefined
    this.#signal = options.signal
    const oldest = recovered.segments[0]?.firstSequence ?? lowestSequence
    this.next = options.from ?? Math.min(oldest, lowestSequence)
  }

  *gapTo(sequence: number, segment: Segment | undefined): Generator<Walked> {
    if (sequence <= this.next) return
    const from = this.next
    this.next = sequence
    yield { kind: 'gap', segment, from, to: sequence }
  }

  async *segment(segment: Segment): AsyncGenerator<Walked> {
    const file = await this.#open(segment)
    if (!file) return this.#leaveOut(segment)
    try {
      yield* this.#records(segment, file)
    } finally {
      // Reading alone leaves nothing that closing could lose.
      await runAsync(closeFile(file)).catch(() => {})
    }
  }

  async *#records(segment: Segment, file: DiskFile): AsyncGenerator<Walked> {
    const start = { at: HEADER_BLOCK_BYTES, lastId: segment.header.firstRecordId - 1 }
    const scanner = new RecordScanner(file, segment.seal, segment.markBefore(this.next) ?? start)
    scanner.takesUnreadableAsDamage = true
    for (;;) {
      const { lastId } = scanner
      const scanned = await runAsync(scanner.next(segment.end), this.#signal)
      if (!scanned) break
      if (scanned.kind === 'record') yield* this.#record(segment, scanned)
      else if (!isDamage(segment, scanned)) break
      else if (this.#isLive && !(await this.#isStill(segment, file))) return this.#leaveOut(segment)
      else {
        const { from, to, header } = scanned
        yield { kind: 'damage', segment, from, to, header, lastId }
      }
    }
    if (this.next >= segment.nextSequence) return
    // What was used again while it was read is not missing.
    if (this.#isLive && !(await this.#isStill(segment, file))) this.#leaveOut(segment)
    else yield* this.gapTo(segment.nextSequence, segment)
  }

  *#record(
    segment: Segment,
    { header, body }: Extract<Scanned, { kind: 'record' }>,
  ): Generator<Walked> {
    const isEvents = header.type === RECORD_EVENTS
    const batch = isEvents ? eventsOf(body, header) : undefined
    if (batch) {
      yield* this.gapTo(header.firstSequence, segment)
      this.next = Math.max(this.next, header.firstSequence + header.events)
    }
    if (batch || !isEvents) yield { kind: 'record', segment, header, batch }
  }

  async #open(segment: Segment): Promise<DiskFile | undefined> {
    try {
      return await runAsync(openFile(this.#disk, segment.file.path, 'read'), this.#signal)
    } catch (error) {
      if (this.#isLive && (error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
      throw error
    }
  }

  #isStill(segment: Segment, file: DiskFile): Promise<boolean> {
    return runAsync(isStill(segment, file), this.#signal)
  }

  #leaveOut(segment: Segment): void {
    this.next = Math.max(this.next, segment.nextSequence)
  }
}

/** The events of a body; undefined when its bytes are those that were written, and yet no events. */
function eventsOf(body: Buffer, { events }: RecordHeader): EventBatch | undefined {
  try {
    return EventBatch.scanEvents(body, events)
  } catch {
    return undefined
  }
}

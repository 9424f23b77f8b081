import { messageOf } from '@millrace/runtime'
import type { DropReason } from './appender-state.js'
import type { Lane } from './delivery/lane.js'
import type { Ledger } from './delivery/ledger.js'
import type { Diagnostics } from './diagnostics.js'
import type { EventMapper } from './event-mapper.js'
import type { LogRecord } from './log-record.js'
import { dropNewest, type MakeRoom } from './queue/overflow.js'
import { levelIndex, Page } from './queue/page.js'
import { Run } from './queue/run.js'
import type { Spools } from './spool/spools.js'

/** Records taken that are logged while one is encoded, by a getter or `toJSON` that logs. */
const MAX_NESTED_RECORDS = 8

export interface IntakeOptions {
  readonly mapper: EventMapper
  readonly lanes: readonly Lane[]
  readonly spooling: Spooling | undefined
  readonly ledger: Ledger
  readonly diagnostics: Diagnostics
  readonly makeRoom: MakeRoom
  readonly policyName: string
  readonly maxEvents: number
  readonly maxBytes: number
  /** Largest encoded event. */
  readonly maxEventBytes: number
  readonly urgentLevel: number
  readonly hasDeadLetters: boolean
}

/** What becomes of events that are spooled. */
export interface Spooling {
  readonly spools: Spools
  /** Takes what the disk does not. */
  readonly memoryLane: Lane
}

interface NestedRecord {
  readonly record: LogRecord
  readonly sequence: number
}

/**
 * Where records come in: encoded while the logger's call runs, then queued within the limits. The
 * path of every record, so it makes no object, closure or promise of its own.
 */
export class Intake {
  readonly #options: IntakeOptions
  /** An event is written and not yet queued: nothing else may be written. */
  #isBusy = false
  readonly #nested: NestedRecord[] = []

  constructor(options: IntakeOptions) {
    this.#options = options
  }

  /** Takes one record. Never throws. */
  append(record: LogRecord): void {
    const { ledger, makeRoom, maxEvents } = this.#options
    const sequence = ledger.begin()
    if (this.#isBusy) this.#keepNested(record, sequence)
    // What the policy refuses anyway need not be encoded.
    else if (makeRoom === dropNewest && ledger.held >= maxEvents) this.#refuse('overflow')
    else {
      this.#encode(record, sequence)
      if (this.#nested.length > 0) this.#takeNested()
    }
  }

  /** Counts a record that comes when nothing is taken any more. */
  refuseClosed(): void {
    this.#options.ledger.begin()
    this.#refuse('closed')
  }

  #encode(record: LogRecord, sequence: number): void {
    let lane = this.#options.lanes[0] as Lane
    let bytes = -1
    this.#isBusy = true
    try {
      lane = this.#laneOf(record)
      const writer = lane.queue.writer()
      const start = writer.position
      this.#options.mapper.encode(record, writer)
      bytes = writer.position - start
    } catch (error) {
      lane.queue.undo()
      this.#refuse('encode', error)
    }
    if (bytes >= 0) this.#admit(lane, record, sequence, bytes)
    this.#isBusy = false
  }

  /** Keeps the event that was written last, if the limits allow. */
  #admit(lane: Lane, record: LogRecord, sequence: number, bytes: number): void {
    const { spooling, urgentLevel, maxEventBytes } = this.#options
    const level = levelIndex(record.level)
    if (bytes > maxEventBytes) {
      this.#refuseOversize(lane, level, sequence, bytes)
      return
    }
    const taker = spooling
      ? this.#spool(lane, level, sequence, bytes)
      : this.#queue(lane, level, sequence, bytes)
    if (!taker) this.#refuse('overflow')
    else if (record.level >= urgentLevel || record.isUncaught !== undefined) taker.hurry(sequence)
    else taker.noticed()
  }

  /** @returns the lane, or undefined when the event finds no room. */
  #queue(lane: Lane, level: number, sequence: number, bytes: number): Lane | undefined {
    if (!this.#hasRoom(bytes) && !this.#makeRoom(level, bytes)) {
      lane.queue.undo()
      return undefined
    }
    lane.queue.accept(level, sequence, bytes)
    this.#options.ledger.queue(bytes)
    return lane
  }

  /** Into the spool, and as far as there is room into memory. @returns the lane that has the event. */
  #spool(lane: Lane, level: number, sequence: number, bytes: number): Lane | undefined {
    const { spooling, ledger } = this.#options
    const written = lane.queue.written()
    const place = spooling?.spools.of(lane)?.append(written, 0, bytes) ?? 0
    if (place > 0 && spooling?.spools.holdsInMemory(lane, bytes)) {
      lane.queue.accept(level, sequence, bytes, place)
      ledger.queue(bytes)
      return lane
    }
    if (place === 0 && spooling) spooling.memoryLane.queue.writer().writeRaw(written)
    lane.queue.undo()
    if (place === 0) return spooling && this.#queue(spooling.memoryLane, level, sequence, bytes)
    ledger.spool()
    lane.feed?.leave(place)
    return lane
  }

  #laneOf(record: LogRecord): Lane {
    const { lanes } = this.#options
    let hash = 0
    if (lanes.length > 1) {
      const name = record.loggerName
      for (let i = 0; i < name.length; i += 1) hash = (hash * 31 + name.charCodeAt(i)) >>> 0
    }
    return lanes[hash % lanes.length] as Lane
  }

  #hasRoom(bytes: number): boolean {
    const { ledger, maxEvents, maxBytes } = this.#options
    return ledger.held < maxEvents && ledger.heldBytes + bytes <= maxBytes
  }

  /** Drops what the policy names until the event fits; false when it is the event itself. */
  #makeRoom(level: number, bytes: number): boolean {
    const { ledger, spooling, makeRoom, maxBytes, policyName, diagnostics } = this.#options
    if (bytes > maxBytes) return false
    const lanes = spooling ? [spooling.memoryLane] : this.#options.lanes
    while (!this.#hasRoom(bytes)) {
      const removed = makeRoom(lanes, level)
      if (!removed) return false
      ledger.drop(removed, 'overflow')
      diagnostics.report('dropped', `the queue is full; its policy is ${policyName}`)
    }
    return true
  }

  /** An event above the limit goes to the dead letters alone, past the queue. */
  #refuseOversize(lane: Lane, level: number, sequence: number, bytes: number): void {
    const { ledger, hasDeadLetters, maxBytes } = this.#options
    const isKept = hasDeadLetters && ledger.heldBytes + bytes <= maxBytes
    const page = isKept ? new Page(bytes, 1) : undefined
    page?.writer.writeRaw(lane.queue.written())
    lane.queue.undo()
    if (!page) {
      this.#refuse('oversize')
      return
    }
    page.add(level, sequence)
    const run = new Run(page, 0, { bornMs: 0, waitsSinceMs: 0 })
    run.extend(bytes)
    ledger.queue(bytes)
    ledger.send(run)
    void lane.delivery.bury(run, 'oversize')
  }

  /** A record that is logged while another one is taken (by a getter, a listener) waits for the end of that. */
  #keepNested(record: LogRecord, sequence: number): void {
    if (this.#nested.length < MAX_NESTED_RECORDS) this.#nested.push({ record, sequence })
    else this.#refuse('encode', new Error('encoding a record logs too many others'))
  }

  /** Encodes them one by one. Those that they log in turn count too, so that it ends. */
  #takeNested(): void {
    for (let i = 0; i < this.#nested.length; i += 1) {
      const { record, sequence } = this.#nested[i] as NestedRecord
      this.#encode(record, sequence)
    }
    this.#nested.length = 0
  }

  #refuse(reason: DropReason, error?: unknown): void {
    const { ledger, diagnostics, policyName } = this.#options
    ledger.refuse(reason)
    if (error !== undefined) {
      diagnostics.report('encode-failed', `record not encoded: ${messageOf(error)}`, error)
    } else if (reason === 'overflow') {
      diagnostics.report('dropped', `the queue is full; its policy is ${policyName}`)
    } else {
      diagnostics.report('dropped', `event given up: ${reason}`)
    }
  }
}

import { ByteWriter } from '@millrace/event'
import { LOG4J_LEVEL } from '../log-record.js'

/** Number of levels that a queue tells apart: TRACE to FATAL. */
export const LEVEL_COUNT = 6
/** Stands at the place of an event that was dropped out of the middle. */
const HOLE = 255
/** One place in the index for so many bytes of a page; smaller events end a page early. */
const BYTES_PER_EVENT = 64

/** 0 for TRACE and below, 5 for FATAL. */
export function levelIndex(level: number): number {
  if (level >= LOG4J_LEVEL.ERROR) return level >= LOG4J_LEVEL.FATAL ? 5 : 4
  if (level >= LOG4J_LEVEL.INFO) return level >= LOG4J_LEVEL.WARN ? 3 : 2
  return level >= LOG4J_LEVEL.DEBUG ? 1 : 0
}

/**
 * Encoded events one behind the other, and of each its start, level and number. Only appended to:
 * a batch that is on its way shares the bytes and the starts.
 */
export class Page {
  readonly writer: ByteWriter
  /** The start of each event and behind them the end of the last. */
  readonly offsets: Uint32Array
  readonly capacity: number
  count = 0
  /** Runs that use this page. */
  users = 0
  readonly #levels: Uint8Array
  readonly #sequences: Uint32Array
  #baseSequence = 0
  /** Where each event stands in the spool; made when one is spooled. */
  #places: Float64Array | undefined

  constructor(bytes: number, capacity = Math.max(16, Math.floor(bytes / BYTES_PER_EVENT))) {
    this.writer = new ByteWriter(bytes)
    this.capacity = capacity
    this.offsets = new Uint32Array(capacity + 1)
    this.#levels = new Uint8Array(capacity)
    this.#sequences = new Uint32Array(capacity)
  }

  /** Takes what was written behind the last event as the next one. */
  add(level: number, sequence: number): void {
    const { count } = this
    if (this.#places) this.#places[count] = 0
    if (count === 0) this.#baseSequence = sequence
    this.#levels[count] = level
    this.#sequences[count] = sequence - this.#baseSequence
    this.count = count + 1
    this.offsets[this.count] = this.writer.position
  }

  /** Empties the page for another use. */
  reset(): void {
    this.count = 0
    this.writer.position = 0
  }

  byteLengthAt(index: number): number {
    return (this.offsets[index + 1] ?? 0) - (this.offsets[index] ?? 0)
  }

  /** The event's level index. Not for a hole. */
  levelAt(index: number): number {
    return this.#levels[index] ?? 0
  }

  sequenceAt(index: number): number {
    return this.#baseSequence + (this.#sequences[index] ?? 0)
  }

  /** The event's place in the spool; 0 when it is in none. */
  placeAt(index: number): number {
    return this.#places?.[index] ?? 0
  }

  setPlace(index: number, place: number): void {
    this.#places ??= new Float64Array(this.capacity)
    this.#places[index] = place
  }

  isHole(index: number): boolean {
    return this.#levels[index] === HOLE
  }

  punch(index: number): void {
    this.#levels[index] = HOLE
  }

  /** The first event of the level in [from, to), or -1. */
  findLevel(level: number, from: number, to: number): number {
    const index = this.#levels.indexOf(level, from)
    return index < to ? index : -1
  }
}

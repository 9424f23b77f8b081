import { ByteWriter } from './byte-writer.js'
import { Event, type EventInit } from './event.js'
import { EventEncoder } from './event-encoder.js'
import { editHeaders, type HeaderEdit } from './header-edit.js'
import { HeaderReader, type Headers } from './headers.js'
import { scanArray, scanEvents, scanOne, skipHeaders } from './scan.js'

/** What a batch costs beside its bytes and its index, in bytes (an estimate). */
const BATCH_OVERHEAD_BYTES = 200

/**
 * Events as bytes: one buffer of concatenated Avro `AvroFlumeEvent` encodings and where each begins.
 * Immutable: whoever made the buffer gives it away. Nothing is decoded before somebody looks.
 */
export class EventBatch {
  readonly #buffer: Buffer
  readonly #offsets: Uint32Array
  /** Made when a header is looked at. */
  #headerReader: HeaderReader | undefined

  /**
   * `offsets` holds each event's start in `buffer` and behind them the end of the last; the events
   * lie without gaps. The bytes are trusted: untrusted ones enter through {@link EventBatch.scanArray}.
   */
  constructor(buffer: Buffer, offsets: Uint32Array) {
    this.#buffer = buffer
    this.#offsets = offsets
  }

  /** The batch without events. */
  static empty(): EventBatch {
    return EMPTY
  }

  /**
   * Encodes events. A header value that is no string is a `TypeError`.
   * @param expectedBytes about how long the encoded events will be, where that is known.
   */
  static of(events: Iterable<EventInit>, expectedBytes?: number): EventBatch {
    const encoder = new EventEncoder(expectedBytes)
    for (const event of events) encoder.add(event)
    const { bytes, offsets } = encoder.finish()
    return new EventBatch(bytes, offsets)
  }

  /**
   * Validates and indexes the event array of an `appendBatch` call. One block, which is how peers write
   * it, is not copied if it uses a third of the memory of `bytes`.
   * @returns the batch and the position behind the array.
   * @throws AvroError when the bytes are no such array.
   */
  static scanArray(
    bytes: Buffer,
    start = 0,
    end = bytes.length,
  ): { batch: EventBatch; end: number } {
    const scan = scanArray(bytes, start, end)
    return { batch: scanned(scan.bytes, scan.offsets), end: scan.end }
  }

  /** As {@link EventBatch.scanArray}, for the one event of an `append` call. */
  static scanEvent(
    bytes: Buffer,
    start = 0,
    end = bytes.length,
  ): { batch: EventBatch; end: number } {
    const scan = scanOne(bytes, start, end)
    return { batch: scanned(bytes, scan.offsets), end: scan.end }
  }

  /**
   * Validates and indexes `count` events that stand one behind the other and fill `bytes`.
   * @throws AvroError when the bytes are not that.
   */
  static scanEvents(bytes: Buffer, count: number): EventBatch {
    return new EventBatch(bytes, scanEvents(bytes, count))
  }

  /** All events of the batches in order. One batch comes back as it is. */
  static concat(batches: readonly EventBatch[]): EventBatch {
    const parts = batches.filter((batch) => batch.size > 0)
    if (parts.length <= 1) return parts[0] ?? EMPTY
    let bytes = 0
    let size = 0
    for (const part of parts) {
      bytes += part.byteLength
      size += part.size
    }
    const buffer = Buffer.allocUnsafeSlow(bytes)
    const offsets = new Uint32Array(size + 1)
    let at = 0
    let index = 0
    for (const part of parts) {
      const shift = at - part.#start
      part.#buffer.copy(buffer, at, part.#start, part.#end)
      for (let i = 0; i < part.size; i += 1) offsets[index++] = (part.#offsets[i] as number) + shift
      at += part.byteLength
    }
    offsets[size] = at
    return new EventBatch(buffer, offsets)
  }

  /** Number of events. */
  get size(): number {
    return this.#offsets.length - 1
  }

  /** Length of the encoded events in bytes. */
  get byteLength(): number {
    return this.#end - this.#start
  }

  /**
   * Memory that this batch keeps alive, in bytes: all that its buffer and its index are views of.
   * Batches that share memory each count it.
   */
  get retainedBytes(): number {
    return this.#buffer.buffer.byteLength + this.#offsets.buffer.byteLength + BATCH_OVERHEAD_BYTES
  }

  /** The encoded events, one behind the other: a view, not to be written to. */
  get bytes(): Buffer {
    return this.#buffer.subarray(this.#start, this.#end)
  }

  /** The event at `index`, decoded as it is looked at. */
  at(index: number): Event {
    this.#check(index)
    return new Event(this, index)
  }

  /** All events, decoded as they are looked at. */
  *events(): IterableIterator<Event> {
    for (let i = 0; i < this.size; i += 1) yield new Event(this, i)
  }

  [Symbol.iterator](): IterableIterator<Event> {
    return this.events()
  }

  /** Encoded length of one event in bytes. */
  byteLengthAt(index: number): number {
    this.#check(index)
    return (this.#offsets[index + 1] as number) - (this.#offsets[index] as number)
  }

  /** The body of one event: a view, not to be written to. */
  bodyAt(index: number): Buffer {
    this.#check(index)
    const end = this.#offsets[index + 1] as number
    const lengthStart = skipHeaders(this.#buffer, this.#offsets[index] as number, end)
    // The body is all that lies behind its length.
    let start = lengthStart
    while ((this.#buffer[start] as number) >= 0x80) start += 1
    return this.#buffer.subarray(start + 1, end)
  }

  /** The body of one event as text: what `bodyAt(index).toString(encoding)` gives, without a view. */
  bodyTextAt(index: number, encoding: 'utf8' | 'latin1' = 'utf8'): string {
    this.#check(index)
    const end = this.#offsets[index + 1] as number
    let start = skipHeaders(this.#buffer, this.#offsets[index] as number, end)
    while ((this.#buffer[start] as number) >= 0x80) start += 1
    return this.#buffer.toString(encoding, start + 1, end)
  }

  /** A batch with other bodies; an event for which `bodyOf` gives undefined keeps its own. Headers are not decoded. */
  withBodies(bodyOf: (index: number) => Uint8Array | undefined): EventBatch {
    const bodies = Array.from({ length: this.size }, (_, index) => bodyOf(index))
    if (bodies.every((body) => body === undefined)) return this
    const writer = new ByteWriter(
      bodies.reduce((sum, body) => sum + (body?.length ?? 0), this.byteLength),
    )
    const offsets = new Uint32Array(this.size + 1)
    for (let i = 0; i < this.size; i += 1) {
      offsets[i] = writer.position
      const start = this.#offsets[i] as number
      const end = this.#offsets[i + 1] as number
      const body = bodies[i]
      const kept = body ? skipHeaders(this.#buffer, start, end) : end
      writer.writeRaw(this.#buffer.subarray(start, kept))
      if (body) writer.writeBytes(body)
    }
    offsets[this.size] = writer.position
    return new EventBatch(writer.buffer.subarray(0, writer.position), offsets).#unpinned()
  }

  /** One header of one event, or undefined. Malformed UTF-8 reads as U+FFFD. */
  headerAt(index: number, name: string): string | undefined {
    this.#check(index)
    return this.#headers().find(this.#offsets[index] as number, name)
  }

  /** All headers of one event in their order; of a key that stands twice the last value. */
  headersAt(index: number): Headers {
    this.#check(index)
    return this.#headers().all(this.#offsets[index] as number)
  }

  /** The events in [start, end). What keeps less than half of the buffer is copied out of it. */
  slice(start: number, end: number = this.size): EventBatch {
    const view = this.view(start, end)
    return view === this || view === EMPTY ? view : view.#unpinned()
  }

  /**
   * The events in [start, end) on the same buffer, however little of it they use: for a holder that
   * keeps the whole batch anyway, as long as it keeps the view. Others take {@link EventBatch.slice}.
   */
  view(start: number, end: number = this.size): EventBatch {
    const from = Math.max(0, Math.min(start, this.size))
    const to = Math.max(from, Math.min(end, this.size))
    if (from === 0 && to === this.size) return this
    if (from === to) return EMPTY
    return new EventBatch(this.#buffer, this.#offsets.subarray(from, to + 1))
  }

  /** The events that `keep` says yes to; it gets the index of each. */
  filter(keep: (index: number) => boolean): EventBatch {
    const kept: number[] = []
    for (let i = 0; i < this.size; i += 1) if (keep(i)) kept.push(i)
    return this.#pick(kept)
  }

  /** Groups the events by the key that `keyOf` gives for each index; order is kept in each group. */
  partition<K>(keyOf: (index: number) => K): Map<K, EventBatch> {
    const groups = new Map<K, number[]>()
    for (let i = 0; i < this.size; i += 1) {
      const key = keyOf(i)
      const group = groups.get(key)
      if (group) group.push(i)
      else groups.set(key, [i])
    }
    const parts = new Map<K, EventBatch>()
    for (const [key, indexes] of groups) parts.set(key, this.#pick(indexes))
    return parts
  }

  /** A batch whose events have the headers edited; this one when nothing changes. */
  withHeaders(edits: readonly HeaderEdit[]): EventBatch {
    if (this.size === 0 || edits.length === 0) return this
    const edited = editHeaders(this.#buffer, this.#offsets, edits)
    return edited ? new EventBatch(edited.bytes, edited.offsets) : this
  }

  #headers(): HeaderReader {
    this.#headerReader ??= new HeaderReader(this.#buffer)
    return this.#headerReader
  }

  get #start(): number {
    return this.#offsets[0] as number
  }

  get #end(): number {
    return this.#offsets[this.#offsets.length - 1] as number
  }

  #check(index: number): void {
    if (!Number.isInteger(index) || index < 0 || index >= this.size) {
      throw new RangeError(`Event index ${index} is not in [0, ${this.size})`)
    }
  }

  #pick(indexes: readonly number[]): EventBatch {
    const count = indexes.length
    if (count === 0) return EMPTY
    const first = indexes[0] as number
    const last = indexes[count - 1] as number
    if (last - first + 1 === count) return this.slice(first, last + 1)
    let bytes = 0
    for (const index of indexes) bytes += this.byteLengthAt(index)
    const buffer = Buffer.allocUnsafeSlow(bytes)
    const offsets = new Uint32Array(count + 1)
    let at = 0
    for (let i = 0; i < count; i += 1) {
      const index = indexes[i] as number
      offsets[i] = at
      const end = this.#offsets[index + 1] as number
      at += this.#buffer.copy(buffer, at, this.#offsets[index], end)
    }
    offsets[count] = at
    return new EventBatch(buffer, offsets)
  }

  /** This batch, or a copy of its bytes when it uses less than half of the memory that it pins. */
  #unpinned(): EventBatch {
    const length = this.byteLength
    if (length * 2 >= this.#buffer.buffer.byteLength) return this
    const buffer = Buffer.allocUnsafeSlow(length)
    const start = this.#start
    this.#buffer.copy(buffer, 0, start, this.#end)
    const offsets = new Uint32Array(this.#offsets.length)
    for (let i = 0; i < offsets.length; i += 1) offsets[i] = (this.#offsets[i] as number) - start
    return new EventBatch(buffer, offsets)
  }
}

const EMPTY = new EventBatch(Buffer.alloc(0), new Uint32Array(1))

/** A scanned batch may keep alive up to so many times its own length. */
const MAX_SCANNED_PIN = 3

/**
 * The batch of a scan, without a copy when it uses a fair part of its buffer. What arrives together in
 * one chunk is kept and given up together, as a rule, so the part may be smaller than a slice's: the
 * copy was a fifth of a receiver's processor time. The offsets are the batch's own, and are moved in place.
 */
function scanned(bytes: Buffer, offsets: Uint32Array): EventBatch {
  const start = offsets[0] as number
  const end = offsets[offsets.length - 1] as number
  // A small buffer can lie in Node's shared pool, whose size says nothing about this batch.
  const pinned = Math.max(bytes.length, bytes.buffer.byteLength)
  if ((end - start) * MAX_SCANNED_PIN >= pinned) return new EventBatch(bytes, offsets)
  const copy = Buffer.allocUnsafeSlow(end - start)
  bytes.copy(copy, 0, start, end)
  for (let i = 0; i < offsets.length; i += 1) offsets[i] = (offsets[i] as number) - start
  return new EventBatch(copy, offsets)
}

/**
 * One pass over untrusted Avro bytes that validates each AvroFlumeEvent and notes where it begins.
 *
 *     array<event> := block* 00
 *     block        := count event*  |  -count byteSize event*
 *     event        := map<string> bytes
 *     map<string>  := mapBlock* 00
 *     mapBlock     := count (string string)*  |  -count byteSize (string string)*
 *     string,bytes := length octet*
 *
 * Nothing is decoded and no object is made per event. The inner loop keeps its position in a local
 * and takes one-byte and two-byte varints inline; {@link VarintReader} does the rest.
 */
import { negativeLength, truncated, VarintReader } from './varint.js'
import { AvroError } from '@millrace/runtime'

/** Where the events of a scanned array lie. */
export interface Scan {
  /** Starts of the events in the scanned bytes, and behind them the end of the last one. */
  readonly offsets: Uint32Array
  /** Position behind the scanned datum. */
  readonly end: number
  /** False when block headers lie between events: then {@link Scan.gaps} lists them. */
  readonly gaps: readonly Gap[]
}

/** Bytes between two events that belong to neither: `size` bytes in front of the event `index`. */
export interface Gap {
  readonly index: number
  readonly size: number
}

/** The least that an event takes: an empty map and an empty body. */
const MIN_EVENT_BYTES = 2
/** The least that a map entry takes: two empty strings. */
const MIN_ENTRY_BYTES = 2

/**
 * Scans the array of an `appendBatch` call.
 * @throws AvroError truncated or invalid; the bytes are never read beyond `end`.
 */
export function scanArray(bytes: Uint8Array, start: number, end: number): Scan {
  const reader = new VarintReader(bytes, start, end)
  let offsets = new Uint32Array(1)
  let count = 0
  const gaps: Gap[] = []
  for (;;) {
    const blockStart = reader.position
    const blockCount = readBlockCount(reader, MIN_EVENT_BYTES)
    if (blockCount === 0) break
    if (count > 0) gaps.push({ index: count, size: reader.position - blockStart })
    const grown = new Uint32Array(count + blockCount + 1)
    grown.set(offsets.subarray(0, count))
    offsets = grown
    let at = reader.position
    for (let i = 0; i < blockCount; i += 1) {
      offsets[count] = at
      count += 1
      at = skipEvent(bytes, at, end)
    }
    offsets[count] = at
    reader.position = at
  }
  return { offsets, end: reader.position, gaps }
}

/** Scans one event, as in an `append` call. */
export function scanOne(bytes: Uint8Array, start: number, end: number): Scan {
  const offsets = new Uint32Array(2)
  offsets[0] = start
  offsets[1] = skipEvent(bytes, start, end)
  return { offsets, end: offsets[1], gaps: [] }
}

/** The position behind the event that begins at `start`. */
export function skipEvent(bytes: Uint8Array, start: number, end: number): number {
  let at = start
  // The usual map: one block of fewer than 64 entries, strings shorter than 8 KiB.
  if (at >= end) throw truncated()
  let entries = bytes[at] as number
  if (entries < 0x80 && (entries & 1) === 0) {
    at += 1
    while (entries !== 0) {
      for (let strings = entries; strings > 0; strings -= 1) at = skipBytes(bytes, at, end)
      if (at >= end) throw truncated()
      entries = bytes[at] as number
      if (entries >= 0x80 || (entries & 1) === 1) {
        at = skipMap(bytes, at, end)
        break
      }
      at += 1
    }
  } else {
    at = skipMap(bytes, at, end)
  }
  return skipBytes(bytes, at, end)
}

/** The position behind the map of strings that begins, or goes on with a block, at `start`. */
export function skipMap(bytes: Uint8Array, start: number, end: number): number {
  const reader = new VarintReader(bytes, start, end)
  for (;;) {
    const entries = readBlockCount(reader, MIN_ENTRY_BYTES)
    if (entries === 0) return reader.position
    let at = reader.position
    for (let strings = entries * 2; strings > 0; strings -= 1) at = skipBytes(bytes, at, end)
    reader.position = at
  }
}

/** The position behind the length-prefixed bytes that begin at `start`. */
function skipBytes(bytes: Uint8Array, start: number, end: number): number {
  let next: number
  const low = bytes[start] as number
  const high = bytes[start + 1] as number
  if (low < 0x80 && (low & 1) === 0) next = start + 1 + (low >> 1)
  else if (low >= 0x80 && high < 0x80 && (low & 1) === 0) {
    next = start + 2 + (((low & 0x7f) | (high << 7)) >> 1)
  } else next = skipLongBytes(bytes, start, end)
  if (!(next <= end)) throw truncated()
  return next
}

function skipLongBytes(bytes: Uint8Array, start: number, end: number): number {
  const reader = new VarintReader(bytes, start, end)
  const length = reader.readLong()
  if (length < 0) throw negativeLength(length)
  return reader.position + length
}

/**
 * Reads a block's count; a negative one is followed by the block's size in bytes, which is not
 * needed and, as in Java, not believed. A count that cannot fit into the rest is refused at once.
 */
export function readBlockCount(reader: VarintReader, minItemBytes: number): number {
  let count = reader.readLong()
  if (count < 0) {
    const size = reader.readLong()
    if (size < 0) {
      throw new AvroError(
        'MILLRACE_AVRO_INVALID',
        `Malformed data. Block size is negative: ${size}`,
      )
    }
    count = -count
  }
  if (count * minItemBytes > reader.end - reader.position) throw truncated()
  return count
}

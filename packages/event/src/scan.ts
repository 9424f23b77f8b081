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
import { AvroError } from '@millrace/runtime'
import { negativeLength, truncated, VarintReader } from './varint.js'

/** Where the events of a scanned datum lie. */
export interface Scan {
  /** What holds the events: the scanned bytes, or a copy without the block headers between events. */
  readonly bytes: Buffer
  /** Starts of the events in {@link Scan.bytes}, and behind them the end of the last one. */
  readonly offsets: Uint32Array
  /** Position behind the scanned datum, in the scanned bytes. */
  readonly end: number
}

/** The least that an event takes: an empty map and an empty body. */
const MIN_EVENT_BYTES = 2
/** The least that a map entry takes: two empty strings. */
const MIN_ENTRY_BYTES = 2
/** Up to this length a loop copies faster than a call of the system's. */
const SHORT_COPY_BYTES = 64

/**
 * Scans the array of an `appendBatch` call.
 * @throws AvroError truncated or invalid; the bytes are never read beyond `end`.
 */
export function scanArray(bytes: Buffer, start: number, end: number): Scan {
  const reader = new VarintReader(bytes, start, end)
  const count = readBlockCount(reader, MIN_EVENT_BYTES)
  const offsets = new Uint32Array(count + 1)
  if (count === 0) return { bytes, offsets, end: reader.position }
  let at = reader.position
  for (let i = 0; i < count; i += 1) {
    offsets[i] = at
    at = skipEvent(bytes, at, end)
  }
  offsets[count] = at
  reader.position = at
  if (readBlockCount(reader, MIN_EVENT_BYTES) > 0) return scanBlocks(bytes, start, end)
  return { bytes, offsets, end: reader.position }
}

/**
 * Scans an array of several blocks and copies their events together. Blocks are counted first: a
 * peer may put each event into a block of its own, so nothing is kept for a block.
 */
function scanBlocks(bytes: Buffer, start: number, end: number): Scan {
  let events = 0
  let length = 0
  const arrayEnd = forEachBlock(bytes, start, end, (count, from) => {
    let at = from
    for (let i = 0; i < count; i += 1) at = skipEvent(bytes, at, end)
    events += count
    length += at - from
    return at
  })
  const copy = Buffer.allocUnsafeSlow(length)
  const offsets = new Uint32Array(events + 1)
  let index = 0
  let filled = 0
  forEachBlock(bytes, start, end, (count, from) => {
    let at = from
    for (let i = 0; i < count; i += 1) {
      offsets[index] = filled + at - from
      index += 1
      at = skipEvent(bytes, at, end)
    }
    filled = copyRange(bytes, { from, to: at }, copy, filled)
    return at
  })
  offsets[events] = length
  return { bytes: copy, offsets, end: arrayEnd }
}

/** Calls `scan` with the count and the start of each block; it answers where the block ends. */
function forEachBlock(
  bytes: Buffer,
  start: number,
  end: number,
  scan: (count: number, from: number) => number,
): number {
  const reader = new VarintReader(bytes, start, end)
  for (;;) {
    const count = readBlockCount(reader, MIN_EVENT_BYTES)
    if (count === 0) return reader.position
    reader.position = scan(count, reader.position)
  }
}

/** Copies a range to `target` at `at`; gives the position behind it. */
function copyRange(
  source: Buffer,
  { from, to }: { from: number; to: number },
  target: Buffer,
  at: number,
): number {
  if (to - from > SHORT_COPY_BYTES) return at + source.copy(target, at, from, to)
  for (let i = from; i < to; i += 1) target[at + i - from] = source[i] as number
  return at + to - from
}

/** Scans one event, as in an `append` call. */
export function scanOne(bytes: Buffer, start: number, end: number): Scan {
  const offsets = new Uint32Array(2)
  offsets[0] = start
  offsets[1] = skipEvent(bytes, start, end)
  return { bytes, offsets, end: offsets[1] }
}

/** Starts of `count` events that stand one behind the other and fill `bytes`, and behind them its length. */
export function scanEvents(bytes: Buffer, count: number): Uint32Array {
  const end = bytes.length
  if (count * MIN_EVENT_BYTES > end) throw truncated()
  const offsets = new Uint32Array(count + 1)
  let at = 0
  for (let i = 0; i < count; i += 1) {
    offsets[i] = at
    at = skipEvent(bytes, at, end)
  }
  if (at !== end) {
    throw new AvroError('MILLRACE_AVRO_INVALID', `${end - at} bytes follow the last event`)
  }
  offsets[count] = at
  return offsets
}

/** The position behind the event that begins at `start`. */
export function skipEvent(bytes: Uint8Array, start: number, end: number): number {
  return skipBytes(bytes, skipHeaders(bytes, start, end), end)
}

/** The position behind the headers of the event that begins at `start`. */
export function skipHeaders(bytes: Uint8Array, start: number, end: number): number {
  if (start >= end) throw truncated()
  // The usual map: blocks of fewer than 64 entries, strings shorter than 8 KiB.
  let at = start
  let entries = bytes[at] as number
  while (entries < 0x80 && (entries & 1) === 0) {
    at += 1
    if (entries === 0) return at
    for (let strings = entries; strings > 0; strings -= 1) at = skipBytes(bytes, at, end)
    if (at >= end) throw truncated()
    entries = bytes[at] as number
  }
  return skipMap(bytes, at, end)
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
 * needed and, as in Java, not looked at. A count that cannot fit into the rest is refused at once.
 */
export function readBlockCount(reader: VarintReader, minItemBytes: number): number {
  let count = reader.readLong()
  if (count < 0) {
    reader.readLong()
    count = -count
  }
  if (count * minItemBytes > reader.end - reader.position) throw truncated()
  return count
}

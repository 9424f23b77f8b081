/** Where the consumers of a log stand. See `docs/formats/wal.md`, "Cursors". */
import { readUint64, writeUint64 } from './integers.js'

/** Event sequences from the first up to, and without, the second. */
export type SequenceRange = readonly [from: number, to: number]

export interface Cursor {
  readonly consumer: string
  /** Everything before this event sequence is done. */
  readonly sequence: number
  /** What is done above it: ordered, apart from each other. */
  readonly doneAbove: readonly SequenceRange[]
}

/**
 * Most ranges of one consumer that are stored. A crash hands events out again that were done in ranges
 * beyond it.
 */
export const MAX_STORED_RANGES = 1000
/** Most consumers of a log. */
export const MAX_CONSUMERS = 16
/** Longest name of a consumer in bytes of UTF-8. */
export const MAX_CONSUMER_NAME_BYTES = 255

/** Stores at most `maxRanges` ranges of each cursor: the lowest ones. */
export function encodeCursors(cursors: readonly Cursor[], maxRanges = MAX_STORED_RANGES): Buffer {
  const names = cursors.map(({ consumer }) => Buffer.from(consumer, 'utf8'))
  let bytes = 2
  cursors.forEach(({ doneAbove }, index) => {
    const ranges = Math.min(doneAbove.length, maxRanges)
    bytes += 1 + (names[index] as Buffer).length + 12 + ranges * 16
  })
  const target = Buffer.alloc(bytes)
  let at = target.writeUInt16LE(cursors.length, 0)
  cursors.forEach(({ sequence, doneAbove }, index) => {
    const name = names[index] as Buffer
    at = target.writeUInt8(name.length, at)
    at += name.copy(target, at)
    writeUint64(target, sequence, at)
    const ranges = doneAbove.slice(0, maxRanges)
    at = target.writeUInt32LE(ranges.length, at + 8)
    for (const [from, to] of ranges) {
      writeUint64(target, from, at)
      writeUint64(target, to, at + 8)
      at += 16
    }
  })
  return target
}

/** Most bytes that the cursors of a log take in a record of a segment of `segmentBytes`. */
export function cursorAllowance(segmentBytes: number): number {
  return Math.min(256 * 1024, Math.floor(segmentBytes / 8))
}

/** How many ranges of each of `consumers` cursors fit into the allowance. */
export function rangesThatFit(segmentBytes: number, consumers: number): number {
  const perConsumer = (cursorAllowance(segmentBytes) - 2) / Math.max(1, consumers)
  const ranges = Math.floor((perConsumer - MAX_CONSUMER_NAME_BYTES - 13) / 16)
  return Math.max(0, Math.min(MAX_STORED_RANGES, ranges))
}

/** @throws RangeError when the bytes end early; their checksum says whether they can be trusted. */
export function decodeCursors(bytes: Buffer): Cursor[] {
  const cursors: Cursor[] = []
  const count = bytes.readUInt16LE(0)
  let at = 2
  for (let i = 0; i < count; i += 1) {
    const nameBytes = bytes.readUInt8(at)
    const consumer = bytes.toString('utf8', at + 1, at + 1 + nameBytes)
    at += 1 + nameBytes
    const sequence = readUint64(bytes, at)
    const ranges = bytes.readUInt32LE(at + 8)
    at += 12
    const doneAbove: SequenceRange[] = []
    for (let range = 0; range < ranges; range += 1) {
      doneAbove.push([readUint64(bytes, at), readUint64(bytes, at + 8)])
      at += 16
    }
    cursors.push({ consumer, sequence, doneAbove })
  }
  return cursors
}

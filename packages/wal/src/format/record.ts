/** Records: what a segment consists of behind its header. See `docs/formats/wal.md`, "Records". */
import { crc32 } from 'node:zlib'
import { readUint64, writeUint64 } from './integers.js'

/** Length of a record's header in bytes. */
export const RECORD_HEADER_BYTES = 64
/** Records begin at multiples of this many bytes. */
export const RECORD_ALIGNMENT = 8
/** Only these bytes of the header are covered by its own checksum; those before hold mark and checksum. */
const CHECKED_FROM = 8

export const RECORD_EVENTS = 1
export const RECORD_CURSORS = 2
/** Stands where damaged bytes were that repair has set aside. Holds nothing; readers step over it. */
export const RECORD_VOID = 3

/** What makes the records of one use of a segment recognisable: both are random. */
export interface Seal {
  /** First four bytes of each record. Never 0. */
  readonly mark: number
  /** Start value of each checksum. */
  readonly seed: number
}

export interface RecordHeader {
  /** Position of the record in its segment, in bytes. */
  readonly offset: number
  readonly type: number
  readonly bodyBytes: number
  /** Number of events in the body; 0 for cursors. */
  readonly events: number
  /** Rises from record to record; failed writes leave holes. */
  readonly id: number
  /** Sequence of the first event; for cursors that of the event that comes next. */
  readonly firstSequence: number
  readonly appendedAtMs: number
  /** Up to this offset of the segment everything was safe when the record was written. */
  readonly frontier: number
  readonly bodyCrc: number
}

/** Length of a record with its header and padding, in bytes. */
export function recordBytes(bodyBytes: number): number {
  return RECORD_HEADER_BYTES + Math.ceil(bodyBytes / RECORD_ALIGNMENT) * RECORD_ALIGNMENT
}

export function writeRecordHeader(
  target: Buffer,
  at: number,
  seal: Seal,
  header: RecordHeader,
): void {
  target.writeUInt32LE(header.offset, at + 8)
  target.writeUInt32LE(header.bodyBytes, at + 12)
  target.writeUInt32LE(header.type, at + 16)
  target.writeUInt32LE(header.events, at + 20)
  writeUint64(target, header.id, at + 24)
  writeUint64(target, header.firstSequence, at + 32)
  writeUint64(target, header.appendedAtMs, at + 40)
  target.writeUInt32LE(header.frontier, at + 48)
  target.writeUInt32LE(header.bodyCrc, at + 52)
  target.writeUInt32LE(0, at + 56)
  target.writeUInt32LE(0, at + 60)
  sealRecordHeader(target, at, seal)
}

/** Makes a header whose other fields are written the one of a valid record. */
export function sealRecordHeader(target: Buffer, at: number, seal: Seal): void {
  target.writeUInt32LE(seal.mark, at)
  const checked = target.subarray(at + CHECKED_FROM, at + RECORD_HEADER_BYTES)
  target.writeUInt32LE(crc32(checked, seal.seed), at + 4)
}

/** The header at `at` in `bytes`, or undefined when none that belongs to `offset` of this segment stands there. */
export function readRecordHeader(
  bytes: Buffer,
  at: number,
  seal: Seal,
  offset: number,
): RecordHeader | undefined {
  if (at + RECORD_HEADER_BYTES > bytes.length) return undefined
  if (bytes.readUInt32LE(at) !== seal.mark || bytes.readUInt32LE(at + 8) !== offset) {
    return undefined
  }
  const checked = bytes.subarray(at + CHECKED_FROM, at + RECORD_HEADER_BYTES)
  if (bytes.readUInt32LE(at + 4) !== crc32(checked, seal.seed)) return undefined
  return {
    offset,
    bodyBytes: bytes.readUInt32LE(at + 12),
    type: bytes.readUInt32LE(at + 16),
    events: bytes.readUInt32LE(at + 20),
    id: readUint64(bytes, at + 24),
    firstSequence: readUint64(bytes, at + 32),
    appendedAtMs: readUint64(bytes, at + 40),
    frontier: bytes.readUInt32LE(at + 48),
    bodyCrc: bytes.readUInt32LE(at + 52),
  }
}

export function bodyChecksum(body: Uint8Array, seal: Seal): number {
  return crc32(body, seal.seed)
}

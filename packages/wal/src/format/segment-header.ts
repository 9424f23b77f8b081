/** The block at the start of each segment. See `docs/formats/wal.md`, "Segments". */
import { crc32 } from 'node:zlib'
import { LogError } from '@millrace/runtime'
import { readUint64, writeUint64 } from './integers.js'
import type { Seal } from './record.js'

export const FORMAT_VERSION = 1
/** Length of the header block in bytes; the first record follows. */
export const HEADER_BLOCK_BYTES = 8192
/** Both hold the same header, a page apart, so that damage to one of them loses nothing. */
const COPIES = [0, HEADER_BLOCK_BYTES / 2] as const
const HEADER_BYTES = 128
const CHECKED_FROM = 12
const MAGIC = Buffer.from('MILLRLOG', 'latin1')

export interface SegmentHeader {
  /** Says which log the segment belongs to: 32 hexadecimal digits. */
  readonly logId: string
  /** Rises from segment to segment; never used again. */
  readonly id: number
  /** Number in the name of the file that it was written to. */
  readonly fileNumber: number
  /** Length of the file in bytes that records may use. */
  readonly bytes: number
  readonly seal: Seal
  /** Id of the segment before, or 0. */
  readonly previousId: number
  /** Where the segment before ends, in bytes. */
  readonly previousEnd: number
  readonly firstSequence: number
  readonly firstRecordId: number
  readonly createdAtMs: number
}

export function encodeSegmentHeader(header: SegmentHeader): Buffer {
  const block = Buffer.alloc(HEADER_BLOCK_BYTES)
  MAGIC.copy(block)
  block.writeUInt32LE(FORMAT_VERSION, 12)
  block.write(header.logId, 16, 'hex')
  writeUint64(block, header.id, 32)
  writeUint64(block, header.fileNumber, 40)
  block.writeUInt32LE(header.bytes, 48)
  block.writeUInt32LE(header.seal.mark, 52)
  block.writeUInt32LE(header.seal.seed, 56)
  block.writeUInt32LE(header.previousEnd, 60)
  writeUint64(block, header.previousId, 64)
  writeUint64(block, header.firstSequence, 72)
  writeUint64(block, header.firstRecordId, 80)
  writeUint64(block, header.createdAtMs, 88)
  // 96: id of the key, 0 = clear; 104: salt of the key, 16 bytes; 120: reserved.
  block.writeUInt32LE(crc32(block.subarray(CHECKED_FROM, HEADER_BYTES)), 8)
  block.copy(block, COPIES[1], 0, HEADER_BYTES)
  return block
}

/**
 * The header of a block; of two that differ the younger one.
 * @returns undefined when neither copy is valid.
 * @throws LogError `MILLRACE_LOG_VERSION` for a valid header of a newer version.
 */
export function decodeSegmentHeader(block: Buffer, path: string): SegmentHeader | undefined {
  let found: SegmentHeader | undefined
  for (const at of COPIES) {
    const header = decodeCopy(block.subarray(at, at + HEADER_BYTES), path)
    if (header && (!found || header.id > found.id)) found = header
  }
  return found
}

function decodeCopy(copy: Buffer, path: string): SegmentHeader | undefined {
  if (copy.length < HEADER_BYTES || !copy.subarray(0, MAGIC.length).equals(MAGIC)) return undefined
  if (copy.readUInt32LE(8) !== crc32(copy.subarray(CHECKED_FROM))) return undefined
  checkVersion(copy.readUInt32LE(12), path)
  return {
    logId: copy.toString('hex', 16, 32),
    id: readUint64(copy, 32),
    fileNumber: readUint64(copy, 40),
    bytes: copy.readUInt32LE(48),
    seal: { mark: copy.readUInt32LE(52), seed: copy.readUInt32LE(56) },
    previousEnd: copy.readUInt32LE(60),
    previousId: readUint64(copy, 64),
    firstSequence: readUint64(copy, 72),
    firstRecordId: readUint64(copy, 80),
    createdAtMs: readUint64(copy, 88),
  }
}

/** @throws LogError `MILLRACE_LOG_VERSION` for a version that this code does not know. */
export function checkVersion(version: number, path: string): void {
  if (version === FORMAT_VERSION) return
  throw new LogError(
    'MILLRACE_LOG_VERSION',
    `${path} has format version ${version}; this version of Millrace reads version ${FORMAT_VERSION}. Nothing was changed`,
  )
}

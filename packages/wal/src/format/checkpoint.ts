/** The two slots of `cursors.wal`. See `docs/formats/wal.md`, "Checkpoint". */
import { crc32 } from 'node:zlib'
import { type Cursor, decodeCursors, encodeCursors } from './cursors.js'
import { readUint64, writeUint64 } from './integers.js'
import { checkVersion, FORMAT_VERSION } from './segment-header.js'

/** Length of each of the two slots in bytes. */
export const SLOT_BYTES = 256 * 1024
export const SLOTS = 2
/** Most data directories of a log. */
export const MAX_DATA_DIRECTORIES = 64
/** So much of a slot's start holds its generation, in bytes. */
export const SLOT_START_BYTES = 32
const MAGIC = Buffer.from('MILLRCUR', 'latin1')
const CHECKED_FROM = 12
const FIXED_BYTES = 120
const FLAG_CLOSED = 1

/** What is known to be safe: everything before it survives a loss of power. */
export interface Frontier {
  /** Segment and offset in it up to which everything is safe. Segment 0: there is none yet. */
  readonly segmentId: number
  readonly offset: number
  /** Sequence of the first event that is not known to be safe. */
  readonly nextSequence: number
  readonly nextRecordId: number
}

export interface Checkpoint {
  /** Rises from one to the next. */
  readonly generation: number
  readonly logId: string
  /** The opening of the log that wrote it: 32 hexadecimal digits. */
  readonly ownerId: string
  /** Whether the log was closed and nothing was written after this. */
  readonly isClosed: boolean
  readonly frontier: Frontier
  /** Number that the name of the next new file gets. */
  readonly nextFileNumber: number
  /** Ids of the data directories in use. */
  readonly directoryIds: readonly string[]
  /** Record id from which on a record of cursors is younger than these. */
  readonly cursorsAsOf: number
  readonly cursors: readonly Cursor[]
}

export function encodeCheckpoint(checkpoint: Checkpoint): Buffer {
  const { directoryIds, frontier } = checkpoint
  const cursors = encodeCursors(checkpoint.cursors)
  const slot = Buffer.alloc(FIXED_BYTES + directoryIds.length * 16 + cursors.length)
  MAGIC.copy(slot)
  slot.writeUInt32LE(FORMAT_VERSION, 12)
  slot.writeUInt32LE(slot.length, 16)
  slot.writeUInt32LE(checkpoint.isClosed ? FLAG_CLOSED : 0, 20)
  writeUint64(slot, checkpoint.generation, 24)
  slot.write(checkpoint.logId, 32, 'hex')
  slot.write(checkpoint.ownerId, 48, 'hex')
  writeUint64(slot, frontier.segmentId, 64)
  slot.writeUInt32LE(frontier.offset, 72)
  slot.writeUInt32LE(directoryIds.length, 76)
  writeUint64(slot, frontier.nextSequence, 80)
  writeUint64(slot, frontier.nextRecordId, 88)
  writeUint64(slot, checkpoint.nextFileNumber, 96)
  writeUint64(slot, checkpoint.cursorsAsOf, 104)
  directoryIds.forEach((id, index) => slot.write(id, FIXED_BYTES + index * 16, 'hex'))
  cursors.copy(slot, FIXED_BYTES + directoryIds.length * 16)
  slot.writeUInt32LE(crc32(slot.subarray(CHECKED_FROM)), 8)
  return slot
}

/** The generation that the start of a slot states, which only its checksum proves. */
export function generationOf(start: Buffer): number {
  return readUint64(start, 24)
}

/**
 * @returns undefined when the slot holds no valid checkpoint.
 * @throws LogError `MILLRACE_LOG_VERSION` for a valid one of a newer version.
 */
export function decodeCheckpoint(slot: Buffer, path: string): Checkpoint | undefined {
  if (slot.length < FIXED_BYTES || !slot.subarray(0, MAGIC.length).equals(MAGIC)) return undefined
  const length = slot.readUInt32LE(16)
  if (length < FIXED_BYTES || length > slot.length) return undefined
  if (slot.readUInt32LE(8) !== crc32(slot.subarray(CHECKED_FROM, length))) return undefined
  checkVersion(slot.readUInt32LE(12), path)
  const directories = slot.readUInt32LE(76)
  const directoryIds = Array.from({ length: directories }, (_, index) =>
    slot.toString('hex', FIXED_BYTES + index * 16, FIXED_BYTES + (index + 1) * 16),
  )
  return {
    generation: readUint64(slot, 24),
    logId: slot.toString('hex', 32, 48),
    ownerId: slot.toString('hex', 48, 64),
    isClosed: (slot.readUInt32LE(20) & FLAG_CLOSED) !== 0,
    frontier: {
      segmentId: readUint64(slot, 64),
      offset: slot.readUInt32LE(72),
      nextSequence: readUint64(slot, 80),
      nextRecordId: readUint64(slot, 88),
    },
    nextFileNumber: readUint64(slot, 96),
    directoryIds,
    cursorsAsOf: readUint64(slot, 104),
    cursors: decodeCursors(slot.subarray(FIXED_BYTES + directories * 16, length)),
  }
}

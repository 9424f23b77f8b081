import { EventBatch } from '@millrace/event'
import {
  bodyChecksum,
  RECORD_EVENTS,
  RECORD_HEADER_BYTES,
  recordBytes,
  type Seal,
  sealRecordHeader,
} from '../format/record.js'
import { writeUint64 } from '../format/integers.js'
import { TERMINATOR_BYTES } from './group-encoder.js'

/** Longest record that is put together here, its header included, in bytes. */
const MAX_RECORD_BYTES = 16 * 1024

/** Encoded events that lie in somebody's memory. */
export interface EventBytes {
  readonly source: Buffer
  readonly from: number
  readonly to: number
  readonly events: number
}

/** A copy of them as a batch. */
export function copyOf({ source, from, to, events }: EventBytes): EventBatch {
  return EventBatch.scanEvents(Buffer.from(source.subarray(from, to)), events)
}

export interface RecordPlace {
  readonly seal: Seal
  /** Position in its segment. */
  readonly offset: number
  readonly frontier: number
  readonly id: number
  readonly firstSequence: number
  readonly nowMs: number
  /** Bytes that the segment has behind `offset`. */
  readonly room: number
}

/**
 * Puts one record of events and the zeroes behind it together, always in the same memory and without objects:
 * the way of a record whose writer waits for it, such as the call of a logger.
 */
export class DirectRecord {
  readonly #bytes = Buffer.alloc(MAX_RECORD_BYTES + TERMINATOR_BYTES)

  /** Whether a body of this length fits. */
  holds(bodyBytes: number): boolean {
    return recordBytes(bodyBytes) <= MAX_RECORD_BYTES
  }

  /** The record and what is to stand behind it: good until the next call. */
  encode({ source, from, to, events }: EventBytes, place: RecordPlace): Buffer {
    const bytes = this.#bytes
    const { seal } = place
    const bodyBytes = to - from
    source.copy(bytes, RECORD_HEADER_BYTES, from, to)
    const end = recordBytes(bodyBytes)
    const behind = end + Math.min(TERMINATOR_BYTES, place.room - end)
    bytes.fill(0, RECORD_HEADER_BYTES + bodyBytes, behind)
    const body = bytes.subarray(RECORD_HEADER_BYTES, RECORD_HEADER_BYTES + bodyBytes)
    bytes.writeUInt32LE(place.offset, 8)
    bytes.writeUInt32LE(bodyBytes, 12)
    bytes.writeUInt32LE(RECORD_EVENTS, 16)
    bytes.writeUInt32LE(events, 20)
    writeUint64(bytes, place.id, 24)
    writeUint64(bytes, place.firstSequence, 32)
    writeUint64(bytes, place.nowMs, 40)
    bytes.writeUInt32LE(place.frontier, 48)
    bytes.writeUInt32LE(bodyChecksum(body, seal), 52)
    sealRecordHeader(bytes, 0, seal)
    return bytes.subarray(0, behind)
  }
}

import type { EventBatch } from '@millrace/event'
import {
  bodyChecksum,
  RECORD_CURSORS,
  RECORD_EVENTS,
  RECORD_HEADER_BYTES,
  recordBytes,
  type Seal,
  writeRecordHeader,
} from '../format/record.js'

/** A body up to this length is copied beside its header; a longer one is written from where it lies. */
const COPY_BYTES = 2048
/** Zeroes behind each group: a reader that finds them knows that nothing was torn there. */
export const TERMINATOR_BYTES = RECORD_HEADER_BYTES

export interface GroupPlace {
  readonly seal: Seal
  /** Position of the first record in its segment. */
  readonly offset: number
  readonly frontier: number
  readonly firstRecordId: number
  readonly firstSequence: number
  readonly nowMs: number
  /** Bytes that the segment has behind `offset`. */
  readonly room: number
}

export interface EncodedGroup {
  readonly buffers: readonly Buffer[]
  /** Position and id of the first record. */
  readonly start: number
  readonly firstRecordId: number
  /** Position behind the last record. */
  readonly end: number
  readonly nextRecordId: number
  readonly nextSequence: number
}

/** Records for cursors, if given, and for batches in their order, as buffers for one write. */
export function encodeGroup(
  place: GroupPlace,
  cursors: Buffer | undefined,
  batches: readonly EventBatch[],
): EncodedGroup {
  const bodies = batches.map((batch) => batch.bytes)
  const staging = Buffer.allocUnsafeSlow(stagedBytes(cursors, bodies))
  const buffers: Buffer[] = []
  let stagedFrom = 0
  let at = 0
  let offset = place.offset
  let id = place.firstRecordId
  let sequence = place.firstSequence
  const add = (type: number, body: Buffer, events: number) => {
    writeRecordHeader(staging, at, place.seal, {
      offset,
      type,
      bodyBytes: body.length,
      events,
      id,
      firstSequence: sequence,
      appendedAtMs: place.nowMs,
      frontier: place.frontier,
      bodyCrc: bodyChecksum(body, place.seal),
    })
    at += RECORD_HEADER_BYTES
    if (body.length <= COPY_BYTES) at += body.copy(staging, at)
    else {
      buffers.push(staging.subarray(stagedFrom, at), body)
      stagedFrom = at
    }
    const padding = recordBytes(body.length) - RECORD_HEADER_BYTES - body.length
    staging.fill(0, at, at + padding)
    at += padding
    offset += recordBytes(body.length)
    id += 1
    sequence += events
  }
  if (cursors) add(RECORD_CURSORS, cursors, 0)
  bodies.forEach((body, index) => add(RECORD_EVENTS, body, (batches[index] as EventBatch).size))
  const terminator = Math.min(TERMINATOR_BYTES, place.offset + place.room - offset)
  staging.fill(0, at, at + terminator)
  buffers.push(staging.subarray(stagedFrom, at + terminator))
  return {
    buffers,
    start: place.offset,
    firstRecordId: place.firstRecordId,
    end: offset,
    nextRecordId: id,
    nextSequence: sequence,
  }
}

function stagedBytes(cursors: Buffer | undefined, bodies: readonly Buffer[]): number {
  let bytes = TERMINATOR_BYTES
  if (cursors) bytes += recordBytes(cursors.length)
  for (const body of bodies) {
    const length = recordBytes(body.length)
    bytes += body.length <= COPY_BYTES ? length : length - body.length
  }
  return bytes
}

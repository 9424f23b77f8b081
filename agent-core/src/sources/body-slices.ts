/** Batches of events whose bodies lie in one buffer and whose headers are all the same. */
import { ByteWriter, EventBatch, varintSize, writeVarint } from '@millrace/event'

/** The encoded header map of an event, to be used for many. */
export function encodeHeaders(headers: Readonly<Record<string, string>>): Buffer {
  const names = Object.keys(headers)
  const writer = new ByteWriter(64)
  if (names.length > 0) writer.writeVarint(names.length)
  for (const name of names) {
    writer.writeString(name)
    writer.writeString(headers[name] ?? '')
  }
  writer.writeVarint(0)
  return Buffer.from(writer.buffer.subarray(0, writer.position))
}

export const NO_HEADERS: Buffer = encodeHeaders({})

/**
 * Makes an event of each slice. The bytes are copied once, to the end of the batch's memory, and
 * each body is then moved forward to its place, behind its headers and its length: moving within
 * one buffer costs a fraction of copying between two.
 * @param slices start and end of each body in `bytes`, in order and without overlap.
 * @param headers the encoded header map, see {@link encodeHeaders}.
 */
export function batchOfSlices(
  bytes: Uint8Array,
  slices: readonly number[],
  headers: Buffer = NO_HEADERS,
): EventBatch {
  const count = slices.length >> 1
  if (count === 0) return EventBatch.empty()
  const from = slices[0] as number
  const to = slices[slices.length - 1] as number
  let overhead = headers.length * count
  for (let i = 0; i < slices.length; i += 2) {
    overhead += varintSize((slices[i + 1] as number) - (slices[i] as number))
  }
  const target = Buffer.allocUnsafeSlow(overhead + to - from)
  target.set(bytes.subarray(from, to), overhead)
  const shift = overhead - from
  const offsets = new Uint32Array(count + 1)
  let at = 0
  for (let i = 0; i < count; i += 1) {
    const start = slices[2 * i] as number
    const end = slices[2 * i + 1] as number
    offsets[i] = at
    if (headers.length === 1) target[at] = 0
    else target.set(headers, at)
    at = writeVarint(target, at + headers.length, end - start)
    target.copyWithin(at, start + shift, end + shift)
    at += end - start
  }
  offsets[count] = at
  return new EventBatch(target, offsets)
}

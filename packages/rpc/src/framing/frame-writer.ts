/**
 * Writes frames ("data packs"):
 *
 *     frame := serial listSize (length octet*){listSize}      all int32, big-endian
 */

/** The fixed part of a frame. */
export const FRAME_HEADER_BYTES = 8
/** In front of each buffer of a frame. */
export const BUFFER_HEADER_BYTES = 4

/** Length of the frame of these buffers. */
export function frameLength(buffers: readonly Uint8Array[]): number {
  let length = FRAME_HEADER_BYTES
  for (const buffer of buffers) length += BUFFER_HEADER_BYTES + buffer.length
  return length
}

/** Writes a frame into `target`; gives the position behind it. */
export function writeFrame(
  target: Buffer,
  position: number,
  frame: { serial: number; buffers: readonly Uint8Array[] },
): number {
  let at = target.writeInt32BE(frame.serial, position)
  at = target.writeInt32BE(frame.buffers.length, at)
  for (const buffer of frame.buffers) {
    at = target.writeInt32BE(buffer.length, at)
    target.set(buffer, at)
    at += buffer.length
  }
  return at
}

export function encodeFrame(serial: number, buffers: readonly Uint8Array[]): Buffer {
  const target = Buffer.allocUnsafe(frameLength(buffers))
  writeFrame(target, 0, { serial, buffers })
  return target
}

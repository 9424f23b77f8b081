import type { FileHandle } from 'node:fs/promises'

/** Fills the buffer from a position of the file on; what it gives is shorter where the file ends. */
export async function readAt(file: FileHandle, into: Buffer, position: number): Promise<Buffer> {
  let length = 0
  while (length < into.length) {
    const { bytesRead } = await file.read(into, length, into.length - length, position + length)
    if (bytesRead === 0) break
    length += bytesRead
  }
  return into.subarray(0, length)
}

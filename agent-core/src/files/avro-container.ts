/**
 * Avro's object container files, as far as their frame goes:
 *
 *     file   := "Obj" 01 metadata sync block*
 *     block  := count size octet*size sync       count and size are zig-zag longs
 */
import { VarintReader } from '@millrace/event'
import { InputError } from '@millrace/runtime'

const MAGIC = Buffer.from([0x4f, 0x62, 0x6a, 0x01])
export const SYNC_BYTES = 16
/** Longest encoding of a block's count and size, in bytes. */
export const MAX_BLOCK_HEAD_BYTES = 20

export interface ContainerHead {
  readonly metadata: ReadonlyMap<string, Buffer>
  readonly sync: Buffer
  /** Length of the head in bytes: the first block begins there. */
  readonly length: number
}

export interface ContainerBlock {
  /** Objects in the block. */
  readonly count: number
  readonly start: number
  readonly end: number
}

/**
 * Reads the head of a file whose first bytes are given.
 * @returns undefined when the head is longer than what is given.
 * @throws InputError when the file is no container.
 */
export function readHead(bytes: Buffer): ContainerHead | undefined {
  if (bytes.length >= MAGIC.length && !bytes.subarray(0, MAGIC.length).equals(MAGIC)) {
    throw new InputError('it is no Avro container file')
  }
  try {
    const reader = new VarintReader(bytes, MAGIC.length, bytes.length)
    const metadata = new Map<string, Buffer>()
    for (let count = reader.readLong(); count !== 0; count = reader.readLong()) {
      if (count < 0) reader.readLong()
      for (let i = Math.abs(count); i > 0; i -= 1) {
        const key = readBytes(reader).toString()
        metadata.set(key, Buffer.from(readBytes(reader)))
      }
    }
    const { position } = reader
    if (position + SYNC_BYTES > bytes.length) return undefined
    const sync = Buffer.from(bytes.subarray(position, position + SYNC_BYTES))
    return { metadata, sync, length: position + SYNC_BYTES }
  } catch (error) {
    if (error instanceof Error && Reflect.get(error, 'code') === 'MILLRACE_AVRO_TRUNCATED') {
      return undefined
    }
    throw error
  }
}

/**
 * Reads what stands in front of a block's data at a position in `bytes`.
 * @returns undefined when it does not end there.
 */
export function readBlock(bytes: Buffer, position: number): ContainerBlock | undefined {
  const end = Math.min(bytes.length, position + MAX_BLOCK_HEAD_BYTES)
  const reader = new VarintReader(bytes, position, end)
  try {
    const count = reader.readLong()
    const size = reader.readLong()
    if (count < 0 || size < 0) throw new InputError('a block of the Avro file is damaged')
    return { count, start: reader.position, end: reader.position + size }
  } catch (error) {
    if (error instanceof Error && Reflect.get(error, 'code') === 'MILLRACE_AVRO_TRUNCATED') {
      return undefined
    }
    throw error
  }
}

function readBytes(reader: VarintReader): Buffer {
  const length = reader.readLong()
  const start = reader.position
  const bytes = reader.bytes
  if (length < 0) throw new InputError('the head of the Avro file is damaged')
  if (start + length > reader.end) {
    // As the reader does when the bytes end inside a number.
    reader.position = reader.end
    reader.readLong()
  }
  reader.position = start + length
  return Buffer.from(bytes.buffer, bytes.byteOffset + start, length)
}

/** The first bytes of a file, by which it is known again when its inode number is used anew. */
import { createHash } from 'node:crypto'
import type { FileHandle } from 'node:fs/promises'
import { readAt } from '../../files/read-at.js'

/** How many bytes tell a file from others. */
const MAX_HEAD_BYTES = 1_024

/** A file's first bytes as far as they were delivered, at most 1,024. */
export interface FileHead {
  readonly bytes: number
  /** The first 16 bytes of their SHA-256, in hexadecimal digits. */
  readonly hash: string
}

/** Grows with what is delivered of a file, until it is complete. */
export class GrowingHead {
  #bytes: Buffer
  #head: FileHead | undefined

  /** @param bytes what was delivered before. */
  constructor(bytes: Buffer = Buffer.alloc(0)) {
    this.#bytes = bytes
  }

  /** The head of what was delivered up to now. */
  get head(): FileHead {
    this.#head ??= { bytes: this.#bytes.length, hash: hashOf(this.#bytes) }
    return this.#head
  }

  /** Adds what was delivered: `bytes` is the file from `offset` on, without a gap to what came before. */
  extend(bytes: Buffer, offset: number): void {
    const have = this.#bytes.length
    if (have === MAX_HEAD_BYTES || offset + bytes.length <= have) return
    const more = bytes.subarray(have - offset, MAX_HEAD_BYTES - offset)
    this.#bytes = Buffer.concat([this.#bytes, more])
    this.#head = undefined
  }
}

/** The head of a file of which `position` bytes were delivered. */
export async function readHead(file: FileHandle, position: number): Promise<GrowingHead> {
  const wanted = Buffer.allocUnsafe(Math.min(position, MAX_HEAD_BYTES))
  return new GrowingHead(Buffer.from(await readAt(file, wanted, 0)))
}

export const isSameHead = (a: FileHead, b: FileHead): boolean =>
  a.bytes === b.bytes && a.hash === b.hash

function hashOf(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex').slice(0, 32)
}

/** Beginnings of compressed files, which have no lines. */
const COMPRESSED: readonly (readonly [string, Buffer])[] = [
  ['gzip', Buffer.from([0x1f, 0x8b])],
  ['bzip2', Buffer.from('BZh')],
  ['xz', Buffer.from([0xfd, 0x37, 0x7a, 0x58, 0x5a, 0x00])],
  ['zstandard', Buffer.from([0x28, 0xb5, 0x2f, 0xfd])],
]

/** The name of the compression that the first bytes of a file tell, if they tell one. */
export function compressionOf(beginning: Buffer): string | undefined {
  return COMPRESSED.find(([, magic]) => beginning.subarray(0, magic.length).equals(magic))?.[0]
}

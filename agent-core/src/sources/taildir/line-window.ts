/** Whole lines out of a file: the part of it that is in memory. */
import type { FileHandle } from 'node:fs/promises'
import { readAt } from '../../files/read-at.js'

/** Memory for the files of one source together, in bytes; a longer line has memory of its own. */
const WINDOW_BYTES = 256 * 1_024

const LINE_FEED = 0x0a
const CARRIAGE_RETURN = 0x0d

/** Lines as they lie in a file. */
export interface Lines {
  readonly bytes: Buffer
  /** Start and end of each line in `bytes`, without what ends it. */
  readonly slices: readonly number[]
  /** Offset in the file of the first of `bytes`. */
  readonly offset: number
  /** Offset in the file behind the last line. */
  readonly end: number
}

/** One buffer in which the files of a source are read, one after the other. */
export class LineWindow {
  readonly #buffer = Buffer.allocUnsafeSlow(WINDOW_BYTES)
  #owner: unknown
  #offset = 0
  #length = 0

  /** The bytes that were read. */
  get bytes(): Buffer {
    return this.#buffer.subarray(0, this.#length)
  }

  /** Whether no more would have fitted. */
  get isFull(): boolean {
    return this.#length === this.#buffer.length
  }

  /** Offset in the file behind the bytes that were read. */
  get end(): number {
    return this.#offset + this.#length
  }

  /** Whether it holds bytes of this file around this offset. */
  holds(owner: unknown, offset: number): boolean {
    return this.#owner === owner && offset >= this.#offset && offset < this.end
  }

  clear(): void {
    this.#owner = undefined
    this.#length = 0
  }

  /** Reads the file, which is `size` bytes long, from an offset on, as much as fits. */
  async fill(owner: unknown, file: FileHandle, offset: number, size: number): Promise<void> {
    this.clear()
    const wanted = Math.max(0, Math.min(this.#buffer.length, size - offset))
    const bytes = await readAt(file, this.#buffer.subarray(0, wanted), offset)
    this.#owner = owner
    this.#offset = offset
    this.#length = bytes.length
  }

  /** The whole lines from an offset on, as many as wanted; undefined when none ends in the window. */
  cut(offset: number, maxLines: number): Lines | undefined {
    const bytes = this.bytes
    const slices: number[] = []
    let start = offset - this.#offset
    while (slices.length < 2 * maxLines) {
      const end = bytes.indexOf(LINE_FEED, start)
      if (end < 0) break
      slices.push(start, withoutReturn(bytes, start, end))
      start = end + 1
    }
    if (slices.length === 0) return undefined
    return { bytes, slices, offset: this.#offset, end: this.#offset + start }
  }

  /** The offset of the first line feed from `offset` on; undefined when the file ends before one. */
  async find(file: FileHandle, offset: number, limit: number): Promise<number | undefined> {
    this.clear()
    for (let from = offset; from < limit; ) {
      const bytes = await readAt(file, this.#buffer, from)
      const at = bytes.indexOf(LINE_FEED)
      if (at >= 0) return from + at
      from += bytes.length
      if (bytes.length < this.#buffer.length) return undefined
    }
    return undefined
  }
}

/** Bytes of a file as one line; undefined when the file has become shorter. */
export async function readLine(
  file: FileHandle,
  offset: number,
  end: number,
): Promise<Lines | undefined> {
  const bytes = await readAt(file, Buffer.allocUnsafeSlow(end - offset), offset)
  if (bytes.length < end - offset) return undefined
  const isWhole = bytes.at(-1) === LINE_FEED
  const lineEnd = isWhole ? withoutReturn(bytes, 0, bytes.length - 1) : bytes.length
  return { bytes, slices: [0, lineEnd], offset, end }
}

/** The end of a line without one carriage return in front of its line feed. */
function withoutReturn(bytes: Buffer, start: number, end: number): number {
  return end > start && bytes[end - 1] === CARRIAGE_RETURN ? end - 1 : end
}

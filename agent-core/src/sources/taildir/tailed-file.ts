import { type BigIntStats, fstatSync } from 'node:fs'
import { type FileHandle, open } from 'node:fs/promises'
import type { Clock, Logger } from '@millrace/runtime'
import { compressionOf, GrowingHead, isSameHead, readHead } from './file-head.js'
import { readAt } from '../../files/read-at.js'
import type { FileGroup } from './file-group.js'
import { type Lines, type LineWindow, readLine } from './line-window.js'
import type { FilePosition } from './position-file.js'

/** How many bytes in front of the position must still be what they were. */
const TAIL_BYTES = 32
/**
 * File systems count time in steps; within one a file can be changed and seem unchanged. A change that
 * is not older than this, in milliseconds, may be followed by one that cannot be seen.
 */
const TIME_STEP_MS = 50
const NOTHING = Buffer.alloc(0)

export interface TailedFileOptions {
  readonly stats: BigIntStats
  readonly path: string
  readonly group: FileGroup
  readonly position: number
  /** The file's first bytes as far as they were delivered. */
  readonly head: GrowingHead
  /** Longest line in bytes; a longer one is cut. */
  readonly maxLineBytes: number
  readonly logger: Logger
  readonly clock: Clock
}

/**
 * One file, whatever its name: it is known by its device, its inode number and its first bytes, all
 * taken from one open descriptor. Between two reads the bytes in front of the position are compared
 * too, so that a file that was truncated and written anew is noticed although it is long again.
 */
export class TailedFile {
  readonly device: bigint
  readonly inode: bigint
  readonly #options: TailedFileOptions
  #path: string
  #group: FileGroup
  #headers: Buffer
  #position: number
  #head: GrowingHead
  #tail: Buffer = NOTHING
  /** Up to here there is no end of the line that begins at the position. */
  #scanned = 0
  #handle: FileHandle | undefined
  #compression: string | undefined
  /** Its size and time of modification when it was last looked at. */
  #seenSize = -1n
  #seenModified = -1n
  #wasSeenFresh = false
  /** Time of the last modification when it was read last, where that can be relied on. */
  #readModified: bigint | undefined

  constructor(options: TailedFileOptions) {
    const { stats, path, group } = options
    this.#options = options
    this.device = stats.dev
    this.inode = stats.ino
    this.#path = path
    this.#group = group
    this.#headers = group.headersOf(path)
    this.#position = options.position
    this.#head = options.head
  }

  get path(): string {
    return this.#path
  }

  get group(): FileGroup {
    return this.#group
  }

  /** The encoded headers of its events. */
  get headers(): Buffer {
    return this.#headers
  }

  /** Offset of the first byte that was not delivered. */
  get position(): number {
    return this.#position
  }

  get isOpen(): boolean {
    return this.#handle !== undefined
  }

  /** Time of the last modification, in nanoseconds since 1970. */
  get modified(): bigint {
    return this.#seenModified
  }

  /** Bytes that were there and not delivered when it was last looked at. */
  get unread(): number {
    return Math.max(0, Number(this.#seenSize) - this.#position)
  }

  /** What to store of it. */
  get stored(): FilePosition {
    const identity = { device: this.device, head: this.#head.head, group: this.#group.name }
    return { inode: this.inode, path: this.#path, position: this.#position, identity }
  }

  /** It has another name now, and its events other headers. */
  rename(path: string, group: FileGroup): void {
    this.#path = path
    this.#group = group
    this.#headers = group.headersOf(path)
  }

  /** It is called so that no group names it. Its events keep their headers. */
  renameAway(path: string): void {
    this.#path = path
  }

  /** Whether it may have changed since it was looked at although it looks the same. */
  get isInDoubt(): boolean {
    return this.#wasSeenFresh
  }

  /** Takes note of what the system says of it; true when it has changed since the last time. */
  see(stats: BigIntStats): boolean {
    const hasChanged = stats.size !== this.#seenSize || stats.mtimeNs !== this.#seenModified
    this.#wasSeenFresh = this.#isFresh(stats)
    this.#seenSize = stats.size
    this.#seenModified = stats.mtimeNs
    return hasChanged
  }

  /** What the system says of the open file, whatever became of its name. */
  get ownStats(): BigIntStats | undefined {
    return this.#handle && fstatSync(this.#handle.fd, { bigint: true })
  }

  /** Makes sure that the next look finds a change. */
  forgetLook(): void {
    this.#seenSize = -1n
  }

  /** Goes on with a descriptor that is known to be of this file. */
  async adopt(handle: FileHandle): Promise<void> {
    this.#handle = handle
    const start = Math.max(0, this.#position - TAIL_BYTES)
    const tail = Buffer.allocUnsafe(this.#position - start)
    this.#tail = Buffer.from(await readAt(handle, tail, start))
  }

  /**
   * The next whole lines. Nothing moves before {@link TailedFile.commit}.
   * @returns undefined when there is none.
   * @throws an error of the system.
   */
  async next(maxLines: number, window: LineWindow): Promise<Lines | undefined> {
    const kept = window.holds(this, this.#position) && window.cut(this.#position, maxLines)
    if (kept) return kept
    const handle = await this.#open()
    if (!handle || this.#isAtItsEnd(handle)) return undefined
    await this.#fill(handle, window)
    if (this.#compression !== undefined) return undefined
    const lines = window.cut(this.#position, maxLines)
    if (lines || !window.isFull) return lines
    return this.#longLine(handle, window)
  }

  /** What is there behind the last whole line, as if it were one. */
  async rest(window: LineWindow): Promise<Lines | undefined> {
    const handle = await this.#open()
    if (!handle) return undefined
    await this.#fill(handle, window)
    const { size } = fstatSync(handle.fd, { bigint: true })
    const end = Math.min(Number(size), this.#position + this.#options.maxLineBytes)
    if (end <= this.#position || this.#compression !== undefined) return undefined
    const line = await readLine(handle, this.#position, end)
    // It was completed meanwhile: then it is no rest.
    return line?.bytes.includes('\n') ? undefined : line
  }

  /** The lines are delivered. */
  commit({ bytes, offset, end }: Lines): void {
    const read = bytes.subarray(0, end - offset)
    this.#head.extend(read, offset)
    this.#tail = Buffer.from(read.subarray(-TAIL_BYTES))
    this.#position = end
    this.#scanned = end
  }

  async close(): Promise<void> {
    const handle = this.#handle
    this.#handle = undefined
    await handle?.close()
  }

  /** The descriptor; undefined when another file has the name now, or none. */
  async #open(): Promise<FileHandle | undefined> {
    if (this.#handle) return this.#handle
    const handle = await openFile(this.#path)
    if (!handle) return undefined
    const stats = fstatSync(handle.fd, { bigint: true })
    if (stats.dev !== this.device || stats.ino !== this.inode) {
      await handle.close()
      return undefined
    }
    this.#handle = handle
    const known = this.#head.head
    if (!isSameHead(known, (await readHead(handle, known.bytes)).head)) {
      this.#restart('begins otherwise than before')
    }
    this.#readModified = undefined
    this.#checkText(await readAt(handle, Buffer.allocUnsafe(8), 0))
    return handle
  }

  /** Whether it ends at the position, and nobody wrote to it since it was read. */
  #isAtItsEnd(handle: FileHandle): boolean {
    if (this.#readModified === undefined) return false
    const { size, mtimeNs } = fstatSync(handle.fd, { bigint: true })
    return size === BigInt(this.#position) && mtimeNs === this.#readModified
  }

  #isFresh({ mtimeMs }: BigIntStats): boolean {
    return this.#options.clock.now() - Number(mtimeMs) < TIME_STEP_MS
  }

  /** Reads from the position on, or from the beginning when the file is not what it was. */
  async #fill(handle: FileHandle, window: LineWindow): Promise<void> {
    const stats = fstatSync(handle.fd, { bigint: true })
    const size = Number(stats.size)
    if (this.#compression !== undefined) {
      this.#position = size
      return
    }
    this.#readModified = this.#isFresh(stats) ? undefined : stats.mtimeNs
    if (size < this.#position) this.#restart('is shorter than before')
    const tail = this.#tail
    await window.fill(this, handle, this.#position - tail.length, size)
    if (!window.bytes.subarray(0, tail.length).equals(tail)) {
      this.#restart('was written anew')
      await window.fill(this, handle, 0, size)
    }
    if (this.#position > 0) return
    this.#checkText(window.bytes)
    if (this.#compression !== undefined) this.#position = size
  }

  #restart(reason: string): void {
    const { logger } = this.#options
    logger.info(`${this.#path} ${reason}: it is read from its beginning`)
    this.#position = 0
    this.#scanned = 0
    this.#head = new GrowingHead()
    this.#tail = NOTHING
    this.#compression = undefined
  }

  /** A compressed file has no lines: what it holds was read before it was compressed. */
  #checkText(beginning: Buffer): void {
    const compression = compressionOf(beginning)
    if (compression !== undefined && compression !== this.#compression) {
      this.#options.logger.info(`${this.#path} is compressed (${compression}) and is not read`)
    }
    this.#compression = compression
  }

  /** A line that is longer than the window. */
  async #longLine(handle: FileHandle, window: LineWindow): Promise<Lines | undefined> {
    const { maxLineBytes, logger } = this.#options
    const limit = this.#position + maxLineBytes
    const from = Math.max(this.#scanned, window.end)
    const size = Number(fstatSync(handle.fd, { bigint: true }).size)
    const feed = await window.find(handle, from, Math.min(limit, size))
    this.#scanned = Math.max(this.#scanned, Math.min(size, limit))
    if (feed !== undefined && feed < limit) return readLine(handle, this.#position, feed + 1)
    if (size < limit) return undefined
    logger.warn(`${this.#path} has a line of more than ${maxLineBytes} bytes, which is cut`)
    return readLine(handle, this.#position, limit)
  }
}

/** A descriptor for reading; undefined when nothing has that name. */
export async function openFile(path: string): Promise<FileHandle | undefined> {
  try {
    return await open(path, 'r')
  } catch (error) {
    if (error instanceof Error && Reflect.get(error, 'code') === 'ENOENT') return undefined
    throw error
  }
}

import { type BigIntStats, fstatSync } from 'node:fs'
import type { FileHandle } from 'node:fs/promises'
import type { Clock, Logger } from '@millrace/runtime'
import type { FileGroup } from './file-group.js'
import { GrowingHead, readHead } from './file-head.js'
import type { Lines } from './line-window.js'
import { OpenFiles } from './open-files.js'
import type { FilePosition } from './position-file.js'
import { TailedFile } from './tailed-file.js'

export interface TailedFilesOptions {
  /** After how long without a change a file is closed, in milliseconds. */
  readonly idleTimeoutMs: number
  /** Longest line in bytes; a longer one is cut. */
  readonly maxLineBytes: number
  readonly logger: Logger
  readonly clock: Clock
}

/** A file and what the looks at its directory found. */
export interface TailedFileEntry {
  readonly file: TailedFile
  /** The number of the last look that found it by a name that its group wants. */
  look: number
  /** Steady lists of its directory in a row that did not have it. */
  missed: number
  /** When it last changed, in milliseconds of the monotonic clock. */
  changedMs: number
  /** Whether there may be something to read. */
  isDue: boolean
}

/** An open file that is to be followed. */
export interface FoundFile {
  readonly handle: FileHandle
  readonly path: string
  readonly group: FileGroup
  readonly position: number
}

/** A file's device and inode number. */
export type FileKey = string

export const keyOf = (stats: Pick<BigIntStats, 'dev' | 'ino'>): FileKey =>
  `${stats.dev}:${stats.ino}`

/** The files that a source follows, whatever they are called. */
export class TailedFiles {
  readonly #options: TailedFilesOptions
  readonly #entries = new Map<FileKey, TailedFileEntry>()
  readonly #open = new OpenFiles()
  #version = 0

  constructor(options: TailedFilesOptions) {
    this.#options = options
  }

  get entries(): Iterable<TailedFileEntry> {
    return this.#entries.values()
  }

  get(key: FileKey): TailedFileEntry | undefined {
    return this.#entries.get(key)
  }

  /** Files of which there may be something to read, the longest unchanged first. */
  get due(): readonly TailedFileEntry[] {
    const due = [...this.#entries.values()].filter(({ isDue }) => isDue)
    return due.sort((a, b) => Number(a.file.modified - b.file.modified))
  }

  /** Files that have not changed for a while: open ones, and those that the last look did not find. */
  idle(look: number): readonly TailedFileEntry[] {
    const sinceMs = this.#options.clock.monotonic() - this.#options.idleTimeoutMs
    return [...this.#entries.values()].filter(
      (entry) =>
        !entry.isDue && entry.changedMs <= sinceMs && (entry.file.isOpen || entry.look < look),
    )
  }

  /** Grows with each change of what is to be stored. */
  get version(): number {
    return this.#version
  }

  /** What to store. */
  get positions(): readonly FilePosition[] {
    return Array.from(this.#entries.values(), ({ file }) => file.stored)
  }

  /** Follows an open file from a position on. Its descriptor is this object's from here on. */
  async follow(found: FoundFile, look: number): Promise<void> {
    const { handle, position } = found
    const { maxLineBytes, logger, clock, idleTimeoutMs } = this.#options
    const head = position === 0 ? new GrowingHead() : await readHead(handle, position)
    const stats = fstatSync(handle.fd, { bigint: true })
    const file = new TailedFile({ ...found, stats, head, maxLineBytes, logger, clock })
    await file.adopt(handle)
    file.see(stats)
    const entry: TailedFileEntry = {
      file,
      look,
      missed: 0,
      changedMs: clock.monotonic(),
      isDue: file.unread > 0,
    }
    this.#entries.set(keyOf(stats), entry)
    this.#version += 1
    // One that is still written to may be deleted in the next moment, and be read to its end.
    const isFresh = clock.now() - Number(stats.mtimeMs) < idleTimeoutMs
    if (isFresh || entry.isDue) await this.#open.keep(file)
    else await file.close()
  }

  /** Takes note of what the system says of a file. */
  see(entry: TailedFileEntry, stats: BigIntStats | undefined): void {
    if (!stats) return
    const { isInDoubt } = entry.file
    const hasChanged = entry.file.see(stats)
    if (hasChanged) entry.changedMs = this.#options.clock.monotonic()
    entry.isDue ||= hasChanged || isInDoubt
  }

  /** Its lines are delivered. */
  commit(entry: TailedFileEntry, lines: Lines): void {
    entry.file.commit(lines)
    entry.changedMs = this.#options.clock.monotonic()
    this.#version += 1
  }

  /** A group wants it under another name now. */
  rename(entry: TailedFileEntry, path: string, group: FileGroup): void {
    entry.file.rename(path, group)
    this.#version += 1
  }

  /** It has a name that no group wants. Its events keep their headers. */
  renameAway(entry: TailedFileEntry, path: string): void {
    entry.file.renameAway(path)
    this.#version += 1
  }

  /** There is nothing more to read of it for now. */
  async finish(entry: TailedFileEntry): Promise<void> {
    entry.isDue = false
    await this.#open.keep(entry.file)
  }

  /** Reading it failed: it is opened and read again when it is looked at next. */
  async fail(entry: TailedFileEntry): Promise<void> {
    entry.isDue = false
    entry.file.forgetLook()
    await this.#open.close(entry.file)
  }

  async close(entry: TailedFileEntry): Promise<void> {
    await this.#open.close(entry.file)
  }

  /** Follows it no more. */
  async drop(entry: TailedFileEntry): Promise<void> {
    const { device: dev, inode: ino } = entry.file
    this.#entries.delete(keyOf({ dev, ino }))
    this.#version += 1
    await this.#open.close(entry.file)
  }

  async closeAll(): Promise<void> {
    await this.#open.closeAll()
    for (const { file } of this.#entries.values()) await file.close()
  }
}

import type { Disk, DiskFile } from '../disk/disk.js'
import {
  closeFile,
  entryAt,
  listDirectory,
  makeDirectory,
  openFile,
  readFully,
  renameFile,
  runAsync,
  type Steps,
  syncDirectory,
  syncFile,
  writeFully,
} from '../disk/steps.js'
import { inDirectory, QUARANTINE_DIRECTORY } from '../layout.js'
import type { CheckedLogOptions } from '../options.js'
import type { Segment, SegmentFile } from '../segments/segment.js'

/** Copied at a time, in bytes. */
const CHUNK_BYTES = 1024 ** 2

/** What is kept of damage, for people: copies of damaged bytes, and files that can't be read. */
export class Quarantine {
  readonly #disk: Disk
  readonly #options: Pick<CheckedLogOptions, 'dataDirectories' | 'logger' | 'maxQuarantineBytes'>

  constructor(
    disk: Disk,
    options: Pick<CheckedLogOptions, 'dataDirectories' | 'logger' | 'maxQuarantineBytes'>,
  ) {
    this.#disk = disk
    this.#options = options
  }

  /** Copies damaged bytes and logs it; a copy that fails is logged too. */
  async keepLogged(
    segment: Segment,
    { from, to }: { readonly from: number; readonly to: number },
  ): Promise<void> {
    const { logger } = this.#options
    const where = `${segment.file.path}, bytes ${from} to ${to - 1}`
    try {
      const copy = await runAsync(this.keep(segment, { from, to }, 'damaged'))
      logger.error(`Damaged: ${where}${copy ? `; a copy is in ${copy}` : ''}`)
    } catch (error) {
      logger.error(`Damaged: ${where}; no copy could be made`, error)
    }
  }

  /** Copies [from, to) of a segment; gives the path of the copy, or undefined when the limit is reached. */
  *keep(
    segment: Segment,
    { from, to }: { readonly from: number; readonly to: number },
    ending: 'damaged' | 'tail',
  ): Steps<string | undefined> {
    const directory = yield* this.#directoryFor(segment.file)
    if ((yield* this.#bytesIn(directory)) + to - from > this.#options.maxQuarantineBytes) {
      return undefined
    }
    const copy = inDirectory(directory, `segment-${segment.id}-${from}-${to - from}.${ending}`)
    let target: DiskFile
    try {
      target = yield* openFile(this.#disk, copy, 'create')
    } catch (error) {
      // Kept before: the same place of the same segment.
      if ((error as NodeJS.ErrnoException).code === 'EEXIST') return copy
      throw error
    }
    try {
      yield* this.#copy(segment.file.path, { from, to }, target)
      yield* syncFile(target)
    } finally {
      yield* closeFile(target)
    }
    yield* syncDirectory(this.#disk, directory)
    return copy
  }

  /** Copies a whole file, whatever its size; gives the path of the copy. */
  *copyFile(file: Pick<SegmentFile, 'path' | 'directory'>, name: string): Steps<string> {
    const directory = yield* this.#directoryFor(file)
    const path = yield* this.#freeName(directory, name)
    const to = (yield* entryAt(this.#disk, file.path))?.size ?? 0
    const target = yield* openFile(this.#disk, path, 'create')
    try {
      yield* this.#copy(file.path, { from: 0, to }, target)
      yield* syncFile(target)
    } finally {
      yield* closeFile(target)
    }
    yield* syncDirectory(this.#disk, directory)
    return path
  }

  /** Moves a file out of the way; gives its new path. */
  *setAside(file: Pick<SegmentFile, 'path' | 'directory'>, name: string): Steps<string> {
    const directory = yield* this.#directoryFor(file)
    const path = yield* this.#freeName(directory, name)
    yield* renameFile(this.#disk, file.path, path)
    yield* syncDirectory(this.#disk, directory)
    yield* syncDirectory(this.#disk, this.#options.dataDirectories[file.directory] as string)
    return path
  }

  *#freeName(directory: string, name: string): Steps<string> {
    let path = inDirectory(directory, name)
    for (let copy = 2; yield* entryAt(this.#disk, path); copy += 1) {
      path = inDirectory(directory, `${name}.${copy}`)
    }
    return path
  }

  *#directoryFor(file: Pick<SegmentFile, 'directory'>): Steps<string> {
    const parent = this.#options.dataDirectories[file.directory] as string
    const directory = inDirectory(parent, QUARANTINE_DIRECTORY)
    if ((yield* entryAt(this.#disk, directory)) === undefined) {
      yield* makeDirectory(this.#disk, directory)
      yield* syncDirectory(this.#disk, parent)
    }
    return directory
  }

  *#bytesIn(directory: string): Steps<number> {
    let bytes = 0
    for (const name of yield* listDirectory(this.#disk, directory)) {
      bytes += (yield* entryAt(this.#disk, inDirectory(directory, name)))?.size ?? 0
    }
    return bytes
  }

  *#copy(
    path: string,
    { from, to }: { readonly from: number; readonly to: number },
    target: DiskFile,
  ): Steps<void> {
    const source = yield* openFile(this.#disk, path, 'read')
    try {
      for (let at = from; at < to; at += CHUNK_BYTES) {
        const chunk = Buffer.allocUnsafe(Math.min(CHUNK_BYTES, to - at))
        const count = yield* readFully(source, chunk, at)
        if (count === 0) return
        yield* writeFully(target, [chunk.subarray(0, count)], at - from)
      }
    } finally {
      yield* closeFile(source)
    }
  }
}

import { StorageError } from '@millrace/runtime'
import type { Disk, DiskFile } from '../disk/disk.js'
import {
  closeFile,
  freeBytes,
  openFile,
  removeFile,
  type Steps,
  syncDirectory,
  syncFile,
} from '../disk/steps.js'
import { inDirectory, segmentFileName } from '../layout.js'
import { FILL_CHUNK_BYTES, fillChunk } from './preallocation.js'
import type { SegmentFile } from './segment.js'
import { storageError } from './storage-error.js'

export interface SegmentPoolOptions {
  readonly disk: Disk
  readonly dataDirectories: readonly string[]
  readonly segmentBytes: number
  readonly preallocate: boolean
  readonly minimumFreeBytes: number
  readonly spareSegments: number
  readonly nextFileNumber: number
  readonly free: readonly SegmentFile[]
}

/** A file ready to be written to, and how far it is filled. */
export interface ReadyFile {
  readonly file: SegmentFile
  readonly handle: DiskFile
  readonly filledTo: number
}

interface Wanted {
  /** Length in bytes. */
  readonly bytes: number
  /** So much of it is filled with zeroes before it is used. */
  readonly filledTo: number
}

/**
 * Files without a segment: used again for the next ones, so that in steady state no file is made, filled or
 * removed. A file keeps its name and number for ever; numbers are never used twice.
 */
export class SegmentPool {
  readonly #options: SegmentPoolOptions
  readonly #free: SegmentFile[]
  /** Files given back that are of no use: to be removed. */
  readonly #unwanted: SegmentFile[] = []
  #nextFileNumber: number
  #lastDirectory = -1

  constructor(options: SegmentPoolOptions) {
    this.#options = options
    this.#free = [...options.free]
    this.#nextFileNumber = options.nextFileNumber
  }

  get nextFileNumber(): number {
    return this.#nextFileNumber
  }

  /** Files that can be used at once. */
  get freeFiles(): number {
    return this.#free.length
  }

  /** Files that are to be removed. */
  get hasSurplus(): boolean {
    return this.#unwanted.length > 0
  }

  /**
   * A free file, or a new one: of the data directory whose turn it is, or of another one when that fails.
   * `bytes`: how much it must hold; more than a segment's usual length makes a new one.
   * @throws StorageError no space, or a failing disk.
   */
  *take(bytes: number): Steps<ReadyFile> {
    const { segmentBytes } = this.#options
    if (bytes > segmentBytes) return yield* this.#create({ bytes, filledTo: 0 })
    const free = this.#takeFree()
    if (free) {
      try {
        const handle = yield* openFile(this.#options.disk, free.path, 'write')
        this.#lastDirectory = free.directory
        return { file: free, handle, filledTo: free.bytes }
      } catch (error) {
        this.give({ ...free, isSuspect: true })
        throw storageError(`Segment ${free.path} can't be opened`, error)
      }
    }
    const filledTo = Math.min(FILL_CHUNK_BYTES, segmentBytes)
    return yield* this.#create({ bytes: segmentBytes, filledTo })
  }

  /** Makes a free file ahead of the time when it is needed, unless there is one. */
  *prepare(): Steps<void> {
    if (this.#free.length > 0) return
    const { segmentBytes } = this.#options
    const { file, handle } = yield* this.#create({ bytes: segmentBytes, filledTo: segmentBytes })
    yield* closeFile(handle)
    this.#free.push(file)
  }

  /** Takes a file back whose segment is done. */
  give(file: SegmentFile): void {
    const { segmentBytes, spareSegments } = this.#options
    const isUseful = !file.isSuspect && file.bytes === segmentBytes
    if (isUseful && this.#free.length < spareSegments) this.#free.push(file)
    else this.#unwanted.push(file)
  }

  /** Removes the files that are of no use. */
  *trim(): Steps<void> {
    const touched = new Set<number>()
    for (let file = this.#unwanted[0]; file; file = this.#unwanted[0]) {
      try {
        yield* removeFile(this.#options.disk, file.path)
      } catch (error) {
        // Somebody was faster.
        if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error
      }
      this.#unwanted.shift()
      touched.add(file.directory)
    }
    for (const directory of touched) {
      yield* syncDirectory(this.#options.disk, this.#directory(directory))
    }
  }

  #takeFree(): SegmentFile | undefined {
    const wanted = (this.#lastDirectory + 1) % this.#options.dataDirectories.length
    const index = this.#free.findIndex((file) => file.directory === wanted)
    return this.#free.splice(Math.max(0, index), 1)[0]
  }

  #directory(index: number): string {
    return this.#options.dataDirectories[index] as string
  }

  *#create(wanted: Wanted): Steps<ReadyFile> {
    const count = this.#options.dataDirectories.length
    let failure: unknown
    for (let turn = 1; turn <= count; turn += 1) {
      const directory = (this.#lastDirectory + turn) % count
      try {
        const ready = yield* this.#createIn(directory, wanted)
        this.#lastDirectory = directory
        return ready
      } catch (error) {
        failure ??= error
      }
    }
    throw storageError('No segment can be added', failure)
  }

  *#createIn(directory: number, wanted: Wanted): Steps<ReadyFile> {
    const { disk, minimumFreeBytes, preallocate } = this.#options
    const { bytes } = wanted
    const path = this.#directory(directory)
    const free = yield* freeBytes(disk, path)
    if (free < minimumFreeBytes + bytes) {
      throw new StorageError(
        'MILLRACE_STORAGE_NO_SPACE',
        `${path}: ${free} bytes are free; a segment of ${bytes} bytes must leave ${minimumFreeBytes}`,
      )
    }
    const number = this.#nextFileNumber
    this.#nextFileNumber += 1
    const file: SegmentFile = {
      path: inDirectory(path, segmentFileName(number)),
      directory,
      number,
      bytes,
      isSuspect: false,
    }
    const handle = yield* openFile(disk, file.path, 'create')
    try {
      let filledTo = preallocate ? 0 : bytes
      while (filledTo < wanted.filledTo) {
        filledTo = yield* fillChunk(handle, filledTo, wanted.filledTo)
      }
      yield* syncFile(handle)
      yield* syncDirectory(disk, path)
      return { file, handle, filledTo }
    } catch (error) {
      this.#unwanted.push(file)
      yield* closeFile(handle)
      throw error
    }
  }
}

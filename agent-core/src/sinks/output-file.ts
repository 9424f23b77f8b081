/** A file that grows by whole appends, on disk where that is wanted, over a file system small enough to be replaced in tests. */
import { open, stat, unlink } from 'node:fs/promises'
import { dirname } from 'node:path'
import { StorageError } from '@millrace/runtime'

/** An open file. Failures are errors with the system's `code`. */
export interface RawFile {
  /** Writes some of the bytes at a position; gives how many. */
  write(bytes: Buffer, position: number): Promise<number>
  truncate(length: number): Promise<void>
  /** Resolves when what was written is on disk, and the length that is needed to read it. */
  sync(): Promise<void>
  close(): Promise<void>
}

/** What the files of a sink need of a disk. */
export interface FileSystem {
  isDirectory(path: string): Promise<boolean>
  /** Makes a file that must not be there (`EEXIST`). */
  create(path: string): Promise<RawFile>
  remove(path: string): Promise<void>
  /** Resolves when the names of a directory are on disk, new files among them. */
  syncDirectory(path: string): Promise<void>
}

export const diskFiles: FileSystem = {
  async isDirectory(path) {
    return (await stat(path)).isDirectory()
  },
  async create(path) {
    // Positions are given with each write, so a retry never lands behind a torn one.
    const handle = await open(path, 'wx')
    return {
      write: async (bytes, position) =>
        (await handle.write(bytes, 0, bytes.length, position)).bytesWritten,
      truncate: (length) => handle.truncate(length),
      sync: () => handle.datasync(),
      close: () => handle.close(),
    }
  },
  remove: (path) => unlink(path),
  async syncDirectory(path) {
    const handle = await open(path, 'r')
    try {
      await handle.sync()
    } finally {
      await handle.close()
    }
  },
}

/** System errors of a disk without room: the same file will do when there is room again. */
const NO_SPACE = ['ENOSPC', 'EDQUOT']

/** @returns the error that a sink throws for a failure of the disk. */
export function storageError(what: string, cause: unknown): StorageError {
  const code: unknown = cause instanceof Error ? Reflect.get(cause, 'code') : undefined
  const isFull = typeof code === 'string' && NO_SPACE.includes(code)
  return new StorageError(isFull ? 'MILLRACE_STORAGE_NO_SPACE' : 'MILLRACE_STORAGE_IO', what, {
    cause,
  })
}

/**
 * Appends all of the bytes given at once or, as far as the disk lets it, none: after a failed write
 * the file is cut back to its last good length, at the latest before the next append.
 */
export class OutputFile {
  readonly path: string
  readonly #file: RawFile
  readonly #files: FileSystem
  #goodLength = 0
  #isTorn = false
  #hasLostSync = false
  /** Whether the file's name is on disk. */
  #isNamed = false

  constructor(path: string, file: RawFile, files: FileSystem) {
    this.path = path
    this.#file = file
    this.#files = files
  }

  /** Makes a file that must not be there (`EEXIST`). */
  static async create(path: string, files: FileSystem): Promise<OutputFile> {
    return new OutputFile(path, await files.create(path), files)
  }

  /** Length of what was appended with success, in bytes. */
  get goodLength(): number {
    return this.#goodLength
  }

  /** Whether bytes of a failed append may still stand behind the good ones. */
  get isTorn(): boolean {
    return this.#isTorn
  }

  /**
   * Whether a sync failed. The system may have dropped what it could not write and say nothing the
   * next time, so such a file is not to be gone on with.
   */
  get hasLostSync(): boolean {
    return this.#hasLostSync
  }

  /**
   * Resolves when the system has the bytes; with `sync`, when they are on disk, and the file's name.
   * @throws StorageError; nothing of the bytes counts as appended then.
   */
  async append(bytes: Buffer, { sync }: { readonly sync: boolean }): Promise<void> {
    try {
      if (this.#isTorn) await this.#cut()
      await this.#appendOrCut(bytes, sync)
    } catch (error) {
      throw storageError(`${this.path} cannot be written`, error)
    }
  }

  /** @throws StorageError when the file cannot be closed. What was appended stays. */
  async close(): Promise<void> {
    try {
      if (this.#isTorn) await this.#cut()
    } finally {
      await this.#file.close()
    }
  }

  async #appendOrCut(bytes: Buffer, sync: boolean): Promise<void> {
    try {
      await this.#writeAll(bytes)
      if (sync) await this.#sync()
    } catch (error) {
      this.#isTorn = true
      // The write's own error is the one to tell; the cut is repeated before the next append.
      await this.#cut().catch(() => undefined)
      throw error
    }
    this.#goodLength += bytes.length
  }

  async #writeAll(bytes: Buffer): Promise<void> {
    let done = 0
    while (done < bytes.length) {
      const written = await this.#file.write(bytes.subarray(done), this.#goodLength + done)
      if (written === 0) throw Object.assign(new Error('nothing was written'), { code: 'EIO' })
      done += written
    }
  }

  async #sync(): Promise<void> {
    try {
      await this.#file.sync()
      if (!this.#isNamed) await this.#files.syncDirectory(dirname(this.path))
      this.#isNamed = true
    } catch (error) {
      this.#hasLostSync = true
      throw error
    }
  }

  async #cut(): Promise<void> {
    await this.#file.truncate(this.#goodLength)
    this.#isTorn = false
  }
}

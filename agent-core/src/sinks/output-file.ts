/** A file that grows by whole appends, over a file system small enough to be replaced in tests. */
import { open, stat, unlink } from 'node:fs/promises'
import { StorageError } from '@millrace/runtime'

/** An open file. Failures are errors with the system's `code`. */
export interface RawFile {
  /** Writes some of the bytes at a position; gives how many. */
  write(bytes: Buffer, position: number): Promise<number>
  truncate(length: number): Promise<void>
  close(): Promise<void>
}

/** What the files of a sink need of a disk. */
export interface FileSystem {
  isDirectory(path: string): Promise<boolean>
  /** Makes a file that must not be there (`EEXIST`). */
  create(path: string): Promise<RawFile>
  remove(path: string): Promise<void>
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
      close: () => handle.close(),
    }
  },
  remove: (path) => unlink(path),
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
  #goodLength = 0
  #isTorn = false

  constructor(path: string, file: RawFile) {
    this.path = path
    this.#file = file
  }

  /** Length of what was appended with success, in bytes. */
  get goodLength(): number {
    return this.#goodLength
  }

  /** Whether bytes of a failed append may still stand behind the good ones. */
  get isTorn(): boolean {
    return this.#isTorn
  }

  /** @throws StorageError; nothing of the bytes counts as appended then. */
  async append(bytes: Buffer): Promise<void> {
    try {
      if (this.#isTorn) await this.#cut()
      await this.#writeAll(bytes)
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

  async #writeAll(bytes: Buffer): Promise<void> {
    let done = 0
    try {
      while (done < bytes.length) {
        const written = await this.#file.write(bytes.subarray(done), this.#goodLength + done)
        if (written === 0) throw Object.assign(new Error('nothing was written'), { code: 'EIO' })
        done += written
      }
    } catch (error) {
      this.#isTorn = true
      // The write's own error is the one to tell; the cut is repeated before the next append.
      await this.#cut().catch(() => undefined)
      throw error
    }
    this.#goodLength += bytes.length
  }

  async #cut(): Promise<void> {
    await this.#file.truncate(this.#goodLength)
    this.#isTorn = false
  }
}

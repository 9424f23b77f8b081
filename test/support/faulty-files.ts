import { diskFiles, type FileSystem } from '@millrace/agent-core/internal/sinks/output-file'

function systemError(code: string): Error {
  return Object.assign(new Error(`${code}: injected`), { code })
}

/** Real files of a sink whose writes, cuts and creations a test makes fail. */
export class FaultyFiles implements FileSystem {
  /** Each write takes at most so many bytes. */
  maxWriteBytes = Number.POSITIVE_INFINITY
  /** Bytes that are still taken before `writeError` comes. */
  roomBytes = Number.POSITIVE_INFINITY
  writeError = 'ENOSPC'
  truncateError: string | undefined
  createError: string | undefined
  syncError: string | undefined
  directoryError: string | undefined
  /** What was done with success, or tried to sync, in order: `create`, `write`, `sync`, `directory`. */
  readonly calls: string[] = []
  created = 0

  isDirectory(path: string): Promise<boolean> {
    return diskFiles.isDirectory(path)
  }

  async create(path: string) {
    if (this.createError !== undefined) throw systemError(this.createError)
    const file = await diskFiles.create(path)
    this.created += 1
    this.calls.push('create')
    return {
      write: async (bytes: Buffer, position: number) => {
        if (this.roomBytes <= 0) throw systemError(this.writeError)
        const length = Math.min(bytes.length, this.maxWriteBytes, this.roomBytes)
        this.roomBytes -= length
        this.calls.push('write')
        return file.write(bytes.subarray(0, length), position)
      },
      truncate: async (length: number) => {
        if (this.truncateError !== undefined) throw systemError(this.truncateError)
        await file.truncate(length)
      },
      sync: async () => {
        this.calls.push('sync')
        if (this.syncError !== undefined) throw systemError(this.syncError)
        await file.sync()
      },
      close: () => file.close(),
    }
  }

  remove(path: string): Promise<void> {
    return diskFiles.remove(path)
  }

  async syncDirectory(path: string): Promise<void> {
    this.calls.push('directory')
    if (this.directoryError !== undefined) throw systemError(this.directoryError)
    await diskFiles.syncDirectory(path)
  }
}

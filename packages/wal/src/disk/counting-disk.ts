import type { Disk, DiskFile } from './disk.js'
import { withFiles } from './wrapped-disk.js'

/** What a log did on its disk since it was opened. */
export interface DiskCounts {
  /** Bytes that write calls took. */
  bytesWritten: number
  writes: number
  syncs: number
  bytesRead: number
}

/** A disk that counts; everything that a log does goes through one. */
export function countingDisk(disk: Disk, counts: DiskCounts): Disk {
  return withFiles(disk, (file) => new CountingFile(file, counts))
}

class CountingFile implements DiskFile {
  readonly #file: DiskFile
  readonly #counts: DiskCounts

  constructor(file: DiskFile, counts: DiskCounts) {
    this.#file = file
    this.#counts = counts
  }

  get path(): string {
    return this.#file.path
  }

  async read(target: Uint8Array, position: number): Promise<number> {
    const count = await this.#file.read(target, position)
    this.#counts.bytesRead += count
    return count
  }

  readSync(target: Uint8Array, position: number): number {
    const count = this.#file.readSync(target, position)
    this.#counts.bytesRead += count
    return count
  }

  async write(buffers: readonly Uint8Array[], position: number): Promise<number> {
    this.#counts.writes += 1
    const count = await this.#file.write(buffers, position)
    this.#counts.bytesWritten += count
    return count
  }

  writeSync(buffers: readonly Uint8Array[], position: number): number {
    this.#counts.writes += 1
    const count = this.#file.writeSync(buffers, position)
    this.#counts.bytesWritten += count
    return count
  }

  sync(): Promise<void> {
    this.#counts.syncs += 1
    return this.#file.sync()
  }

  syncSync(): void {
    this.#counts.syncs += 1
    this.#file.syncSync()
  }

  size(): Promise<number> {
    return this.#file.size()
  }

  sizeSync(): number {
    return this.#file.sizeSync()
  }

  /** What must be safe was synced before: when closing fails, nothing is lost and nothing is left to do. */
  async close(): Promise<void> {
    await this.#file.close().catch(() => {})
  }

  closeSync(): void {
    try {
      this.#file.closeSync()
    } catch {
      // As above.
    }
  }
}

/**
 * The part of a file system that the log uses, small enough to be replaced by a model of a disk in tests.
 *
 * Each call exists twice: the asynchronous form for agents, the synchronous one (`…Sync`) for a log that is
 * opened in a constructor. Errors are Node's, with their `code` (`ENOSPC`, `EIO` …). Paths are absolute.
 */
export interface Disk {
  /**
   * `read`: an existing file for reading. `write`: an existing file for reading and writing.
   * `create`: a new file for both; a file that exists is an `EEXIST` error.
   */
  open(path: string, mode: OpenMode): Promise<DiskFile>
  openSync(path: string, mode: OpenMode): DiskFile
  /** Names of the entries of a directory, in any order. */
  list(directory: string): Promise<string[]>
  listSync(directory: string): string[]
  /** Undefined when nothing is there. */
  stat(path: string): Promise<DiskEntry | undefined>
  statSync(path: string): DiskEntry | undefined
  /** Makes one directory; its parent exists. It is safe only after the parent was synced. */
  makeDirectory(path: string): Promise<void>
  makeDirectorySync(path: string): void
  /** Replaces what is at `to`. Safe only after both directories were synced. */
  rename(from: string, to: string): Promise<void>
  renameSync(from: string, to: string): void
  /** Removes a file. Safe only after its directory was synced. */
  remove(path: string): Promise<void>
  removeSync(path: string): void
  /** Makes the entries of a directory safe: files created, renamed and removed in it. */
  syncDirectory(path: string): Promise<void>
  syncDirectorySync(path: string): void
  /** Free bytes that this process may use on the file system of a path. */
  freeBytes(path: string): Promise<number>
  freeBytesSync(path: string): number
}

export type OpenMode = 'read' | 'write' | 'create'

export interface DiskEntry {
  readonly isFile: boolean
  readonly isDirectory: boolean
  /** Length in bytes. */
  readonly size: number
}

/** An open file. Reads and writes name their position; nothing is safe before a `sync` that followed it. */
export interface DiskFile {
  readonly path: string
  /** Reads up to `target.length` bytes; fewer at the end of the file, 0 behind it. */
  read(target: Uint8Array, position: number): Promise<number>
  readSync(target: Uint8Array, position: number): number
  /** Writes the buffers one behind the other and gives the number of bytes written, which may be short. */
  write(buffers: readonly Uint8Array[], position: number): Promise<number>
  writeSync(buffers: readonly Uint8Array[], position: number): number
  /** `fdatasync`: the content, and the length where it is needed to read it. */
  sync(): Promise<void>
  syncSync(): void
  /** Length in bytes. */
  size(): Promise<number>
  sizeSync(): number
  close(): Promise<void>
  closeSync(): void
}

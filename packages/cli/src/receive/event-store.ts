/**
 * Keeps lines in files of a directory: rolled at a size and once a day, the oldest removed by age and
 * total size. Only files of its own naming are ever removed, and never the one being written.
 *
 * Each start begins a new file, so a line that a crash cut short is the last of its file and no line
 * is ever joined to it. A write that fails leaves the file as it was before.
 */
import { randomBytes } from 'node:crypto'
import { constants, type FileHandle, mkdir, open, readdir, rm, stat } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import type { Clock } from '@millrace/runtime'

const MIB = 1024 * 1024
const DAY_MS = 24 * 60 * 60 * 1_000

export interface StoreLimits {
  /** A file that would grow beyond it is left for a new one. */
  readonly maxFileBytes: number
  /** All files together; room for one file more is always kept free. */
  readonly maxTotalBytes: number
  readonly maxAgeMs: number
  /** A file that has been open so long is left for a new one, so that age can remove it. */
  readonly maxOpenMs: number
}

export const STORE_LIMITS: StoreLimits = {
  maxFileBytes: 64 * MIB,
  maxTotalBytes: 1024 * MIB,
  maxAgeMs: 7 * DAY_MS,
  maxOpenMs: DAY_MS,
}

/** `events-20261124T072643123Z-1a2b3c4d.ndjson`: sorts by time; the tail keeps two receivers apart. */
const OWN_NAME = /^events-\d{8}T\d{9}Z-[0-9a-f]{8}\.ndjson$/

export interface StoreOptions {
  readonly directory: string
  readonly clock: Clock
  readonly limits?: StoreLimits
}

interface OpenFile {
  readonly name: string
  readonly handle: FileHandle
  readonly openedMs: number
  size: number
  /** Whether its name is on disk. */
  isNamed: boolean
}

export class EventStore {
  readonly #directory: string
  readonly #clock: Clock
  readonly #limits: StoreLimits
  #file: OpenFile | undefined

  constructor(options: StoreOptions) {
    this.#directory = options.directory
    this.#clock = options.clock
    this.#limits = options.limits ?? STORE_LIMITS
  }

  /** The file being written, or undefined when none is open. */
  get currentFile(): string | undefined {
    return this.#file && join(this.#directory, this.#file.name)
  }

  /** Makes the directory and a first file, so that a folder that cannot be written shows at once. */
  async open(): Promise<void> {
    if (!this.#file) await this.#begin()
  }

  /**
   * Appends lines, each with its newline, all of them or none; resolves when the system has them,
   * with `sync` when the disk has them. They stand in one file: lines that alone are more than a file may hold get one to themselves.
   */
  async append(lines: readonly string[], { sync = false } = {}): Promise<void> {
    if (lines.length === 0) return
    const bytes = Buffer.from(lines.join(''))
    const file = await this.#fileFor(bytes.length)
    try {
      await writeFully(file.handle, bytes, file.size)
      if (sync) await this.#sync(file)
      file.size += bytes.length
    } catch (error) {
      await this.#undo(file)
      throw error
    }
  }

  /** Closes the file; one without a line is removed. */
  async close(): Promise<void> {
    const file = this.#file
    this.#file = undefined
    if (!file) return
    await file.handle.close()
    if (file.size === 0) await rm(join(this.#directory, file.name), { force: true })
  }

  /** Removes what is too old or too much. */
  async prune(): Promise<void> {
    const names = await readdir(this.#directory)
    const files: { path: string; size: number; modifiedMs: number }[] = []
    for (const name of names.filter((each) => OWN_NAME.test(each)).sort()) {
      if (name === this.#file?.name) continue
      const path = join(this.#directory, name)
      const found = await statIfThere(path)
      if (found?.isFile()) files.push({ path, size: found.size, modifiedMs: found.mtimeMs })
    }
    const oldest = this.#clock.now() - this.#limits.maxAgeMs
    let total = files.reduce((sum, file) => sum + file.size, 0) + this.#limits.maxFileBytes
    for (const file of files) {
      if (file.modifiedMs >= oldest && total <= this.#limits.maxTotalBytes) continue
      await rm(file.path, { force: true })
      total -= file.size
    }
  }

  /** A file whose sync failed is not written again: the system need not tell a second time. */
  async #sync(file: OpenFile): Promise<void> {
    try {
      await file.handle.datasync()
      if (!file.isNamed) await syncDirectory(this.#directory)
      file.isNamed = true
    } catch (error) {
      this.#file = undefined
      throw error
    }
  }

  /** Cuts off what a failed write left; a file where even that fails is never written again. */
  async #undo(file: OpenFile): Promise<void> {
    try {
      await file.handle.truncate(file.size)
    } catch {
      this.#file = undefined // its last line may be torn: the next write begins another file
    }
    if (this.#file !== file) await file.handle.close().catch(() => undefined)
  }

  /** The open file, or a new one when it would grow too large, is old, or somebody removed it. */
  async #fileFor(bytes: number): Promise<OpenFile> {
    const file = this.#file
    if (!file) return this.#begin()
    const isFull = file.size > 0 && file.size + bytes > this.#limits.maxFileBytes
    const isOld = file.size > 0 && this.#clock.now() - file.openedMs >= this.#limits.maxOpenMs
    const isGone = (await file.handle.stat()).nlink === 0
    return isFull || isOld || isGone ? this.#begin() : file
  }

  async #begin(): Promise<OpenFile> {
    const before = this.#file
    this.#file = undefined
    if (before) await before.handle.close()
    await makeDirectory(this.#directory)
    const openedMs = this.#clock.now()
    const stamp = new Date(openedMs).toISOString().replaceAll(/[-:.]/g, '')
    const name = `events-${stamp}-${randomBytes(4).toString('hex')}.ndjson`
    const flags = constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL
    const handle = await open(join(this.#directory, name), flags, 0o600)
    const file = { name, handle, openedMs, size: 0, isNamed: false }
    this.#file = file
    await this.prune()
    return file
  }
}

async function writeFully(handle: FileHandle, bytes: Buffer, position: number): Promise<void> {
  let written = 0
  while (written < bytes.length) {
    const result = await handle.write(bytes, written, bytes.length - written, position + written)
    written += result.bytesWritten
  }
}

async function syncDirectory(path: string): Promise<void> {
  const handle = await open(path, 'r')
  try {
    await handle.sync()
  } finally {
    await handle.close()
  }
}

async function statIfThere(path: string) {
  try {
    return await stat(path)
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined
    throw error
  }
}

/** As `mkdir` with `recursive`, which never returns where the system refuses with ENOENT (in /proc). */
async function makeDirectory(path: string): Promise<void> {
  try {
    await mkdir(path)
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? error.code : undefined
    if (code === 'EEXIST') return
    const parent = dirname(path)
    if (code !== 'ENOENT' || parent === path || (await statIfThere(parent))) throw error
    await makeDirectory(parent)
    await makeDirectory(path)
  }
}

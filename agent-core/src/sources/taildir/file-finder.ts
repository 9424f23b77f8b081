import { fstatSync } from 'node:fs'
import type { FileHandle } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import { type Clock, type Logger, RateLimit } from '@millrace/runtime'
import { Directory, type Listing, statsOf } from './directory.js'
import type { FileGroup } from './file-group.js'
import type { FilePosition, StoredPositions } from './position-file.js'
import { StoredFiles } from './stored-files.js'
import { openFile } from './tailed-file.js'
import { type FileKey, keyOf, type TailedFileEntry, type TailedFiles } from './tailed-files.js'

export interface FileFinderOptions {
  readonly groups: readonly FileGroup[]
  readonly files: TailedFiles
  readonly stored: StoredPositions
  /** Whether a file of which nothing is stored begins at its end when the first look finds it. */
  readonly skipToEnd: boolean
  readonly cachePatternMatching: boolean
  readonly logger: Logger
  readonly clock: Clock
}

/** Files that are looked at between two turns of the event loop. */
const FILES_PER_TURN = 100
const WARN_INTERVAL_MS = 60_000
/** A file counts as gone when so many steady lists of its directory in a row do not have it. */
const GONE_AFTER_LISTS = 2

/** Looks at directories: finds new files, and keeps those in sight that have new names or none. */
export class FileFinder {
  readonly directories: readonly Directory[]
  readonly #options: FileFinderOptions
  readonly #stored: StoredFiles
  readonly #warnings: RateLimit
  #look = 0

  constructor(options: FileFinderOptions) {
    const { groups, cachePatternMatching: isCached, clock, stored, logger } = options
    this.#options = options
    this.#stored = new StoredFiles(stored, logger)
    this.#warnings = new RateLimit({ intervalMs: WARN_INTERVAL_MS, clock })
    const now = () => clock.now()
    this.directories = [...new Set(groups.map((group) => group.directory))].map((path) => {
      const here = groups.filter((group) => group.directory === path)
      return new Directory({ path, groups: here, isCached, now })
    })
  }

  /** How many looks there were. */
  get look(): number {
    return this.#look
  }

  /** What is stored of files that were not found yet. */
  get unclaimed(): readonly FilePosition[] {
    return this.#stored.unclaimed
  }

  /** Looks at all files of all directories. A directory that fails does not keep the others from it. */
  async lookAround(signal: AbortSignal): Promise<void> {
    this.#look += 1
    for (const directory of this.directories) {
      if (signal.aborted) return
      try {
        await this.#lookInto(directory, signal)
      } catch (error) {
        this.#warn(`${directory.path} cannot be looked into`, error)
      }
    }
  }

  /** Looks at one name. False: only a look around tells what became of it. */
  lookAt(directory: Directory, name: string): boolean {
    // Names of no interest: temporary files, and rotated ones that are found when they are missed.
    if (!directory.groupOf(name)) return true
    const path = join(directory.path, name)
    const stats = this.#statsOf(path)
    const entry = stats && this.#options.files.get(keyOf(stats))
    if (entry?.file.path !== path) return false
    this.#options.files.see(entry, stats)
    return true
  }

  async #lookInto(directory: Directory, signal: AbortSignal): Promise<void> {
    const listing = await directory.list()
    let seen = 0
    for (const { path, group } of listing.wanted) {
      seen += 1
      if (seen % FILES_PER_TURN === 0) await nextTurn()
      if (signal.aborted) return
      await this.#lookAtWanted(path, group)
    }
    await this.#lookForMissing(directory, listing)
    await this.#lookForStored(directory, listing)
  }

  async #lookAtWanted(path: string, group: FileGroup): Promise<void> {
    const stats = this.#statsOf(path)
    if (!stats?.isFile()) return
    const { files } = this.#options
    const entry = files.get(keyOf(stats))
    if (!entry) {
      await this.#follow(path, group)
      return
    }
    // Two names of one file, or one that was renamed while the names were listed: the first counts.
    if (entry.look === this.#look) return
    entry.look = this.#look
    entry.missed = 0
    if (entry.file.path !== path && !this.#isStillThere(entry)) files.rename(entry, path, group)
    files.see(entry, stats)
  }

  /** Begins to follow what has that name now. */
  async #follow(path: string, group: FileGroup): Promise<void> {
    const { files, skipToEnd } = this.#options
    await this.#withFile(path, async (handle) => {
      const stats = fstatSync(handle.fd, { bigint: true })
      // The name was given to a file that is known: the next look finds that out.
      if (!stats.isFile() || files.get(keyOf(stats))) return false
      const stored = await this.#stored.claim(handle, stats, path)
      const start = stored?.position ?? (skipToEnd && this.#look === 1 ? Number(stats.size) : 0)
      await files.follow({ handle, path, group, position: start }, this.#look)
      return true
    })
  }

  /** Files whose names no group wants any more, or that have none: renamed, deleted, or overlooked. */
  async #lookForMissing(directory: Directory, listing: Listing): Promise<void> {
    const { files } = this.#options
    const missing = [...files.entries].filter(
      ({ file, look }) => look < this.#look && file.group.directory === directory.path,
    )
    const lost = missing.filter((entry) => !this.#isStillThere(entry))
    if (lost.length === 0) return
    const names = await this.#namesByKey(directory, listing)
    for (const entry of lost) {
      const { file } = entry
      const name = names.get(keyOf({ dev: file.device, ino: file.inode }))
      if (name !== undefined) {
        files.renameAway(entry, join(directory.path, name))
        this.#isStillThere(entry)
      } else if (file.isOpen) files.see(entry, file.ownStats)
      else await this.#miss(entry, listing)
    }
  }

  /** Whether the file has the name that it was last known by. */
  #isStillThere(entry: TailedFileEntry): boolean {
    const { file } = entry
    const stats = this.#statsOf(file.path)
    if (!stats || stats.dev !== file.device || stats.ino !== file.inode) return false
    entry.missed = 0
    this.#options.files.see(entry, stats)
    return true
  }

  async #miss(entry: TailedFileEntry, listing: Listing): Promise<void> {
    // On another device is what lies under a file system that is not mounted.
    if (listing.isSteady && listing.device === entry.file.device) entry.missed += 1
    if (entry.missed < GONE_AFTER_LISTS) return
    const { files, logger } = this.#options
    await files.drop(entry)
    const { path, unread } = entry.file
    if (unread > 0) logger.warn(`${path} is gone; ${unread} bytes of it were not read`)
  }

  /** Takes up files that were being read at the last stop and are called otherwise now. */
  async #lookForStored(directory: Directory, listing: Listing): Promise<void> {
    if (!this.#stored.unclaimed.some(({ path }) => dirname(path) === directory.path)) return
    for (const name of listing.names) {
      const path = join(directory.path, name)
      const stats = this.#statsOf(path)
      if (!stats?.isFile() || !this.#stored.has(stats.ino)) continue
      if (this.#options.files.get(keyOf(stats))) continue
      await this.#takeUp(directory, path)
    }
    if (listing.isSteady) this.#stored.forgetIn(directory.path, listing.device)
  }

  async #takeUp(directory: Directory, path: string): Promise<void> {
    const { files } = this.#options
    await this.#withFile(path, async (handle) => {
      const stats = fstatSync(handle.fd, { bigint: true })
      const stored = await this.#stored.claim(handle, stats, path)
      if (!stored || stored.position >= Number(stats.size)) return false
      const group =
        directory.groups.find(({ name }) => name === stored.identity?.group) ??
        directory.groupOf(basename(stored.path))
      if (!group) return false
      await files.follow({ handle, path, group, position: stored.position }, this.#look - 1)
      return true
    })
  }

  /** Opens a file for work that says whether it keeps the descriptor. */
  async #withFile(path: string, work: (handle: FileHandle) => Promise<boolean>): Promise<void> {
    try {
      const handle = await openFile(path)
      if (!handle) return
      let isKept = false
      try {
        isKept = await work(handle)
      } finally {
        if (!isKept) await handle.close()
      }
    } catch (error) {
      this.#warn(`${path} cannot be opened`, error)
    }
  }

  async #namesByKey(directory: Directory, listing: Listing): Promise<Map<FileKey, string>> {
    const names = new Map<FileKey, string>()
    let seen = 0
    for (const name of listing.names) {
      seen += 1
      if (seen % FILES_PER_TURN === 0) await nextTurn()
      const stats = this.#statsOf(join(directory.path, name))
      if (stats?.isFile()) names.set(keyOf(stats), name)
    }
    return names
  }

  #statsOf(path: string): ReturnType<typeof statsOf> {
    try {
      return statsOf(path)
    } catch (error) {
      this.#warn(`${path} cannot be looked at`, error)
      return undefined
    }
  }

  #warn(message: string, error: unknown): void {
    if (this.#warnings.admit(message) !== undefined) this.#options.logger.warn(message, error)
  }
}

function nextTurn(): Promise<void> {
  return new Promise((resolve) => {
    setImmediate(resolve)
  })
}

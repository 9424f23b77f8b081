import type { BigIntStats } from 'node:fs'
import type { FileHandle } from 'node:fs/promises'
import { dirname } from 'node:path'
import type { Logger } from '@millrace/runtime'
import { isSameHead, readHead } from './file-head.js'
import type { FilePosition, StoredPositions } from './position-file.js'

/** What was stored of files at the last stop, until the files are found again. */
export class StoredFiles {
  readonly #byInode: Map<bigint, FilePosition[]>
  readonly #writtenMs: number
  readonly #logger: Logger

  constructor({ positions, writtenMs }: StoredPositions, logger: Logger) {
    this.#byInode = new Map()
    for (const stored of positions) {
      const { inode } = stored
      this.#byInode.set(inode, [...(this.#byInode.get(inode) ?? []), stored])
    }
    this.#writtenMs = writtenMs
    this.#logger = logger
  }

  /** What no file was found for up to now. */
  get unclaimed(): readonly FilePosition[] {
    return [...this.#byInode.values()].flat()
  }

  has(inode: bigint): boolean {
    return this.#byInode.has(inode)
  }

  /** Forgets files of a directory that are not there any more. Those of another device may come back. */
  forgetIn(directory: string, device: bigint): void {
    for (const [inode, all] of this.#byInode) {
      const others = all.filter(
        ({ path, identity }) =>
          dirname(path) !== directory || (identity && identity.device !== device),
      )
      if (others.length === 0) this.#byInode.delete(inode)
      else this.#byInode.set(inode, others)
    }
  }

  /**
   * What was stored of an open file, which is then forgotten here: an inode number is used again as
   * soon as its file is gone, so the file's first bytes must be the same. Of a file of which Flume
   * stored the position there are none; then its path counts, as in Flume, or that it is older than
   * what was stored.
   */
  async claim(
    handle: FileHandle,
    stats: BigIntStats,
    path: string,
  ): Promise<FilePosition | undefined> {
    const all = this.#byInode.get(stats.ino)
    if (!all) return undefined
    const rank = (each: FilePosition) =>
      Number(each.identity?.device === stats.dev) * 2 + Number(each.path === path)
    const best = [...all].sort((a, b) => rank(b) - rank(a))
    for (const stored of best) {
      if (!(await this.#isOf(stored, handle, stats, path))) continue
      this.#forget(stored)
      return stored
    }
    const [stored] = best
    if (stored) {
      this.#forget(stored)
      this.#logger.info(`${path} is another file than ${stored.path} was, and is read as a new one`)
    }
    return undefined
  }

  async #isOf(
    stored: FilePosition,
    handle: FileHandle,
    stats: BigIntStats,
    path: string,
  ): Promise<boolean> {
    const { position, identity } = stored
    if (Number(stats.size) < position) return false
    if (!identity) return this.#isOlder(stats) ?? stored.path === path
    // A device number can change when a computer starts again. Few bytes alone are no proof then.
    if (identity.device !== stats.dev && stored.path !== path) return false
    const head = await readHead(handle, identity.head.bytes)
    return isSameHead(head.head, identity.head)
  }

  /** Whether the file was made before the position was stored; undefined where the system does not tell. */
  #isOlder(stats: BigIntStats): boolean | undefined {
    const isKnown = stats.birthtimeNs > 0n && stats.birthtimeNs !== stats.ctimeNs
    return isKnown ? Number(stats.birthtimeMs) <= this.#writtenMs : undefined
  }

  #forget(stored: FilePosition): void {
    const others = this.#byInode.get(stored.inode)?.filter((each) => each !== stored) ?? []
    if (others.length === 0) this.#byInode.delete(stored.inode)
    else this.#byInode.set(stored.inode, others)
  }
}

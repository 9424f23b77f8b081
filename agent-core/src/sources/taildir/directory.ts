import { type BigIntStats, statSync } from 'node:fs'
import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import type { FileGroup } from './file-group.js'

/**
 * How far back, in milliseconds, a directory must have been changed for its list of names to be
 * trusted: file systems count time in steps, and two changes can have one time.
 */
const QUIET_MS = 2_000

export interface Listing {
  /** The files that a group wants by their names; of several groups the first one. */
  readonly wanted: readonly { readonly path: string; readonly group: FileGroup }[]
  readonly names: readonly string[]
  readonly device: bigint
  /** Whether nothing came or went while it was read. */
  readonly isSteady: boolean
}

export interface DirectoryOptions {
  readonly path: string
  /** In the order of the file. */
  readonly groups: readonly FileGroup[]
  /** Whether names are listed only when the directory has changed. */
  readonly isCached: boolean
  /** Wall-clock time in epoch milliseconds. */
  readonly now: () => number
}

/** A directory in which one or more groups have their files. */
export class Directory {
  readonly path: string
  readonly groups: readonly FileGroup[]
  readonly #options: DirectoryOptions
  #kept: { readonly listing: Listing; readonly modified: bigint } | undefined

  constructor(options: DirectoryOptions) {
    this.path = options.path
    this.groups = options.groups
    this.#options = options
  }

  /** The first group that wants the name. */
  groupOf(name: string): FileGroup | undefined {
    return this.groups.find((group) => group.hasName(name))
  }

  /** @throws an error of the system, such as when there is no such directory. */
  async list(): Promise<Listing> {
    const before = statSync(this.path, { bigint: true })
    if (this.#kept?.modified === before.mtimeNs) return this.#kept.listing
    const names = await readdir(this.path)
    const after = statSync(this.path, { bigint: true })
    const wanted = names.flatMap((name) => {
      const group = this.groupOf(name)
      return group ? { path: join(this.path, name), group } : []
    })
    const isSteady = before.mtimeNs === after.mtimeNs
    const isQuiet = Number(after.mtimeMs) < this.#options.now() - QUIET_MS
    const listing = { wanted, names, device: after.dev, isSteady }
    const isKept = this.#options.isCached && isSteady && isQuiet
    this.#kept = isKept ? { listing, modified: after.mtimeNs } : undefined
    return listing
  }
}

/**
 * What the system says of a name; undefined when there is none. The call does not leave the thread:
 * that takes a third of the time, and there may be thousands of files to look at.
 * @throws an error of the system.
 */
export function statsOf(path: string): BigIntStats | undefined {
  return statSync(path, { bigint: true, throwIfNoEntry: false })
}

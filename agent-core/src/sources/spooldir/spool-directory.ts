import { type BigIntStats, existsSync, statSync } from 'node:fs'
import { mkdir, readdir, rename, unlink, writeFile } from 'node:fs/promises'
import { dirname, join, relative } from 'node:path'
import type { Random } from '@millrace/runtime'
import { syncDirectory } from '../../files/replace-file.js'

/** Added to the name of a file that was set aside. */
export const ASIDE_SUFFIX = '.SET_ASIDE'

export interface SpoolDirectoryOptions {
  readonly spoolDir: string
  /** Absolute. */
  readonly trackerDir: string
  readonly fileSuffix: string
  readonly includePattern: RegExp
  readonly ignorePattern: RegExp
  readonly isRecursive: boolean
  readonly consumeOrder: 'oldest' | 'youngest' | 'random'
  /** How finished files are remembered. */
  readonly finish: 'rename' | 'tracker_dir' | 'delete'
}

/** A file that waits to be read. */
export interface Candidate {
  readonly path: string
  readonly name: string
  readonly stats: BigIntStats
}

/** Files that are looked at between two turns of the event loop. */
const FILES_PER_TURN = 100

/** The directory of a spooldir source: which files wait, and what becomes of them. */
export class SpoolDirectory {
  readonly #options: SpoolDirectoryOptions
  readonly #random: Random
  /** Set aside, although that could not be noted on the disk. */
  readonly #ignored = new Set<string>()

  constructor(options: SpoolDirectoryOptions, random: Random) {
    this.#options = options
    this.#random = random
  }

  /** Makes the tracker directory, and sees whether files can be made in it. */
  async prepare(): Promise<void> {
    const { spoolDir, trackerDir } = this.#options
    await readdir(spoolDir)
    await mkdir(trackerDir, { recursive: dirname(trackerDir) !== spoolDir }).catch(ignoreExisting)
    const probe = join(trackerDir, '.flumespool-probe')
    await writeFile(probe, '')
    await unlink(probe)
  }

  /** The files that wait, the one to be read next first. */
  async list(): Promise<readonly Candidate[]> {
    const found: Candidate[] = []
    await this.#listInto(found, this.#options.spoolDir)
    return this.#sort(found)
  }

  /** Whether the name of the finished file is taken already. */
  isRepeated({ path }: Candidate): boolean {
    return this.#options.finish === 'rename' && existsSync(path + this.#options.fileSuffix)
  }

  /** The file is read and all of it stored. */
  async finish({ path }: Candidate): Promise<void> {
    const { finish, fileSuffix } = this.#options
    if (finish === 'delete') await unlink(path)
    else if (finish === 'rename') await rename(path, path + fileSuffix)
    else return this.#mark(path, fileSuffix)
    await syncDirectory(dirname(path))
  }

  /** The file is not to be read again, and somebody should look at it. Gives what it is called now. */
  async setAside({ path }: Candidate): Promise<string> {
    this.#ignored.add(path)
    if (this.#options.finish === 'tracker_dir') {
      await this.#mark(path, ASIDE_SUFFIX)
      return path
    }
    let target = path + ASIDE_SUFFIX
    for (let i = 1; existsSync(target); i += 1) target = `${path}.${i}${ASIDE_SUFFIX}`
    await rename(path, target)
    this.#ignored.delete(path)
    return target
  }

  async #mark(path: string, suffix: string): Promise<void> {
    const marker = this.#markerOf(path, suffix)
    await mkdir(dirname(marker), { recursive: true })
    await writeFile(marker, '')
    await syncDirectory(dirname(marker))
  }

  #markerOf(path: string, suffix: string): string {
    const { trackerDir, spoolDir } = this.#options
    return join(trackerDir, relative(spoolDir, path) + suffix)
  }

  async #listInto(found: Candidate[], directory: string): Promise<void> {
    const { isRecursive, trackerDir, ignorePattern } = this.#options
    let seen = 0
    for (const entry of await readdir(directory, { withFileTypes: true })) {
      const { name } = entry
      const path = join(directory, name)
      seen += 1
      if (seen % FILES_PER_TURN === 0) await nextTurn()
      if (name.startsWith('.') || ignorePattern.test(name)) continue
      const stats = statSync(path, { bigint: true, throwIfNoEntry: false })
      if (stats?.isDirectory()) {
        if (isRecursive && path !== trackerDir) await this.#listInto(found, path)
      } else if (stats?.isFile() && this.#isWanted(path, name)) found.push({ path, name, stats })
    }
  }

  #isWanted(path: string, name: string): boolean {
    const { fileSuffix, includePattern, finish } = this.#options
    if (name.endsWith(fileSuffix) || name.endsWith(ASIDE_SUFFIX)) return false
    if (!includePattern.test(name) || this.#ignored.has(path)) return false
    if (finish !== 'tracker_dir') return true
    const isDone = existsSync(this.#markerOf(path, fileSuffix))
    return !isDone && !existsSync(this.#markerOf(path, ASIDE_SUFFIX))
  }

  #sort(found: Candidate[]): readonly Candidate[] {
    const { consumeOrder } = this.#options
    if (consumeOrder === 'random') {
      const keyed = found.map((each) => ({ each, key: this.#random() }))
      return keyed.sort((a, b) => a.key - b.key).map(({ each }) => each)
    }
    const sign = consumeOrder === 'oldest' ? 1 : -1
    return found.sort((a, b) => {
      const age = Number(a.stats.mtimeNs - b.stats.mtimeNs) * sign
      return age === 0 ? (a.path < b.path ? -1 : 1) : age
    })
  }
}

function nextTurn(): Promise<void> {
  return new Promise((resolve) => {
    setImmediate(resolve)
  })
}

function ignoreExisting(error: unknown): void {
  if (!(error instanceof Error) || Reflect.get(error, 'code') !== 'EEXIST') throw error
}

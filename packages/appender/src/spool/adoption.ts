import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { messageOf, MillraceError } from '@millrace/runtime'
import type { Log } from '@millrace/wal'
import {
  openSpool,
  remainsAmong,
  removeRemains,
  removeSpool,
  type SpoolPlace,
  spoolsAmong,
} from './spool-directory.js'
import { SpoolFeed, type SpoolFeedOptions } from './spool-feed.js'

/** Most spools of ended processes that are open at the same time. */
const MAX_ADOPTED = 64

export interface AdoptionOptions extends Omit<SpoolFeedOptions, 'log' | 'onEmpty'> {
  readonly directory: string
  readonly place: SpoolPlace
  /** Whether a name is one of this appender's own spools. */
  readonly isOwn: (name: string) => boolean
  readonly onAdopted: () => void
}

interface Adopted {
  readonly name: string
  readonly feed: SpoolFeed
}

/**
 * Delivers the spools of processes that have ended. Whoever opens one first has it: a log has one owner. One
 * after the other goes through one lane, the oldest first; an empty one is removed.
 */
export class Adoption {
  readonly #options: AdoptionOptions
  readonly #adopted: Adopted[] = []
  #scanning: Promise<void> | undefined
  /** Emptied ones that are being removed. */
  readonly #leaving = new Set<Promise<void>>()
  #isClosed = false

  constructor(options: AdoptionOptions) {
    this.#options = options
  }

  get size(): number {
    return this.#adopted.length
  }

  get bytes(): number {
    let bytes = 0
    for (const { feed } of this.#adopted) bytes += feed.backlogBytes
    return bytes
  }

  /** Resolves when the look that is under way is done. */
  get idle(): Promise<void> {
    return this.#scanning ?? Promise.resolve()
  }

  /** Looks for spools that nobody has. Never rejects. */
  scan(): Promise<void> {
    if (this.#isClosed) return Promise.resolve()
    this.#scanning ??= this.#scan().finally(() => {
      this.#scanning = undefined
    })
    return this.#scanning
  }

  mark(sequence: number): void {
    for (const { feed } of this.#adopted) feed.mark(sequence)
  }

  /** Gives up the oldest part of the oldest spool. @returns how many events. */
  dropOldest(): number {
    const oldest = this.#adopted[0]
    if (!oldest) return 0
    const { log } = oldest.feed
    return oldest.feed.dropBefore(
      oldest.feed.oldestPart?.nextSequence ?? log.nextSequence,
      'overflow',
    )
  }

  /** Leaves all to the next process. */
  async close(): Promise<void> {
    this.#isClosed = true
    await this.#scanning
    await Promise.all(this.#leaving)
    for (const { name, feed } of this.#adopted.splice(0)) {
      const isEmpty = feed.backlog === 0
      feed.close()
      await this.#leave(name, feed.log, isEmpty)
    }
  }

  async #scan(): Promise<void> {
    const { directory, isOwn, diagnostics } = this.#options
    try {
      const names = await readdir(directory)
      for (const name of remainsAmong(names)) await removeRemains(directory, name).catch(() => {})
      for (const name of spoolsAmong(names)) {
        if (this.#isClosed || this.#adopted.length >= MAX_ADOPTED) return
        if (!isOwn(name) && !this.#has(name)) await this.#adopt(name)
      }
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return
      diagnostics.report('spool', `${directory} cannot be read: ${messageOf(error)}`, error)
    }
  }

  #has(name: string): boolean {
    return this.#adopted.some((one) => one.name === name)
  }

  async #adopt(name: string): Promise<void> {
    const { directory, place, diagnostics, ledger, onAdopted } = this.#options
    let log: Log
    try {
      log = await openSpool(join(directory, name), place)
    } catch (error) {
      // Its process lives, or a rival has it.
      if (MillraceError.is(error) && error.code === 'MILLRACE_LOG_IN_USE') return
      diagnostics.report('spool', `${name} cannot be adopted: ${messageOf(error)}`, error)
      return
    }
    const onEmpty = (): void => this.#emptied(name)
    const feed = new SpoolFeed({ ...this.#options, log, onEmpty })
    const events = feed.backlog
    if (events === 0 || this.#isClosed) {
      feed.close()
      await this.#leave(name, log, events === 0)
      return
    }
    ledger.recover(events)
    diagnostics.report(
      'spool',
      `delivering what process ${processOf(name)} left`,
      undefined,
      events,
    )
    this.#adopted.push({ name, feed })
    if (this.#adopted.length === 1) this.#begin()
    onAdopted()
  }

  /** The oldest is delivered now. */
  #begin(): void {
    const { lane } = this.#options
    const feed = this.#adopted[0]?.feed
    lane.feed = feed
    feed?.refill()
  }

  #emptied(name: string): void {
    // Otherwise `close` ends it.
    if (this.#isClosed) return
    const index = this.#adopted.findIndex((one) => one.name === name)
    const [emptied] = index < 0 ? [] : this.#adopted.splice(index, 1)
    if (!emptied) return
    emptied.feed.close()
    if (index === 0) this.#begin()
    const leaving = this.#leave(name, emptied.feed.log, true).finally(() => {
      this.#leaving.delete(leaving)
    })
    this.#leaving.add(leaving)
  }

  async #leave(name: string, log: Log, isEmpty: boolean): Promise<void> {
    const { directory, diagnostics } = this.#options
    try {
      if (isEmpty) await removeSpool(join(directory, name), log)
      else await log.close()
    } catch (error) {
      diagnostics.report('spool', `${name} cannot be removed: ${messageOf(error)}`, error)
    }
  }
}

function processOf(name: string): string {
  return name.split('-')[1] ?? ''
}

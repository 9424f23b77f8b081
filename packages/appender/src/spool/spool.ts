import { join } from 'node:path'
import { messageOf } from '@millrace/runtime'
import type { Log } from '@millrace/wal'
import type { DropReason } from '../appender-state.js'
import { openSpoolSync, removeSpool, type SpoolPlace, spoolName } from './spool-directory.js'
import { SpoolFeed, type SpoolFeedOptions } from './spool-feed.js'

/** How often another name is tried when somebody was faster. */
const NAME_ATTEMPTS = 3
/** Bytes of a record beside its event, nearly. */
const RECORD_OVERHEAD_BYTES = 72

export interface SpoolOptions extends Omit<SpoolFeedOptions, 'log' | 'onEmpty'> {
  /** Where the spools of all processes are. */
  readonly directory: string
  readonly place: SpoolPlace
  /** So much was written that the limits should be looked at. */
  readonly onGrown: () => void
  /** A look at the limits after so many bytes. */
  readonly checkBytes: number
}

/**
 * The spool of one lane in a directory of its own, from the constructor on. It never throws and never stands
 * still for longer than a write to the page cache takes; while the disk fails, `append` says so.
 */
export class Spool {
  name = ''
  isWritable = false
  /** Events that it could not take. */
  missed = 0
  readonly #options: SpoolOptions
  #log: Log | undefined
  #grownBytes = 0
  #isClosed = false

  constructor(options: SpoolOptions) {
    this.#options = options
    this.#open()
  }

  get path(): string {
    return join(this.#options.directory, this.name)
  }

  get feed(): SpoolFeed | undefined {
    return this.#options.lane.feed
  }

  get bytes(): number {
    return this.#log?.bytes ?? 0
  }

  /** Writes one event. @returns its place; 0 when the disk does not take it. */
  append(source: Buffer, from: number, to: number): number {
    const log = this.#log
    if (!log || log.refusal) return this.#missed(log?.refusal)
    let place = 0
    try {
      place = log.appendEventSync(source, from, to)
    } catch (error) {
      return this.#missed(error)
    }
    if (!this.isWritable) this.#writable()
    this.#grownBytes += to - from + RECORD_OVERHEAD_BYTES
    if (this.#grownBytes >= this.#options.checkBytes) {
      this.#grownBytes = 0
      this.#options.onGrown()
    }
    return place
  }

  /** Another try, if there is no log yet. */
  tryAgain(): void {
    if (!this.#log && !this.#isClosed) this.#open()
  }

  /** Gives up the oldest part that can be given up. @returns how many events. */
  dropOldest(reason: DropReason): number {
    const oldest = this.feed?.oldestPart
    if (!oldest || !this.feed) return 0
    const dropped = this.feed.dropBefore(oldest.nextSequence, reason)
    this.settle()
    return dropped
  }

  /** When the last event of the oldest part came; undefined when there is only one part. */
  get oldestAtMs(): number | undefined {
    return this.feed?.oldestPart?.lastAppendedAtMs
  }

  /** Whether there is a part that can be given up. */
  get hasOldest(): boolean {
    return this.feed?.oldestPart !== undefined
  }

  /** Stores what was delivered, and gives room free. */
  settle(): void {
    try {
      this.#log?.settleSync()
    } catch (error) {
      this.#report('the spool cannot be written', error)
    }
  }

  /** Ends it, and removes it when nothing is left in it. Never rejects. */
  async close(): Promise<void> {
    this.#isClosed = true
    const isEmpty = this.feed?.backlog === 0
    this.feed?.close()
    const log = this.#log
    this.#log = undefined
    try {
      if (log && isEmpty) await removeSpool(this.path, log)
      else await log?.close()
    } catch (error) {
      this.#report(`${this.name} cannot be removed`, error)
    }
  }

  #open(): void {
    const { directory, place, clock, lane } = this.#options
    for (let attempt = 1; attempt <= NAME_ATTEMPTS; attempt += 1) {
      this.name = spoolName(clock.now())
      try {
        this.#log = openSpoolSync(this.path, place)
        break
      } catch (error) {
        // Whoever looks for abandoned spools may have taken the new directory for one, and have removed it.
        if (attempt < NAME_ATTEMPTS) continue
        this.#report(`no spool can be made in ${directory}`, error)
        return
      }
    }
    if (this.#log)
      lane.feed = new SpoolFeed({ ...this.#options, log: this.#log, onEmpty: () => {} })
    this.isWritable = true
  }

  #writable(): void {
    this.isWritable = true
    this.#options.diagnostics.report('spool', 'the spool is written again')
  }

  #missed(error: unknown): 0 {
    this.isWritable = false
    this.missed += 1
    this.#report('the spool cannot be written, events are held in memory only', error)
    return 0
  }

  #report(what: string, error: unknown): void {
    const reason = error === undefined ? '' : `: ${messageOf(error)}`
    this.#options.diagnostics.report('spool', `${what}${reason}`, error)
  }
}

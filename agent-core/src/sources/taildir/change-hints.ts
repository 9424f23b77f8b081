import { type FSWatcher, watch } from 'node:fs'
import { deferred, delay, type Clock, type Logger, messageOf } from '@millrace/runtime'
import type { Directory } from './directory.js'

/** Changes that come within this time, in milliseconds, are looked at together. */
const GATHER_MS = 20
/** With more names than these the whole directory is looked at. */
const MAX_NAMES = 1_000

/** Names in a directory that may have changed. */
export interface Hint {
  readonly directory: Directory
  readonly names: ReadonlySet<string>
}

/**
 * What the system tells of changes in directories (inotify, and what other systems have). It only
 * makes the source look sooner: where nothing is told, as on network file systems, or when something
 * is missed, the next look around finds it.
 */
export class ChangeHints {
  readonly #logger: Logger
  readonly #watchers = new Map<Directory, FSWatcher>()
  readonly #hints = new Map<Directory, Set<string>>()
  #news = deferred<void>()

  constructor(logger: Logger) {
    this.#logger = logger
  }

  /** Watches a directory, once. Where that cannot be done it is tried again with the next call. */
  watch(directory: Directory): void {
    if (this.#watchers.has(directory)) return
    try {
      const watcher = watch(directory.path, { persistent: false }, (_, name) => {
        this.#note(directory, name)
      })
      watcher.on('error', () => this.#unwatch(directory))
      this.#watchers.set(directory, watcher)
    } catch (error) {
      this.#logger.debug(`${directory.path} is not watched, only looked at: ${messageOf(error)}`)
    }
  }

  /** The hints up to now. They are gone then. */
  take(): readonly Hint[] {
    const hints = Array.from(this.#hints, ([directory, names]) => ({ directory, names }))
    this.#hints.clear()
    this.#news = deferred()
    return hints
  }

  /** Waits for a hint, and a little for more; at most `maxMs`. */
  async wait(maxMs: number, signal: AbortSignal, clock: Clock): Promise<void> {
    const late = new AbortController()
    const either = AbortSignal.any([signal, late.signal])
    try {
      await Promise.race([this.#news.promise, delay(maxMs, { signal: either, clock })])
    } finally {
      late.abort()
    }
    if (this.#hints.size > 0) await delay(Math.min(GATHER_MS, maxMs), { signal, clock })
  }

  close(): void {
    for (const watcher of this.#watchers.values()) watcher.close()
    this.#watchers.clear()
    this.#hints.clear()
  }

  #note(directory: Directory, name: string | null): void {
    const names = this.#hints.get(directory) ?? new Set()
    // A name that nobody has makes the whole directory be looked at.
    names.add(name === null || names.size >= MAX_NAMES ? '' : name)
    this.#hints.set(directory, names)
    this.#news.resolve()
  }

  /** The directory was removed, or the system watches no more for us. */
  #unwatch(directory: Directory): void {
    this.#watchers.get(directory)?.close()
    this.#watchers.delete(directory)
    this.#note(directory, null)
  }
}

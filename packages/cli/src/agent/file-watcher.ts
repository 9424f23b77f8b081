/** Looks at a file now and then, and tells when it has changed. */
import { stat } from 'node:fs/promises'
import type { Clock, Logger, Timer } from '@millrace/runtime'

export interface FileWatcherOptions {
  readonly file: string
  /** Milliseconds between two looks. */
  readonly intervalMs: number
  readonly clock: Clock
  readonly logger: Logger
  /** Called for each change, never while an earlier call is under way. It must not throw. */
  readonly onChange: () => Promise<void>
}

/** A file that is gone has not changed: it changes when it is back. */
export class FileWatcher {
  readonly #options: FileWatcherOptions
  #timer: Timer | undefined
  #seen: string | undefined
  #isStopped = false

  constructor(options: FileWatcherOptions) {
    this.#options = options
  }

  /** Remembers the file as it is; call it before the file is read for the first time. */
  async remember(): Promise<void> {
    this.#seen = await this.#look()
  }

  start(): void {
    const { clock, intervalMs } = this.#options
    if (this.#isStopped) return
    this.#timer = clock.after(
      intervalMs,
      () => {
        void this.#poll().finally(() => this.start())
      },
      { ref: false },
    )
  }

  stop(): void {
    this.#isStopped = true
    this.#timer?.cancel()
  }

  async #poll(): Promise<void> {
    const now = await this.#look()
    if (now === undefined || now === this.#seen || this.#isStopped) return
    this.#seen = now
    await this.#options.onChange()
  }

  async #look(): Promise<string | undefined> {
    try {
      const { mtimeMs, size, ino } = await stat(this.#options.file)
      return `${mtimeMs} ${size} ${ino}`
    } catch (error) {
      this.#options.logger.debug(`${this.#options.file} cannot be looked at`, error)
      return undefined
    }
  }
}

import type { Clock, Timer } from '@millrace/runtime'

/**
 * Watches that what was begun is finished in time. Frames begin and end thousands of times a second,
 * so a beginning only notes the time; the one timer, when it fires, looks whether that is long ago.
 */
export class UnfinishedTimer {
  readonly #clock: Clock
  readonly #onLate: (limitMs: number) => void
  #timer: Timer | undefined
  #limitMs = 0
  #sinceMs: number | undefined

  constructor(clock: Clock, onLate: (limitMs: number) => void) {
    this.#clock = clock
    this.#onLate = onLate
  }

  /** Something unfinished is there; `isNew`: not what was there before. */
  begin(limitMs: number, isNew: boolean): void {
    this.#limitMs = limitMs
    if (isNew || this.#sinceMs === undefined) this.#sinceMs = this.#clock.monotonic()
    if (!this.#timer) this.#arm(limitMs)
  }

  /** Nothing unfinished is there. The timer goes on, and finds nothing when it fires. */
  clear(): void {
    this.#sinceMs = undefined
  }

  stop(): void {
    this.#sinceMs = undefined
    this.#timer?.cancel()
    this.#timer = undefined
  }

  #arm(ms: number): void {
    this.#timer = this.#clock.after(ms, () => this.#look(), { ref: false })
  }

  #look(): void {
    this.#timer = undefined
    if (this.#sinceMs === undefined) return
    const leftMs = this.#sinceMs + this.#limitMs - this.#clock.monotonic()
    if (leftMs > 0) this.#arm(leftMs)
    else this.#onLate(this.#limitMs)
  }
}

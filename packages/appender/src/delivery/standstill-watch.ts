import type { Clock, Timer } from '@millrace/runtime'

/**
 * Notices that the process stood still (a frozen container, a suspended machine): a timer that
 * should come every half `thresholdMs` came later than the whole. Peers may have given up the
 * connections meanwhile without this side having heard of it. Does not keep the process alive.
 */
export class StandstillWatch {
  readonly #thresholdMs: number
  readonly #clock: Clock
  #timer: Timer | undefined
  #count = 0
  #lastMonotonicMs = 0
  #lastWallMs = 0

  /** @param thresholdMs 0 notices nothing. */
  constructor(thresholdMs: number, clock: Clock) {
    this.#thresholdMs = thresholdMs
    this.#clock = clock
  }

  start(): void {
    if (this.#thresholdMs === 0 || this.#timer) return
    this.#mark()
    this.#beat()
  }

  stop(): void {
    this.#timer?.cancel()
    this.#timer = undefined
  }

  /** Standstills so far. Looks at the clocks, so that it is right before the timer has come too. */
  count(): number {
    if (!this.#timer) return this.#count
    const passed = this.#clock.monotonic() - this.#lastMonotonicMs
    // The monotonic clock may rest during a freeze; the wall clock may be set, which costs one
    // needless reconnection.
    const passedOnWall = this.#clock.now() - this.#lastWallMs
    if (Math.max(passed, passedOnWall) > this.#thresholdMs) {
      this.#count += 1
      this.#mark()
    }
    return this.#count
  }

  #beat(): void {
    this.#timer = this.#clock.after(
      Math.ceil(this.#thresholdMs / 2),
      () => {
        this.count()
        this.#mark()
        this.#beat()
      },
      { ref: false },
    )
  }

  #mark(): void {
    this.#lastMonotonicMs = this.#clock.monotonic()
    this.#lastWallMs = this.#clock.now()
  }
}

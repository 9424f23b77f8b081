import type { Clock, Timer } from '@millrace/runtime'

interface PendingTimer {
  readonly dueMs: number
  readonly callback: () => void
}

/** A clock that a test turns by hand. No timer of it fires unless {@link FakeClock.advance} is called. */
export class FakeClock implements Clock {
  #nowMs: number
  #monotonicMs = 0
  /** In the order in which they were set, which decides among those due at the same time. */
  readonly #timers = new Set<PendingTimer>()

  /** @param nowMs wall-clock time at the start, in epoch milliseconds. */
  constructor(nowMs = 1_700_000_000_000) {
    this.#nowMs = nowMs
  }

  now(): number {
    return this.#nowMs
  }

  monotonic(): number {
    return this.#monotonicMs
  }

  after(ms: number, callback: () => void): Timer {
    const timer = {
      dueMs: this.#monotonicMs + Math.max(0, ms),
      callback,
    }
    this.#timers.add(timer)
    return {
      cancel: () => {
        this.#timers.delete(timer)
      },
    }
  }

  /** Timers that wait. */
  get pendingTimers(): number {
    return this.#timers.size
  }

  /** Milliseconds until the next timer is due, or undefined when none waits. */
  get nextTimerMs(): number | undefined {
    const next = this.#next()
    return next && next.dueMs - this.#monotonicMs
  }

  /**
   * Lets `ms` milliseconds pass: fires each timer that comes due, at its own time and in order, and
   * lets promises settle after each one, so that a timer set by what follows fires too.
   */
  async advance(ms: number): Promise<void> {
    const endMs = this.#monotonicMs + ms
    await settle()
    for (let next = this.#next(); next && next.dueMs <= endMs; next = this.#next()) {
      this.#pass(next.dueMs - this.#monotonicMs)
      this.#timers.delete(next)
      next.callback()
      await settle()
    }
    this.#pass(endMs - this.#monotonicMs)
  }

  /** Moves the wall clock alone, as a correction of the system's time does. */
  jump(ms: number): void {
    this.#nowMs += ms
  }

  #pass(ms: number): void {
    this.#nowMs += ms
    this.#monotonicMs += ms
  }

  #next(): PendingTimer | undefined {
    let next: PendingTimer | undefined
    for (const timer of this.#timers) {
      if (!next || timer.dueMs < next.dueMs) next = timer
    }
    return next
  }
}

/** One turn of the event loop: every promise that can settle has settled. */
function settle(): Promise<void> {
  return new Promise((resolve) => {
    setImmediate(resolve)
  })
}

/** A timer that can be cancelled and need not keep the process alive. */
export interface Timer {
  cancel(): void
}

/** Time, so that tests can turn it. Everything that waits takes its time from one of these. */
export interface Clock {
  /** Wall-clock time in epoch milliseconds. May jump. */
  now(): number
  /** Milliseconds since some start. Never goes back. */
  monotonic(): number
  /** Calls once after `ms`. With `ref: false` the timer does not keep the process alive. */
  after(ms: number, callback: () => void, options?: { ref?: boolean }): Timer
}

/** The longest delay that a timer of Node takes, in milliseconds. */
const MAX_TIMER_MS = 2 ** 31 - 1

export const systemClock: Clock = {
  now: () => Date.now(),
  monotonic: () => performance.now(),
  after(ms, callback, options = {}) {
    const timer = setTimeout(callback, Math.min(Math.max(ms, 0), MAX_TIMER_MS))
    if (options.ref === false) timer.unref()
    return { cancel: () => clearTimeout(timer) }
  },
}

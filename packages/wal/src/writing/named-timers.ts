import type { Clock, Timer } from '@millrace/runtime'

/** Timers of which each name has one at most. They do not keep the process alive. */
export class NamedTimers<Name extends string> {
  readonly #clock: Clock
  readonly #timers = new Map<Name, Timer>()

  constructor(clock: Clock) {
    this.#clock = clock
  }

  has(name: Name): boolean {
    return this.#timers.has(name)
  }

  /** Calls once after `ms`, in place of what was set under the name before. */
  set(name: Name, ms: number, callback: () => void): void {
    this.cancel(name)
    const fire = () => {
      this.#timers.delete(name)
      callback()
    }
    this.#timers.set(name, this.#clock.after(ms, fire, { ref: false }))
  }

  cancel(name: Name): void {
    this.#timers.get(name)?.cancel()
    this.#timers.delete(name)
  }

  cancelAll(): void {
    for (const timer of this.#timers.values()) timer.cancel()
    this.#timers.clear()
  }
}

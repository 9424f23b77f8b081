/** How long a loop may go on without letting the process see its sockets and timers, in milliseconds. */
const LONGEST_MS = 2

/**
 * Lets a loop whose every wait is over at once (memory channel, null sink) go to the event loop now
 * and then. A look at the clock each round is cheaper than a timer or an immediate each round.
 */
export class EventLoopTurn {
  #sinceMs = 0

  /** Whether it is time for {@link EventLoopTurn.next}; takes the monotonic time. */
  isDue(nowMs: number): boolean {
    return nowMs - this.#sinceMs >= LONGEST_MS
  }

  /** Notes that the loop has just come back from the event loop by itself. */
  passed(nowMs: number): void {
    this.#sinceMs = nowMs
  }

  /** Resolves in the event loop's next round. */
  next(nowMs: number): Promise<void> {
    this.#sinceMs = nowMs
    return new Promise((resolve) => {
      setImmediate(resolve)
    })
  }
}

import type { Clock } from '@millrace/runtime'

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

  /**
   * Resolves in the event loop's next round. The loop's time begins then: counted from before the
   * wait, a busy event loop would leave it one round each time, and a channel would fill for nothing.
   */
  async next(clock: Clock): Promise<void> {
    await new Promise((resolve) => {
      setImmediate(resolve)
    })
    this.#sinceMs = clock.monotonic()
  }
}

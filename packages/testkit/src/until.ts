import { setImmediate as turn, setTimeout as sleep } from 'node:timers/promises'

export interface UntilOptions {
  /** Milliseconds until the wait fails. Default 5,000. */
  readonly timeoutMs?: number
  /** What is waited for: the text of the failure. */
  readonly what: string | (() => string)
}

/** Turns of the event loop before the wait begins to sleep between two looks. */
const EAGER_TURNS = 50
const PAUSE_MS = 5

/**
 * Waits until `condition` holds and gives what it returned.
 * @throws Error naming `what` when the deadline comes first; what the condition throws passes through.
 */
export async function until<T>(
  condition: () => T | Promise<T>,
  options: UntilOptions,
): Promise<NonNullable<Exclude<T, false>>> {
  const { timeoutMs = 5_000, what } = options
  const deadline = performance.now() + timeoutMs
  for (let turns = 0; ; turns += 1) {
    const result = await condition()
    if (result !== undefined && result !== null && result !== false) {
      return result as NonNullable<Exclude<T, false>>
    }
    if (performance.now() >= deadline) {
      const text = typeof what === 'string' ? what : what()
      throw new Error(`Waited ${timeoutMs} ms in vain: ${text}`)
    }
    if (turns < EAGER_TURNS) await turn()
    else await sleep(PAUSE_MS)
  }
}

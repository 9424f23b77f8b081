import retry from 'retry'
import type { Random } from './random.js'

export interface BackoffOptions {
  /** The first delay's ceiling in milliseconds. Default 1,000. */
  readonly minMs?: number
  /** The largest ceiling in milliseconds. Default 30,000. */
  readonly maxMs?: number
  /** Growth from one ceiling to the next. Default 2. */
  readonly factor?: number
  /** `full` draws each delay from [0, ceiling); `none` takes the ceiling. Default full. */
  readonly jitter?: 'full' | 'none'
  readonly random?: Random
}

/**
 * A series of delays that grows to a cap. Call {@link Backoff.reset} only after real success (an
 * acknowledged batch), never after a mere connect: a peer that accepts and closes would be stormed.
 */
export class Backoff {
  readonly #options: Required<BackoffOptions>
  #failures = 0

  constructor(options: BackoffOptions = {}) {
    this.#options = {
      minMs: 1_000,
      maxMs: 30_000,
      factor: 2,
      jitter: 'full',
      random: Math.random,
      ...options,
    }
  }

  /** Failures since the last success. */
  get failures(): number {
    return this.#failures
  }

  /** Counts a failure and gives the delay before the next attempt, in milliseconds. */
  next(): number {
    const { minMs, maxMs, factor, jitter, random } = this.#options
    // The library's own `randomize` stretches a delay and then caps it, so that late attempts of
    // many clients fall together at the cap; the draw is made here instead.
    const ceiling = retry.createTimeout(this.#failures, {
      minTimeout: minMs,
      maxTimeout: maxMs,
      factor,
      randomize: false,
    })
    // Far beyond any cap; keeps the power finite however long an outage lasts.
    if (this.#failures < 64) this.#failures += 1
    return jitter === 'full' ? Math.floor(ceiling * random()) : ceiling
  }

  reset(): void {
    this.#failures = 0
  }
}

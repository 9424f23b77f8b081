import type { Clock } from './clock.js'
import type { Random } from './random.js'

/** Longest exclusion when none is configured, in milliseconds (Flume's default). */
export const DEFAULT_MAX_BACKOFF_MS = 30_000
const EXPONENT_LIMIT = 16
const SEQUENCE_WINDOW_MS = 3_600_000

export interface OrderSelectorOptions {
  /** Whether a failing target is excluded for a growing time. */
  readonly backoff: boolean
  /** Ceiling of the exclusion in milliseconds; 0 means {@link DEFAULT_MAX_BACKOFF_MS}. */
  readonly maxBackoffMs?: number
  readonly clock: Clock
  readonly random?: Random
}

interface Target {
  fails: number
  lastFailMs: number
  restoreMs: number
}

/**
 * Says in which order targets are tried. Flume's formula (OrderSelector): the exclusion after the
 * n-th failure in a row is min(ceiling, 1000 × 2^n) ms, n ≤ 16; a failure counts as "in a row" when
 * it comes within an hour after the previous exclusion ended; a success never resets the count.
 */
export abstract class OrderSelector<T> {
  protected readonly options: OrderSelectorOptions
  readonly #targets: readonly T[]
  readonly #states = new Map<T, Target>()
  readonly #ceilingMs: number

  constructor(targets: readonly T[], options: OrderSelectorOptions) {
    this.#targets = [...targets]
    this.options = options
    this.#ceilingMs = options.maxBackoffMs || DEFAULT_MAX_BACKOFF_MS
    for (const target of targets)
      this.#states.set(target, { fails: 0, lastFailMs: 0, restoreMs: 0 })
  }

  /** The targets to try now, in order. Empty when all are excluded. */
  abstract order(): readonly T[]

  /** Excludes the target for its next, longer time. Without `backoff` it does nothing. */
  informFailure(target: T): void {
    const state = this.#states.get(target)
    if (!this.options.backoff || !state) return
    const now = this.options.clock.now()
    const lastMs = this.#exclusionMs(state.fails)
    const inARow = now - state.lastFailMs < lastMs + SEQUENCE_WINDOW_MS
    state.fails = inARow ? Math.min(state.fails + 1, EXPONENT_LIMIT) : 1
    state.lastFailMs = now
    state.restoreMs = now + this.#exclusionMs(state.fails)
  }

  protected active(): readonly T[] {
    if (!this.options.backoff) return this.#targets
    const now = this.options.clock.now()
    return this.#targets.filter((target) => (this.#states.get(target)?.restoreMs ?? 0) < now)
  }

  #exclusionMs(fails: number): number {
    return Math.min(this.#ceilingMs, 1_000 * 2 ** fails)
  }
}

/**
 * abc, bca, cab …: one head index, advanced at each call over the targets that are active then; it
 * begins anew when there are no longer as many.
 */
export class RoundRobinOrderSelector<T> extends OrderSelector<T> {
  #head = 0

  order(): readonly T[] {
    const active = this.active()
    if (active.length === 0) return active
    const begin = this.#head < active.length ? this.#head : 0
    this.#head = (begin + 1) % active.length
    return [...active.slice(begin), ...active.slice(0, begin)]
  }
}

/** A fresh random permutation of the active targets at each call. */
export class RandomOrderSelector<T> extends OrderSelector<T> {
  order(): readonly T[] {
    const random = this.options.random ?? Math.random
    const order = [...this.active()]
    for (let i = order.length - 1; i > 0; i -= 1) {
      const j = Math.floor(random() * (i + 1))
      const swapped = order[i] as T
      order[i] = order[j] as T
      order[j] = swapped
    }
    return order
  }
}

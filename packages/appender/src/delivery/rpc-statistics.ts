import type { AppenderState, RpcOutcome } from '../appender-state.js'

/** Upper bounds of the latency buckets in milliseconds. */
const BUCKETS_MS = [1, 2, 5, 10, 25, 50, 100, 250, 500, 1_000, 2_500, 5_000, 10_000, 20_000]

/** Calls by outcome and how long they took. */
export class RpcStatistics {
  readonly outcomes: Record<RpcOutcome, number> = { ok: 0, failed: 0, timeout: 0, error: 0 }
  readonly #counts = BUCKETS_MS.map(() => 0)
  #count = 0
  #sum = 0
  #max = 0

  add(outcome: RpcOutcome, tookMs: number): void {
    this.outcomes[outcome] += 1
    this.#count += 1
    this.#sum += tookMs
    this.#max = Math.max(this.#max, tookMs)
    const index = BUCKETS_MS.findIndex((atMost) => tookMs <= atMost)
    if (index >= 0) this.#counts[index] = (this.#counts[index] ?? 0) + 1
  }

  latency(): AppenderState['rpcLatencyMs'] {
    let count = 0
    const buckets = BUCKETS_MS.map((atMost, index) => {
      count += this.#counts[index] ?? 0
      return { atMost, count }
    })
    return { count: this.#count, sum: this.#sum, max: this.#max, buckets }
  }
}

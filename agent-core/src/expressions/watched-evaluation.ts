/**
 * Evaluates a regular expression for the events of a batch, within a time that is known.
 *
 * Most expressions cannot take long on most texts, and {@link JavaPattern.stepBound} says so: these
 * run as they are. Once the steps that a batch may need go beyond a budget, the rest of it runs in a
 * script of `node:vm` with a time limit, which ends a search wherever it is. That costs some 60 µs
 * for a batch, and nothing for each event.
 */
import { createContext, Script } from 'node:vm'
import { type Clock, type Logger, RateLimit } from '@millrace/runtime'

/** Steps of a batch that are not watched: some 10 ms. */
const FREE_STEPS = 2_000_000
/** Longest evaluation of a batch, in milliseconds, and beside it … */
const BATCH_LIMIT_MS = 400
/** … for so many bytes of bodies a millisecond more. */
const BYTES_PER_MS = 20_000
/** One event may take this share of it. */
const EVENT_SHARE = 4
const LOG_INTERVAL_MS = 10_000

export interface WatchedEvaluationOptions {
  /** Upper bound on the steps for a text of so many characters. */
  readonly stepBound: (length: number) => number
  readonly logger: Logger
  readonly clock: Clock
}

/** The texts of a batch. */
export interface EvaluatedTexts {
  readonly size: number
  /** Length of a text in bytes, at least its number of characters. */
  readonly lengthAt: (index: number) => number
  /** Evaluates one text. It may be stopped anywhere, and be called again for the same text. */
  readonly evaluate: (index: number) => void
}

export class WatchedEvaluation {
  readonly #options: WatchedEvaluationOptions
  readonly #rateLimit: RateLimit
  readonly #work: { run: () => void }
  readonly #script = new Script('run()')
  #stoppedCount = 0

  constructor(options: WatchedEvaluationOptions) {
    this.#options = options
    this.#rateLimit = new RateLimit({ intervalMs: LOG_INTERVAL_MS, clock: options.clock })
    this.#work = { run: () => undefined }
    createContext(this.#work)
  }

  /** Events whose evaluation was stopped, ever. */
  get stoppedCount(): number {
    return this.#stoppedCount
  }

  /** Evaluates the texts in their order; gives the indexes of those whose evaluation was stopped. */
  run(texts: EvaluatedTexts): ReadonlySet<number> {
    const { stepBound } = this.#options
    let steps = 0
    for (let i = 0; i < texts.size; i += 1) {
      steps += stepBound(texts.lengthAt(i))
      if (steps > FREE_STEPS) return this.#runWatched(texts, i)
      texts.evaluate(i)
    }
    return NONE
  }

  #runWatched(texts: EvaluatedTexts, start: number): ReadonlySet<number> {
    const stopped = new Set<number>()
    let bytes = 0
    for (let i = start; i < texts.size; i += 1) bytes += texts.lengthAt(i)
    const limitMs = BATCH_LIMIT_MS + bytes / BYTES_PER_MS
    const shareMs = Math.ceil(limitMs / EVENT_SHARE)
    const end = performance.now() + limitMs
    let next = start
    while (next < texts.size) {
      const leftMs = Math.floor(end - performance.now())
      if (leftMs < 1) break
      const [reached, beganMs] = this.#runUntil(texts, next, Math.min(leftMs, shareMs))
      next = reached
      // One that had only begun when the time was up is tried again, with all of its share.
      if (reached < texts.size && performance.now() - beganMs >= shareMs / 2) {
        stopped.add(reached)
        next += 1
      }
    }
    for (; next < texts.size; next += 1) stopped.add(next)
    this.#note(stopped.size)
    return stopped
  }

  /** Evaluates from an index on until the time is up; gives the index it came to, and when it began. */
  #runUntil(
    texts: EvaluatedTexts,
    start: number,
    timeout: number,
  ): [reached: number, beganMs: number] {
    let index = start
    let beganMs = 0
    this.#work.run = () => {
      for (; index < texts.size; index += 1) {
        beganMs = performance.now()
        texts.evaluate(index)
      }
    }
    try {
      this.#script.runInContext(this.#work, { timeout })
    } catch (error) {
      // The error belongs to the script's own context, where `Error` is another class.
      const isLate = typeof error === 'object' && error !== null && 'code' in error
      if (!isLate || error.code !== 'ERR_SCRIPT_EXECUTION_TIMEOUT') throw error
    }
    return [index, beganMs]
  }

  #note(count: number): void {
    if (count === 0) return
    this.#stoppedCount += count
    const held = this.#rateLimit.admit('stopped')
    if (held === undefined) return
    this.#options.logger.warn(
      `the regular expression took too long for ${count} events of a batch, which go on unmatched; ${this.#stoppedCount} since the start`,
    )
  }
}

const NONE: ReadonlySet<number> = new Set()

/**
 * Calls that wait their turn: first come, first served, each with a time limit and a signal. A
 * channel that is emptied faster than it is filled waits for every batch, so a wait must be cheap:
 * the list has one timer, which is not cancelled when a call is served but set anew when it fires,
 * and one listener for each signal that waits again and again.
 */
import { abortReason, type Clock, type Timer } from '@millrace/runtime'

/** One waiting call. */
interface Wait<Request, Answer> {
  readonly request: Request
  readonly signal: AbortSignal
  readonly untilMs: number
  readonly resolve: (answer: Answer) => void
  readonly reject: (reason: unknown) => void
  isWaiting: boolean
  previous: Wait<Request, Answer> | undefined
  next: Wait<Request, Answer> | undefined
}

/** The calls that one signal can abort. */
interface Watch<Request, Answer> {
  readonly waits: Set<Wait<Request, Answer>>
  readonly onAbort: () => void
}

export interface WaitListOptions<Request, Answer> {
  readonly clock: Clock
  /** What a call gets whose time is up; it may throw instead. */
  readonly onTimeout: (request: Request) => Answer
  /** Called after a call left without being served, so that those behind it get their chance. */
  readonly onLeave: () => void
  /** Whether the same few signals come again and again: their listeners then stay. */
  readonly hasSteadySignals: boolean
}

/** Waiting calls as a linked list: to join, to be served and to leave from anywhere cost O(1). */
export class WaitList<Request, Answer> {
  readonly #options: WaitListOptions<Request, Answer>
  #first: Wait<Request, Answer> | undefined
  #last: Wait<Request, Answer> | undefined
  #watches = new WeakMap<AbortSignal, Watch<Request, Answer>>()
  #timer: Timer | undefined
  #timerAtMs = 0

  constructor(options: WaitListOptions<Request, Answer>) {
    this.#options = options
  }

  /** What the first waiting call asks for; undefined when none waits. */
  get first(): Request | undefined {
    return this.#first?.request
  }

  /** Joins at the end, for at most `ms` milliseconds. */
  wait(request: Request, ms: number, signal: AbortSignal): Promise<Answer> {
    return new Promise((resolve, reject) => {
      const untilMs = this.#options.clock.monotonic() + ms
      const previous = this.#last
      const wait: Wait<Request, Answer> = {
        request,
        signal,
        untilMs,
        resolve,
        reject,
        isWaiting: true,
        previous,
        next: undefined,
      }
      if (previous) previous.next = wait
      else this.#first = wait
      this.#last = wait
      this.#watch(signal).waits.add(wait)
      if (!this.#timer || untilMs < this.#timerAtMs) this.#setTimer(untilMs)
    })
  }

  /** Serves the first call. */
  resolveFirst(answer: Answer): void {
    const wait = this.#first
    if (!wait) return
    this.#remove(wait)
    wait.resolve(answer)
  }

  /** Sends every call away, and lets go of the timer. */
  rejectAll(makeReason: () => unknown): void {
    for (let wait = this.#first; wait; wait = this.#first) {
      this.#remove(wait)
      wait.reject(makeReason())
    }
    this.#timer?.cancel()
    this.#timer = undefined
  }

  #watch(signal: AbortSignal): Watch<Request, Answer> {
    const known = this.#watches.get(signal)
    if (known) return known
    const waits = new Set<Wait<Request, Answer>>()
    const onAbort = () => {
      for (const wait of waits) this.#leave(wait, () => wait.reject(abortReason(signal)))
    }
    const watch = { waits, onAbort }
    this.#watches.set(signal, watch)
    signal.addEventListener('abort', onAbort, { once: true })
    return watch
  }

  #setTimer(atMs: number): void {
    const { clock } = this.#options
    this.#timer?.cancel()
    this.#timerAtMs = atMs
    this.#timer = clock.after(atMs - clock.monotonic(), () => this.#onTimer())
  }

  #onTimer(): void {
    this.#timer = undefined
    const nowMs = this.#options.clock.monotonic()
    let nextMs = Number.POSITIVE_INFINITY
    for (let wait = this.#first; wait; wait = wait.next) {
      const late = wait
      // One that left before it can have let this one in.
      if (!late.isWaiting) continue
      // Timers of the system may fire a fraction of a millisecond early.
      if (late.untilMs > nowMs + 0.5) nextMs = Math.min(nextMs, late.untilMs)
      else this.#leave(late, () => late.resolve(this.#options.onTimeout(late.request)))
    }
    if (this.#first && nextMs < Number.POSITIVE_INFINITY) this.#setTimer(nextMs)
  }

  #leave(wait: Wait<Request, Answer>, settle: () => void): void {
    this.#remove(wait)
    try {
      settle()
    } catch (error) {
      wait.reject(error)
    }
    this.#options.onLeave()
  }

  #remove(wait: Wait<Request, Answer>): void {
    wait.isWaiting = false
    if (wait.previous) wait.previous.next = wait.next
    else this.#first = wait.next
    if (wait.next) wait.next.previous = wait.previous
    else this.#last = wait.previous
    const watch = this.#watches.get(wait.signal)
    watch?.waits.delete(wait)
    if (!watch || watch.waits.size > 0 || this.#options.hasSteadySignals) return
    wait.signal.removeEventListener('abort', watch.onAbort)
    this.#watches.delete(wait.signal)
  }
}

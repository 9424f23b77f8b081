/** Calls that wait their turn: first come, first served, each with a time limit and a signal. */
import { abortReason, type Clock, type Timer } from '@millrace/runtime'

/** One waiting call. */
interface Wait<Request, Answer> {
  readonly request: Request
  readonly resolve: (answer: Answer) => void
  readonly reject: (reason: unknown) => void
  /** Undoes its timer and its listener. */
  cancel: () => void
  previous: Wait<Request, Answer> | undefined
  next: Wait<Request, Answer> | undefined
}

export interface WaitListOptions<Request, Answer> {
  readonly clock: Clock
  /** What a call gets whose time is up; it may throw instead. */
  readonly onTimeout: (request: Request) => Answer
  /** Called after a call left without being served, so that those behind it get their chance. */
  readonly onLeave: () => void
}

/** Waiting calls as a linked list: to join, to be served and to leave from anywhere cost O(1). */
export class WaitList<Request, Answer> {
  readonly #options: WaitListOptions<Request, Answer>
  #first: Wait<Request, Answer> | undefined
  #last: Wait<Request, Answer> | undefined

  constructor(options: WaitListOptions<Request, Answer>) {
    this.#options = options
  }

  /** What the first waiting call asks for; undefined when none waits. */
  get first(): Request | undefined {
    return this.#first?.request
  }

  /** Joins at the end, for at most `ms` milliseconds. */
  wait(request: Request, ms: number, signal: AbortSignal): Promise<Answer> {
    const { clock, onTimeout } = this.#options
    return new Promise((resolve, reject) => {
      const wait: Wait<Request, Answer> = {
        request,
        resolve,
        reject,
        cancel: () => {},
        previous: this.#last,
        next: undefined,
      }
      const onAbort = () => this.#leave(wait, () => reject(abortReason(signal)))
      const timer: Timer = clock.after(ms, () => {
        this.#leave(wait, () => resolve(onTimeout(request)))
      })
      signal.addEventListener('abort', onAbort, { once: true })
      wait.cancel = () => {
        timer.cancel()
        signal.removeEventListener('abort', onAbort)
      }
      if (this.#last) this.#last.next = wait
      else this.#first = wait
      this.#last = wait
    })
  }

  /** Serves the first call. */
  resolveFirst(answer: Answer): void {
    const wait = this.#first
    if (!wait) return
    this.#remove(wait)
    wait.resolve(answer)
  }

  /** Sends every call away. */
  rejectAll(makeReason: () => unknown): void {
    for (let wait = this.#first; wait; wait = this.#first) {
      this.#remove(wait)
      wait.reject(makeReason())
    }
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
    wait.cancel()
    if (wait.previous) wait.previous.next = wait.next
    else this.#first = wait.next
    if (wait.next) wait.next.previous = wait.previous
    else this.#last = wait.previous
  }
}

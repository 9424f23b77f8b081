import { abortable } from '@millrace/runtime'

/** Runs calls one behind the other in the order in which they were made. */
export class Turns {
  #last: Promise<unknown> = Promise.resolve()

  /**
   * Runs `call` when all before it have ended, whatever became of them. When the signal is aborted the
   * caller goes on at once; the call itself must look at the signal too.
   */
  run(call: () => Promise<void>, signal: AbortSignal | undefined): Promise<void> {
    const turn = this.#last.then(call)
    this.#last = turn.catch(() => {})
    return abortable(turn, signal)
  }
}
